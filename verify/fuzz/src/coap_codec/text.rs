//! URIs and link formats.

use std::net::Ipv4Addr;

use coap_codec::link_format::{Filter, InvalidLinkFormat, LinkWriter, links};
use coap_codec::uri::{Destination, Host, InvalidUri, MAX_VALUE_LEN, PercentEncoded, Uri, compose};
use coap_codec::{Options, OptionsWriter};

/// Bytes as a URI and as a document of links, if they are UTF-8. Returns in how many ways they are valid.
pub fn text(data: &[u8]) -> usize {
    str::from_utf8(data).map_or(0, |text| usize::from(uri(text)) + usize::from(link_format(text)))
}

/// A URI that is parsed is the same when it is written and parsed again, and when it is composed from the options of a request
/// for it, wherever that goes; a fault is at a place inside of the text.
pub fn uri(text: &str) -> bool {
    match Uri::parse(text) {
        Ok(uri) => {
            let written = uri.to_string();
            assert_eq!(Uri::parse(&written), Ok(uri), "{text:?}");
            assert_eq!(Uri::parse(&written).map(|uri| uri.to_string()), Ok(written));
            for destination in destinations(&uri) {
                comes_back(&uri, &destination);
            }
            true
        }
        Err(InvalidUri { offset, .. }) => {
            assert!(text.is_char_boundary(offset), "{offset} in {text:?}");
            false
        }
    }
}

/// Where a request for it may go: there, and to a proxy elsewhere.
fn destinations<'a>(uri: &Uri<'a>) -> [Destination<'a>; 2] {
    let port = uri.port_or_default();
    let elsewhere = Host::Ipv4(Ipv4Addr::new(192, 0, 2, 1));
    let there = if uri.host.name().is_some() { elsewhere } else { uri.host };
    [Destination { host: there, port }, Destination { host: elsewhere, port: 1 }]
}

fn comes_back(uri: &Uri<'_>, destination: &Destination<'_>) {
    let mut buffer = vec![0; 100_000];
    let mut writer = OptionsWriter::new(&mut buffer);
    let mut scratch = [0; MAX_VALUE_LEN];
    let options = uri.options_to(destination);
    let written =
        options.try_for_each_decoded(&mut scratch, |number, value| writer.option(number, value).map(drop));
    if written.is_err() {
        return; // longer than any datagram
    }
    let options: Options<'_> = writer.finish();
    assert_eq!(options.check(|_| true), Ok(()), "{uri}");
    let mut text = String::new();
    if has_encoded_ascii(uri.host) {
        return;
    }
    let composed = compose(&mut text, uri.scheme, destination, options);
    assert_eq!(composed, Ok(()), "{uri}");
    // A zone is of meaning on this machine only: a request never has it.
    if !matches!(uri.host, Host::Ipv6 { zone: Some(_), .. }) {
        assert_eq!(Uri::parse(&text).as_ref(), Ok(uri), "by way of options");
    }
}

/// Whether the name of the host has percent-encoded characters of ASCII: RFC 7252 §6.5 encodes none again, and has no URI
/// for a request with such a name.
fn has_encoded_ascii(host: Host<'_>) -> bool {
    let name = host.name().map_or("", PercentEncoded::encoded);
    name.split('%').skip(1).any(|encoding| encoding.as_bytes()[0] < b'8')
}

/// A document that is read is the same when it is written and read again, link by link or attribute by attribute; a filter made
/// from what a link says finds that link; a fault is at a place inside of the text.
pub fn link_format(text: &str) -> bool {
    match read(text) {
        Ok(document) => {
            let mut copied = LinkWriter::new(String::new());
            for link in links(text).map_while(Result::ok) {
                copied.copy(&link).expect("a link");
                assert!(Filter::parse("href=*").expect("a filter").matches(&link));
            }
            assert_eq!(read(&copied.into_inner()), Ok(document.clone()), "{text:?}");
            if let Some(written) = write(&document) {
                assert_eq!(read(&written), Ok(document), "{text:?}");
            }
            true
        }
        Err(InvalidLinkFormat { offset, .. }) => {
            assert!(text.is_char_boundary(offset), "{offset} in {text:?}");
            assert!(links(text).filter(Result::is_err).count() == 1, "nothing follows a fault");
            false
        }
    }
}

/// A target, and names with values as they read.
type Link = (String, Vec<(String, Option<String>)>);

fn read(text: &str) -> Result<Vec<Link>, InvalidLinkFormat> {
    let one = |link: coap_codec::link_format::Link<'_>| {
        let attributes = link.attributes();
        let pairs =
            attributes.map(|one| (one.name.to_owned(), one.value.map(|value| value.to_string()))).collect();
        _ = (link.size(), link.is_observable(), link.content_formats().count());
        (link.target.to_owned(), pairs)
    };
    links(text).map(|link| link.map(one)).collect()
}

/// `None` with an `ext-value`: how that reads is not how it is written.
fn write(document: &[Link]) -> Option<String> {
    let mut writer = LinkWriter::new(String::new());
    for (target, attributes) in document {
        let mut link = writer.link(target).expect("a target");
        for (name, value) in attributes {
            link = match value {
                _ if name.ends_with('*') => return None,
                None => link.flag(name).expect("a name"),
                Some(value) => link.attribute(name, value).expect("a name"),
            };
        }
    }
    Some(writer.into_inner())
}
