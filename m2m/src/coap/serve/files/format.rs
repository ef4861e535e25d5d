//! Content-Formats by what a file's name ends with.

use coap_codec::ContentFormat;

/// Names and what they stand for; all others are `application/octet-stream`.
const EXTENSIONS: &[(&str, ContentFormat)] = &[
    ("cbor", ContentFormat::CBOR),
    ("cborseq", ContentFormat::CBOR_SEQ),
    ("conf", ContentFormat::TEXT_PLAIN),
    ("cose", ContentFormat::COSE_SIGN1),
    ("css", ContentFormat::TEXT_CSS),
    ("csv", ContentFormat::TEXT_PLAIN),
    ("cwt", ContentFormat::CWT),
    ("exi", ContentFormat::EXI),
    ("gif", ContentFormat::IMAGE_GIF),
    ("htm", ContentFormat::TEXT_PLAIN),
    ("html", ContentFormat::TEXT_PLAIN),
    ("jpeg", ContentFormat::IMAGE_JPEG),
    ("jpg", ContentFormat::IMAGE_JPEG),
    ("js", ContentFormat::JAVASCRIPT),
    ("json", ContentFormat::JSON),
    ("link", ContentFormat::LINK_FORMAT),
    ("log", ContentFormat::TEXT_PLAIN),
    ("md", ContentFormat::TEXT_PLAIN),
    ("png", ContentFormat::IMAGE_PNG),
    ("senml", ContentFormat::SENML_JSON),
    ("senmlc", ContentFormat::SENML_CBOR),
    ("senmlx", ContentFormat::SENML_XML),
    ("sensml", ContentFormat::SENSML_JSON),
    ("sensmlc", ContentFormat::SENSML_CBOR),
    ("svg", ContentFormat::IMAGE_SVG_XML),
    ("toml", ContentFormat::TEXT_PLAIN),
    ("txt", ContentFormat::TEXT_PLAIN),
    ("wlnk", ContentFormat::LINK_FORMAT),
    ("xml", ContentFormat::XML),
    ("yaml", ContentFormat::TEXT_PLAIN),
    ("yml", ContentFormat::TEXT_PLAIN),
];

/// What a file of this name holds, if its name says it.
pub(super) fn known(name: &str) -> Option<ContentFormat> {
    let (_, extension) = name.rsplit_once('.')?;
    let found = EXTENSIONS.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
    found.map(|(_, format)| *format)
}

/// What a file of this name is served as.
pub(super) fn of(name: &str) -> ContentFormat {
    known(name).unwrap_or(ContentFormat::OCTET_STREAM)
}

/// What a new file has to end with to be served as this: a dot and an extension, or nothing.
pub(super) fn extension(format: ContentFormat) -> String {
    match EXTENSIONS.iter().rfind(|(_, known)| *known == format) {
        _ if format == ContentFormat::TEXT_PLAIN => ".txt".to_owned(),
        Some((extension, _)) => format!(".{extension}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_say_what_they_hold() {
        for (_, format) in EXTENSIONS {
            assert_eq!(of(&format!("x{}", extension(*format))), *format);
        }
        assert_eq!(extension(ContentFormat::OCTET_STREAM), "");
        assert_eq!(of("x"), ContentFormat::OCTET_STREAM);
        assert_eq!(of("X.JSON"), ContentFormat::JSON);
        assert_eq!(of("x.json.gz"), ContentFormat::OCTET_STREAM);
    }
}
