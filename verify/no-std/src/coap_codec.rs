use coap_codec::link_format::{Filter, links};
use coap_codec::stream::{self, Framing, next_frame};
use coap_codec::{EncodeError, Message, MessageBuilder, OptionsWriter, Rules, Uri};

/// Takes a datagram, checks its options and writes it anew, option by option. Returns how many bytes it wrote.
#[unsafe(no_mangle)]
pub fn no_std_coap_codec(datagram: &[u8], out: &mut [u8]) -> Option<usize> {
    let message = Message::decode(datagram, &Rules::DEFAULT).ok()?;
    message.options.check(|number| number.definition().is_some()).ok()?;
    let Message { message_type, code, message_id, token, options, payload } = message;
    let mut builder = MessageBuilder::new(out, message_type, code, message_id, token).ok()?;
    for option in options {
        builder.option(option.number, option.value).ok()?;
    }
    builder.payload(payload).ok()?;
    Some(builder.finish().ok()?.len())
}

/// Takes the first message of a connection and writes it anew.
#[unsafe(no_mangle)]
pub fn no_std_coap_codec_stream(received: &[u8], out: &mut [u8]) -> Option<usize> {
    let (frame, _) = next_frame(received, &stream::Rules::new(Framing::Tcp)).ok()??;
    stream::Message::decode(frame).ok()?.encode_to_slice(Framing::Tcp, out).ok()
}

/// The options of a request for a URI.
#[unsafe(no_mangle)]
pub fn no_std_coap_codec_uri(text: &str, out: &mut [u8]) -> Option<usize> {
    let mut writer = OptionsWriter::new(out);
    let put = |number, value: &[u8]| -> Result<(), EncodeError> { writer.option(number, value).map(drop) };
    Uri::parse(text).ok()?.for_each_option(&mut [0; 255], put).ok()?;
    Some(writer.finish().encoded().len())
}

/// How many links of a document a filter finds.
#[unsafe(no_mangle)]
pub fn no_std_coap_codec_links(document: &str, filter: &str) -> Option<usize> {
    let filter = Filter::parse(filter)?;
    Some(links(document).map_while(Result::ok).filter(|link| filter.matches(link)).count())
}
