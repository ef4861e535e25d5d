//! Codes, types and what they are called.

use coap_codec::{Code, MessageType};

#[test]
fn classes_and_details() {
    for byte in 0..=255_u8 {
        let code = Code::from_byte(byte);
        assert_eq!(Code::new(code.class(), code.detail()), Some(code));
        assert_eq!(code.as_byte(), byte);
        let kinds = [
            code.is_empty(),
            code.is_request(),
            code.is_response(),
            code.is_signalling(),
            code.is_reserved(),
        ];
        assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{code} is one thing");
        assert_eq!(code.is_success() || code.is_client_error() || code.is_server_error(), {
            code.is_response() && code.class() != 3
        });
    }
    assert_eq!((Code::new(8, 0), Code::new(0, 32)), (None, None));
}

#[test]
fn names_and_numbers() {
    let table = [
        (Code::GET, "0.01", "GET"),
        (Code::IPATCH, "0.07", "iPATCH"),
        (Code::CONTENT, "2.05", "Content"),
        (Code::CONTINUE, "2.31", "Continue"),
        (Code::REQUEST_ENTITY_INCOMPLETE, "4.08", "Request Entity Incomplete"),
        (Code::CONFLICT, "4.09", "Conflict"),
        (Code::PRECONDITION_FAILED, "4.12", "Precondition Failed"),
        (Code::UNSUPPORTED_CONTENT_FORMAT, "4.15", "Unsupported Content-Format"),
        (Code::UNPROCESSABLE_ENTITY, "4.22", "Unprocessable Entity"),
        (Code::TOO_MANY_REQUESTS, "4.29", "Too Many Requests"),
        (Code::HOP_LIMIT_REACHED, "5.08", "Hop Limit Reached"),
        (Code::ABORT, "7.05", "Abort"),
    ];
    for (code, number, name) in table {
        assert_eq!((code.to_string(), code.name()), (number.to_owned(), Some(name)));
        assert_eq!(format!("{code:?}"), format!("{number} {name}"));
    }
    let named = (0..=255).filter(|byte| Code::from_byte(*byte).name().is_some()).count();
    assert_eq!(named, 1 + 7 + 6 + 14 + 7 + 5, "as registered");
}

#[test]
fn types_have_short_names() {
    let types = [
        MessageType::Confirmable,
        MessageType::NonConfirmable,
        MessageType::Acknowledgement,
        MessageType::Reset,
    ];
    assert_eq!(types.map(|t| t.to_string()), ["CON", "NON", "ACK", "RST"]);
    assert_eq!(types.map(|t| t as u8), [0, 1, 2, 3]);
}
