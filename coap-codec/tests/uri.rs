//! URIs to options and back: RFC 7252 §6.4 and §6.5, RFC 8323 §8, RFC 3986, RFC 6874.

use coap_codec::uri::{ComposeError, Destination, Host, Path, Query, Scheme, UriFault, compose};
use coap_codec::{OptionNumber, Options, Uri, insert_option};
use proptest::prelude::*;
use serde_json::Value;
use std::net::SocketAddr;

type OptionList = Vec<(OptionNumber, Vec<u8>)>;

fn options_of(uri: &Uri<'_>) -> OptionList {
    let mut list = Vec::new();
    let keep = |number, value: &[u8]| {
        list.push((number, value.to_vec()));
        Ok::<(), ()>(())
    };
    uri.for_each_option(&mut [0; 255], keep).unwrap();
    list
}

fn options_to(uri: &Uri<'_>, destination: &Destination<'_>) -> OptionList {
    let mut scratch = [0; 255];
    let decoded = |option: coap_codec::uri::UriOption<'_>| {
        (option.number, option.value.decode(&mut scratch).unwrap().to_vec())
    };
    uri.options_to(destination).map(decoded).collect()
}

fn texts(list: &OptionList, number: OptionNumber) -> Vec<String> {
    let of_number = list.iter().filter(|(other, _)| *other == number);
    of_number.map(|(_, value)| String::from_utf8(value.clone()).unwrap()).collect()
}

fn block(list: &OptionList) -> Vec<u8> {
    let mut buffer = vec![0; 16 + list.iter().map(|(_, value)| value.len() + 5).sum::<usize>()];
    let mut len = 0;
    for (number, value) in list {
        len = insert_option(&mut buffer, len, *number, value).unwrap();
    }
    buffer.truncate(len);
    buffer
}

fn composed(
    scheme: Scheme,
    destination: &Destination<'_>,
    list: &OptionList,
) -> Result<String, ComposeError> {
    let mut out = String::new();
    compose(&mut out, scheme, destination, Options::decode(&block(list)).unwrap())?;
    Ok(out)
}

fn socket(text: &str) -> Destination<'static> {
    text.parse::<SocketAddr>().unwrap().into()
}

fn fault(text: &str) -> (usize, UriFault) {
    let error = Uri::parse(text).map(|uri| uri.to_string()).expect_err(text);
    assert!(error.offset <= text.len(), "{text}");
    (error.offset, error.fault)
}

fn path(text: &str) -> Vec<String> {
    let whole = format!("coap://h{text}");
    let uri = Uri::parse(&whole).unwrap();
    assert_eq!(uri.path.encoded(), text.split(['?']).next().unwrap());
    texts(&options_of(&uri), OptionNumber::URI_PATH)
}

#[test]
fn vectors() {
    let file: Value = serde_json::from_str(include_str!("data/coap.json")).unwrap();
    let all = file["vectors"].as_array().unwrap();
    let mut count = 0;
    for vector in all.iter().filter(|vector| vector["kind"] == "uri-options") {
        let uri = Uri::parse(vector["uri"].as_str().unwrap()).unwrap();
        let list = options_of(&uri);
        let strings = |key: &str| -> Vec<String> {
            vector[key].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_string()).collect()
        };
        let host: Vec<_> = vector["uri_host"].as_str().into_iter().map(str::to_string).collect();
        assert_eq!(texts(&list, OptionNumber::URI_HOST), host, "{vector}");
        assert!(vector["uri_port"].is_null() && texts(&list, OptionNumber::URI_PORT).is_empty());
        assert_eq!(texts(&list, OptionNumber::URI_PATH), strings("uri_path"), "{vector}");
        assert_eq!(texts(&list, OptionNumber::URI_QUERY), strings("uri_query"), "{vector}");
        let destination = Destination { host: uri.host, port: uri.port_or_default() };
        let again = composed(uri.scheme, &destination, &list).unwrap();
        assert_eq!(again, uri.to_string(), "{vector}");
        assert_eq!(Uri::parse(&again), Ok(uri), "{vector}");
        count += 1;
    }
    assert_eq!(count, 8);
}

