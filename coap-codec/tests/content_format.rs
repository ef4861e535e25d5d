//! The registry of Content-Formats and the ways to write one.

use coap_codec::ContentFormat;

#[test]
fn every_registered_number_is_found_by_its_own_name() {
    let registered: Vec<_> =
        (0..=u16::MAX).map(ContentFormat::new).filter(|format| format.media_type().is_some()).collect();
    assert_eq!(registered.len(), 119);
    for format in registered {
        let text = format.to_string();
        assert_eq!(ContentFormat::from_media_type(&text), Some(format), "{text}");
        assert_eq!(ContentFormat::from_spec(&text), Some(format), "{text}");
        assert_eq!(text.contains('@'), format.content_coding().is_some(), "{text}");
    }
}

#[test]
fn well_known_numbers() {
    for (format, number, media_type) in [
        (ContentFormat::TEXT_PLAIN, 0, "text/plain; charset=utf-8"),
        (ContentFormat::LINK_FORMAT, 40, "application/link-format"),
        (ContentFormat::XML, 41, "application/xml"),
        (ContentFormat::OCTET_STREAM, 42, "application/octet-stream"),
        (ContentFormat::EXI, 47, "application/exi"),
        (ContentFormat::JSON, 50, "application/json"),
        (ContentFormat::CBOR, 60, "application/cbor"),
        (ContentFormat::SENML_JSON, 110, "application/senml+json"),
        (ContentFormat::SENML_ETCH_CBOR, 322, "application/senml-etch+cbor"),
        (ContentFormat::OSCORE, 10001, "application/oscore"),
        (ContentFormat::LWM2M_TLV, 11542, "application/vnd.oma.lwm2m+tlv"),
    ] {
        assert_eq!((format.get(), format.media_type()), (number, Some(media_type)));
    }
}

#[test]
fn a_media_type_may_be_written_in_several_ways() {
    let text = ContentFormat::from_media_type;
    assert_eq!(text("text/plain"), Some(ContentFormat::TEXT_PLAIN));
    assert_eq!(text("Text/Plain ;charset = \"UTF-8\""), Some(ContentFormat::TEXT_PLAIN));
    assert_eq!(text("application/cose;cose-type=cose-mac0"), Some(ContentFormat::COSE_MAC0));
    assert_eq!(text("application/json@deflate"), Some(ContentFormat::JSON_DEFLATE));
    assert_eq!(text("text/plain@zstd"), Some(ContentFormat::TEXT_PLAIN_ZSTD));
}

#[test]
fn what_is_not_registered_has_no_number() {
    for text in [
        "",
        ";",
        "@",
        "text/plain; charset=latin1",
        "text/plain; charset",
        "text/html",
        "application/cose",
        "application/json; x=y",
        "application/json@gzip",
        "application/json@",
        "40",
    ] {
        assert_eq!(ContentFormat::from_media_type(text), None, "{text}");
    }
}

#[test]
fn a_specification_is_a_number_or_a_media_type() {
    assert_eq!(ContentFormat::from_spec("40"), Some(ContentFormat::LINK_FORMAT));
    assert_eq!(ContentFormat::from_spec("65535"), Some(ContentFormat::new(65535)));
    for text in ["", "65536", "+40", "-1", "4 0", "99999999999999999999"] {
        assert_eq!(ContentFormat::from_spec(text), None, "{text}");
    }
}
