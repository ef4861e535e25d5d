//! Laws of `coap-codec` on arbitrary bytes.

mod datagram;
pub mod seeds;
mod stream;
mod text;

pub use datagram::message;
pub use stream::stream;
pub use text::{link_format, text, uri};

use core::fmt::Write;

use coap_codec::{EncodeError, OptionNumber, Options, OptionsWriter, insert_option, option_growth};

struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> core::fmt::Result {
        Ok(())
    }
}

/// Options that are valid obey these: every accessor answers, and what was inserted in another order is the same block.
fn options_hold(options: Options<'_>) {
    let block = options.encoded();
    assert_eq!(Options::decode(block), Ok(options));
    assert!(options.iter().map(|option| option.number).is_sorted());
    assert!(write!(Nowhere, "{options:?}").is_ok());
    accessors_agree(options);
    if options.check(|_| true).is_ok() {
        assert!(options.block1().is_none_or(|block| block.is_ok()), "its length was checked");
        let registered = options.check(|number| number.definition().is_some());
        assert_eq!(registered.is_err(), has_unregistered_critical(options));
    }
    any_order(options);
}

/// Whether there is a critical option that is not registered.
fn has_unregistered_critical(options: Options<'_>) -> bool {
    options.iter().any(|option| option.number.is_critical() && option.number.definition().is_none())
}

fn accessors_agree(options: Options<'_>) {
    for option in options {
        let number = option.number;
        let all: Vec<&[u8]> = options.all(number).collect();
        assert_eq!(options.get(number), all.first().copied());
        assert_eq!(options.contains(number), !all.is_empty());
        if let Some(definition) = number.definition() {
            assert!(all.iter().all(|value| definition.allows(value.len())));
            assert!(definition.repeatable || all.len() <= 1);
        }
    }
    _ = (options.content_format(), options.max_age(), options.observe(), options.no_response());
    _ = (options.uri_port(), options.hop_limit(), options.size1(), options.size2());
}

/// Options one by one, not by number, but with equal numbers in their order.
fn any_order(options: Options<'_>) {
    let mut shuffled: Vec<_> = options.iter().collect();
    shuffled.sort_by_key(|option| option.number.get().reverse_bits());

    let mut block = Vec::new();
    let mut buffer = vec![0; options.encoded().len()];
    let mut writer = OptionsWriter::new(&mut buffer);
    for option in &shuffled {
        insert(&mut block, option.number, option.value);
        writer.option(option.number, option.value).expect("as much room as it needs in the end");
        assert_eq!(writer.options().encoded(), block);
    }
    assert_eq!(block, options.encoded());
}

fn insert(block: &mut Vec<u8>, number: OptionNumber, value: &[u8]) {
    let (len, growth) = (block.len(), option_growth(number, value.len()));
    let room = block.len() + growth;
    block.resize(room, 0);
    let new_len = insert_option(block, len, number, value).expect("room");
    assert!((len..=room).contains(&new_len), "{len} to {new_len}, {growth} more at most");
    block.truncate(new_len);
}

/// Encodes into a growing vector, into a slice that fits and into one that does not.
fn encoded(
    len: usize,
    to_vec: impl Fn(&mut Vec<u8>) -> Result<(), EncodeError>,
    to_slice: impl Fn(&mut [u8]) -> Result<usize, EncodeError>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_vec(&mut bytes).expect("what was decoded can be encoded");
    assert_eq!(bytes.len(), len);

    let mut buffer = vec![0; len];
    let short = &mut buffer[1..];
    assert_eq!(to_slice(short), Err(EncodeError::NoRoom));
    assert!(short.iter().all(|byte| *byte == 0), "whole or not at all");
    assert_eq!(to_slice(&mut buffer), Ok(len));
    assert_eq!(buffer, bytes, "the same into any output");
    bytes
}

/// All short lengths below `len`, and some long ones.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..len.min(40)).chain((40..len).step_by(61)).chain(len.checked_sub(1))
}