/// RFC 7252 §6.3: three ways to write one URI.
#[test]
fn equivalent_uris_give_the_same_options() {
    let uris = [
        "coap://example.com:5683/~sensors/temp.xml",
        "coap://EXAMPLE.com/%7Esensors/temp.xml",
        "coap://EXAMPLE.com:/%7esensors/temp.xml",
        "COAP://%65xample.%43om/a/../~sensors/./temp.xml",
    ];
    let first = Uri::parse(uris[0]).unwrap();
    for text in uris {
        let uri = Uri::parse(text).unwrap();
        assert_eq!(uri, first);
        assert_eq!(options_of(&uri), options_of(&first), "{text}");
        assert_eq!(uri.to_string(), "coap://example.com/~sensors/temp.xml");
    }
    assert_ne!(Uri::parse("coap://example.com/~Sensors/temp.xml").unwrap(), first);
    assert_ne!(Uri::parse("coaps://example.com/~sensors/temp.xml").unwrap(), first);
    assert_ne!(Uri::parse("coap://example.com/~sensors/temp.xml?").unwrap(), first);
}

#[test]
fn schemes_and_their_ports() {
    for (text, scheme, port, secure, datagram) in [
        ("coap", Scheme::Coap, 5683, false, true),
        ("coaps", Scheme::Coaps, 5684, true, true),
        ("coap+tcp", Scheme::CoapTcp, 5683, false, false),
        ("coaps+tcp", Scheme::CoapsTcp, 5684, true, false),
        ("coap+ws", Scheme::CoapWs, 80, false, false),
        ("coaps+ws", Scheme::CoapsWs, 443, true, false),
    ] {
        let text = format!("{}://host/x", text.to_uppercase());
        let uri = Uri::parse(&text).unwrap();
        assert_eq!((uri.scheme, uri.port, uri.port_or_default()), (scheme, None, port));
        assert_eq!((scheme.is_secure(), scheme.is_datagram()), (secure, datagram));
        assert_eq!(uri.to_string(), text.to_lowercase());
    }
    let other = Uri::parse("coap://host:05684").unwrap();
    assert_eq!(other.port, Some(5684));
    assert_eq!(other.to_string(), "coap://host:5684/");
}

#[test]
fn hosts() {
    let host = |text: &str| Uri::parse(text).unwrap().host.to_string();
    assert_eq!(host("coap://192.0.2.1"), "192.0.2.1");
    assert_eq!(host("coap://[2001:DB8:0:0::1]:1"), "[2001:db8::1]");
    assert_eq!(host("coap://[::ffff:192.0.2.1]"), "[::ffff:192.0.2.1]");
    assert_eq!(host("coap://[fe80::1%25eth0]/"), "[fe80::1%25eth0]");
    assert_eq!(host("coap://caf%c3%A9.example"), "caf%C3%A9.example");
    assert_eq!(host("coap://a!$&'()*+,;=-._~z"), "a!$&'()*+,;=-._~z");
    // not IPv4addresses, so names: RFC 3986 §3.2.2
    for name in ["192.0.2", "192.0.2.256", "192.0.2.01", "1.2.3.4.5"] {
        let text = format!("coap://{name}");
        assert!(Uri::parse(&text).unwrap().host.name().is_some(), "{name}");
    }
}

#[test]
fn the_zone_of_an_address_is_kept_for_the_socket_and_not_sent() {
    let uri = Uri::parse("coap://[fe80::1%25en%2D0]:61616/x").unwrap();
    let Host::Ipv6 { address, zone: Some(zone) } = uri.host else { panic!("{uri:?}") };
    assert_eq!(address.to_string(), "fe80::1");
    assert_eq!(zone, "en-0");
    assert_eq!(uri.to_string(), "coap://[fe80::1%25en-0]:61616/x");
    assert_eq!(texts(&options_of(&uri), OptionNumber::URI_PATH), ["x"]);
    assert!(options_to(&uri, &socket("[fe80::1%3]:61616")).iter().all(|(n, _)| *n == OptionNumber::URI_PATH));
    let destination = Destination { host: uri.host, port: 61616 };
    assert_eq!(composed(Scheme::Coap, &destination, &vec![]).unwrap(), "coap://[fe80::1]:61616/");
}

/// RFC 7252 §6.4 steps 5 and 7: what is not the default of the destination is sent.
#[test]
fn host_and_port_relative_to_the_destination() {
    let uri = Uri::parse("coap://[2001:DB8::1]/").unwrap();
    assert_eq!(options_to(&uri, &socket("[2001:db8::1]:5683")), []);
    assert_eq!(
        options_to(&uri, &socket("[2001:db8::2]:61616")),
        [
            (OptionNumber::URI_HOST, b"[2001:db8::1]".to_vec()),
            (OptionNumber::URI_PORT, 5683_u16.to_be_bytes().to_vec())
        ]
    );
    let uri = Uri::parse("coap://h:0").unwrap();
    let expected = [(OptionNumber::URI_HOST, b"h".to_vec()), (OptionNumber::URI_PORT, vec![])];
    assert_eq!(options_to(&uri, &socket("127.0.0.1:5683")), expected);
    let uri = Uri::parse("coap://h:80/x").unwrap();
    let port = |uri: &Uri<'_>| options_to(uri, &socket("127.0.0.1:5683"))[1].clone();
    assert_eq!(port(&uri), (OptionNumber::URI_PORT, vec![80]));
    // RFC 8323 §8.4: the default is the name in the TLS or WebSocket handshake
    let uri = Uri::parse("coaps+ws://Example.com/").unwrap();
    let there = Destination { host: Host::parse("example.COM").unwrap(), port: 443 };
    assert_eq!(options_to(&uri, &there), []);
}

/// The correction of §6.4 in the draft for RFC 7252, and RFC 3986 §5.2.4.
#[test]
fn paths() {
    let none: [&str; 0] = [];
    for text in ["", "/", "/.", "/..", "/./", "/../", "/a/..", "/a/../", "//..", "/%2e%2E", "/?x"] {
        assert_eq!(path(text), none, "{text}");
    }
    assert_eq!(path("/foo"), ["foo"]);
    assert_eq!(path("/foo/"), ["foo", ""]);
    assert_eq!(path("//"), ["", ""]);
    assert_eq!(path("///"), ["", "", ""]);
    assert_eq!(path("/a/b/c/./../../g"), ["a", "g"]);
    assert_eq!(path("/a/b/.."), ["a", ""]);
    assert_eq!(path("/a/b/."), ["a", "b", ""]);
    assert_eq!(path("/../../g"), ["g"]);
    assert_eq!(path("/a/./b/../../../g/%2E/h"), ["g", "h"]);
    assert_eq!(path("/.../..a/a..b/%2e%2e%2e"), ["...", "..a", "a..b", "..."]);
    assert_eq!(path("/%2F%26%3F%25/:@!$&'()*+,;="), ["/&?%", ":@!$&'()*+,;="]);
}

#[test]
fn queries() {
    let query = |text: &str| {
        let whole = format!("coap://h{text}");
        let uri = Uri::parse(&whole).unwrap();
        texts(&options_of(&uri), OptionNumber::URI_QUERY)
    };
    let none: [&str; 0] = [];
    assert_eq!(query("/"), none);
    assert_eq!(query("?"), [""]);
    assert_eq!(query("/?"), [""]);
    assert_eq!(query("?&"), ["", ""]);
    assert_eq!(query("?a=1&b=%26&c/?:@"), ["a=1", "b=&", "c/?:@"]);
}

#[test]
fn faults_and_their_places() {
    assert_eq!(fault(""), (0, UriFault::NoScheme));
    assert_eq!(fault("/a"), (0, UriFault::NoScheme));
    assert_eq!(fault("1coap://h"), (0, UriFault::NoScheme));
    assert_eq!(fault("localhost/a:b"), (0, UriFault::NoScheme));
    assert_eq!(fault("http://h"), (0, UriFault::UnknownScheme));
    assert_eq!(fault("localhost:5683/a"), (0, UriFault::UnknownScheme));
    assert_eq!(fault("coap:"), (5, UriFault::NoAuthority));
    assert_eq!(fault("coap:h/a"), (5, UriFault::NoAuthority));
    assert_eq!(fault("coap:/h"), (5, UriFault::NoAuthority));
    assert_eq!(fault("coap:///a"), (7, UriFault::EmptyHost));
    assert_eq!(fault("coap://:5683/a"), (7, UriFault::EmptyHost));
    assert_eq!(fault("coap://user@h/"), (11, UriFault::UserInfo));
    assert_eq!(fault("coap://::1/"), (7, UriFault::NoBrackets));
    assert_eq!(fault("coap://[::1/"), (7, UriFault::Ipv6));
    assert_eq!(fault("coap://[::1]x:1/"), (12, UriFault::Character));
    assert_eq!(fault("coap://[]/"), (8, UriFault::Ipv6));
    assert_eq!(fault("coap://[v1.x]/"), (8, UriFault::Ipv6));
    assert_eq!(fault("coap://[1.2.3.4]/"), (8, UriFault::Ipv6));
    assert_eq!(fault("coap://[fe80::1%eth0]/"), (15, UriFault::Zone));
    assert_eq!(fault("coap://[fe80::1%25]/"), (15, UriFault::Zone));
    assert_eq!(fault("coap://[fe80::1%25a:b]/"), (19, UriFault::Character));
    assert_eq!(fault("coap://h:65536/"), (9, UriFault::Port));
    assert_eq!(fault("coap://h:+1/"), (9, UriFault::Port));
    assert_eq!(fault("coap://h:1:2/"), (9, UriFault::Port));
    assert_eq!(fault("coap://[::1]:x"), (13, UriFault::Port));
    assert_eq!(fault("coap://h/#"), (9, UriFault::Fragment));
    assert_eq!(fault("coap://h?a#b"), (10, UriFault::Fragment));
    assert_eq!(fault("coap://h/a b"), (10, UriFault::Character));
    assert_eq!(fault("coap://h/caf\u{e9}"), (12, UriFault::Character));
    assert_eq!(fault("coap://h/a?b|c"), (12, UriFault::Character));
    assert_eq!(fault("coap://h\\/"), (8, UriFault::Character));
    assert_eq!(fault("coap://h/a%"), (10, UriFault::PercentEncoding));
    assert_eq!(fault("coap://h/%0g"), (9, UriFault::PercentEncoding));
    assert_eq!(fault("coap://h/%+1"), (9, UriFault::PercentEncoding));
    assert_eq!(fault("coap://h/%c3/%a9"), (9, UriFault::NotUtf8));
    assert_eq!(fault("coap://h/a?b&%FF"), (13, UriFault::NotUtf8));
    assert_eq!(Path::parse("a").unwrap_err().fault, UriFault::RelativePath);
    assert_eq!(Path::parse("/a?").unwrap_err().offset, 2);
    assert_eq!(Query::parse("a#").unwrap_err().offset, 1);
}

/// RFC 7252 §5.10, Table 4: the length counts after decoding.
#[test]
fn a_value_has_255_bytes_at_most() {
    let (fits, long) = ("x".repeat(254) + "%41", "x".repeat(256));
    for (before, after) in [("coap://", ""), ("coap://h/a/", "/b"), ("coap://h?a&", "&b")] {
        let text = format!("{before}{fits}{after}");
        let uri = Uri::parse(&text).unwrap();
        assert!(options_of(&uri).iter().any(|(_, value)| value.len() == 255), "{text}");
        assert_eq!(fault(&format!("{before}{long}{after}")), (before.len(), UriFault::TooLong));
    }
}

#[test]
fn a_path_has_8192_bytes_at_most() {
    let longest = "/a".repeat(4093) + "/bb/..";
    assert_eq!(path(&longest).len(), 4094);
    assert_eq!(fault(&format!("coap://h{longest}/")), (8, UriFault::PathTooLong));
}

#[test]
fn decoding_needs_a_buffer_only_for_what_is_encoded() {
    let uri = Uri::parse("coap://Host/plain/a%20b").unwrap();
    let name = uri.host.name().unwrap();
    assert_eq!(name.decode(&mut []), None);
    assert_eq!(name.decode(&mut [0; 4]), Some("host"));
    let segments: Vec<_> = uri.path_segments().collect();
    assert_eq!(segments[0].decode(&mut []), Some("plain"));
    assert_eq!(segments[1].decode(&mut [0; 2]), None);
    assert_eq!(segments[1].decode(&mut [0; 3]), Some("a b"));
    assert_eq!((segments[1].decoded_len(), segments[1].encoded()), (3, "a%20b"));
    assert_eq!(segments[1].to_string(), "a b");
}

/// RFC 7252 §6.5.
#[test]
fn composed_uris() {
    let here = socket("198.51.100.1:61616");
    let uri = |list: &[(u16, &str)]| {
        let list = list.iter().map(|(n, value)| (OptionNumber::new(*n), value.as_bytes().to_vec())).collect();
        composed(Scheme::Coap, &here, &list)
    };
    assert_eq!(uri(&[]).unwrap(), "coap://198.51.100.1:61616/");
    assert_eq!(uri(&[(7, "\x16\x33")]).unwrap(), "coap://198.51.100.1/");
    assert_eq!(uri(&[(7, "\x16\x34")]).unwrap(), "coap://198.51.100.1:5684/");
    assert_eq!(uri(&[(7, "")]).unwrap(), "coap://198.51.100.1:0/");
    assert_eq!(uri(&[(3, "ex\u{e4}.com"), (7, "\x16\x33")]).unwrap(), "coap://ex%C3%A4.com/");
    assert_eq!(uri(&[(3, "[2001:DB8::1]"), (7, "\x16\x33")]).unwrap(), "coap://[2001:db8::1]/");
    let list = [(11, ""), (11, "/"), (11, ""), (11, ""), (15, "//"), (15, "?&")];
    assert_eq!(uri(&list).unwrap(), "coap://198.51.100.1:61616//%2F//?//&?%26");
    assert_eq!(uri(&[(15, "")]).unwrap(), "coap://198.51.100.1:61616/?");
    assert_eq!(uri(&[(11, "a b%c"), (15, "#\"")]).unwrap(), "coap://198.51.100.1:61616/a%20b%25c?%23%22");
    for host in ["a b", "a/b", "a@b", "a:1", "[::1", "::1", "a%", "a%2", "", "[fe80::1%eth0]"] {
        let error = uri(&[(3, host)]);
        // an empty Uri-Host has the wrong length, and is as if absent
        assert!(error == Err(ComposeError::Host) || host.is_empty(), "{host} {error:?}");
    }
    assert_eq!(uri(&[(11, "..")]), Err(ComposeError::DotSegment));
    assert_eq!(uri(&[(11, ".")]), Err(ComposeError::DotSegment));
}

#[test]
fn composing_refuses_what_is_not_utf8() {
    for number in [OptionNumber::URI_HOST, OptionNumber::URI_PATH, OptionNumber::URI_QUERY] {
        let error = composed(Scheme::Coap, &socket("127.0.0.1:5683"), &vec![(number, vec![0xff])]);
        assert_eq!(error, Err(ComposeError::NotUtf8(number)));
    }
}

#[test]
fn both_directions_allocate_nothing() {
    let (mut block, mut scratch, mut out) = ([0; 128], [0; 255], String::with_capacity(128));
    let text = "coaps+tcp://Ex%C3%A4mple.com:99/a/../%20//?%26&";
    let mut len = 0;
    let count = allocation_counter::measure(|| {
        let uri = Uri::parse(text).unwrap();
        let insert = |number, value: &[u8]| {
            len = insert_option(&mut block, len, number, value)?;
            Ok::<(), coap_codec::EncodeError>(())
        };
        uri.options_to(&socket("127.0.0.1:5684")).try_for_each_decoded(&mut scratch, insert).unwrap();
        let options = Options::decode(&block[..len]).unwrap();
        compose(&mut out, uri.scheme, &socket("127.0.0.1:5684"), options).unwrap();
        assert!(Uri::parse("coap://h/%").is_err());
    });
    assert_eq!(count.count_total, 0);
    assert_eq!(out, "coaps+tcp://ex%C3%A4mple.com:99/%20//?%26&");
}

/// RFC 3986 §5.2.4 as it stands there, with a buffer.
fn remove_dot_segments(path: &str) -> String {
    let mut input = path.to_string();
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") || input == "/." {
            input = format!("/{}", input.get(3..).unwrap_or_default());
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", input.get(4..).unwrap_or_default());
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
            output.push_str(&input[..end]);
            input.drain(..end);
        }
    }
    output
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![".{0,12}", "[a-z./%?&#]{0,6}", Just(String::new())]
        .prop_filter("no dot segments", |text| text != "." && text != "..")
}

fn request() -> impl Strategy<Value = OptionList> {
    let host = proptest::option::of("[a-z0-9!$&'()*+,;=._~é-]{0,20}[a-zé]");
    let port = proptest::option::of(any::<u16>());
    let path = prop::collection::vec(segment(), 0..5).prop_filter("the root", |path| *path != [""]);
    (host, port, path, prop::collection::vec(".{0,20}", 0..4)).prop_map(|(host, port, path, query)| {
        let text = |number| move |text: String| (number, text.into_bytes());
        let port = port.map(|port| {
            (OptionNumber::URI_PORT, coap_codec::UintValue::new(port.into()).as_bytes().to_vec())
        });
        let host = host.map(text(OptionNumber::URI_HOST));
        let path = path.into_iter().map(text(OptionNumber::URI_PATH));
        let query = query.into_iter().map(text(OptionNumber::URI_QUERY));
        host.into_iter().chain(port).chain(path).chain(query).collect()
    })
}

fn scheme() -> impl Strategy<Value = Scheme> {
    prop::sample::select(Scheme::ALL.to_vec())
}

proptest! {
    #[test]
    fn options_to_uri_to_options(mut list in request(), scheme in scheme()) {
        let destination = socket("[2001:db8::7]:4711");
        let text = composed(scheme, &destination, &list).unwrap();
        let uri = Uri::parse(&text).unwrap();
        prop_assert_eq!(uri.to_string(), text.as_str());
        // the default that was sent needlessly is not sent again
        list.retain(|(number, value)| *number != OptionNumber::URI_PORT || value[..] != 4711_u16.to_be_bytes());
        prop_assert_eq!(options_to(&uri, &destination), list);
    }

    #[test]
    fn uri_to_options_to_uri(
        scheme in scheme(),
        authority in r"([a-zA-Z0-9.-]{0,8}[a-z]|192\.0\.2\.[1-9]|\[2001:db8::[1-9a-f]\])(:[0-9]{0,4})?",
        path in r"(/([a-z.]{0,3}|%[2-7][0-9A-Fa-f]|~|%C3%A9|@)){0,8}",
        query in r"(\?([a-z?/&=]|%[2-7][0-9a-f]){0,8})?",
    ) {
        let text = format!("{scheme}://{authority}{path}{query}");
        let uri = Uri::parse(&text).unwrap();
        let list = options_of(&uri);
        let destination = Destination { host: uri.host, port: uri.port_or_default() };
        let again = composed(scheme, &destination, &list).unwrap();
        prop_assert_eq!(&again, &uri.to_string());
        let again = Uri::parse(&again).unwrap();
        prop_assert_eq!(again, uri);
        prop_assert_eq!(options_of(&again), list);
    }

    #[test]
    fn dot_segments_go_as_the_rfc_says(path in r"(/(a|b|\.|\.\.|)){1,9}") {
        let whole = remove_dot_segments(&path);
        let expected: Vec<&str> = if whole == "/" { vec![] } else { whole[1..].split('/').collect() };
        prop_assert!(Path::parse(&path).unwrap().segments().eq(expected.iter().copied()), "{:?}", expected);
    }

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![
        ".*",
        r"coaps?(\+tcp|\+ws)?://([\[\]:%@a-f0-9.]|%25){0,12}[/a-z%.?&#]{0,12}",
        r"coap://(h|\[::1(%25[a-z]{0,2})?\])(:[0-9]{0,6})?(/[.a-z%é0-9]{0,4}){0,4}(\?.{0,8})?",
    ]) {
        let _ = Path::parse(&text).map(|path| path.to_string());
        let _ = Query::parse(&text).map(|query| query.to_string());
        let _ = Host::parse(&text).map(|host| host.to_string());
        match Uri::parse(&text) {
            Ok(uri) => {
                let normal = uri.to_string();
                prop_assert_eq!(Uri::parse(&normal), Ok(uri));
                prop_assert!(options_of(&uri).iter().all(|(_, value)| std::str::from_utf8(value).is_ok()));
            }
            Err(error) => prop_assert!(error.offset <= text.len()),
        }
    }
}
