//! Resources that keep what they are given, with the preconditions of RFC 7252 §5.10.8.

use bytes::Bytes;
use coap_codec::{Code, ContentFormat, OptionNumber};
use coap_core::{Preconditions, Response};

use super::table::Initial;
use super::{Answer, Asked, Changed, text};

/// A body and its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Representation {
    pub(super) format: ContentFormat,
    pub(super) body: Bytes,
}

impl Representation {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { format: ContentFormat::TEXT_PLAIN, body: text.into().into() }
    }

    pub(super) fn xml(text: &str) -> Self {
        Self { format: ContentFormat::XML, ..Self::text(text) }
    }

    pub(super) fn links(links: &str) -> Self {
        Self { format: ContentFormat::LINK_FORMAT, ..Self::text(links) }
    }

    /// What a request brings; text if it does not say.
    pub(super) fn of(asked: &Asked<'_>) -> Self {
        let format = asked.options.content_format().unwrap_or(ContentFormat::TEXT_PLAIN);
        Self { format, body: Bytes::copy_from_slice(asked.payload) }
    }

    pub(super) fn response(&self, code: Code) -> Response {
        Response::new(code)
            .with_uint(OptionNumber::CONTENT_FORMAT, self.format.get().into())
            .payload(self.body.clone())
    }

    /// FNV-1a over format and body: the same entity-tag for the same representation.
    fn etag(&self) -> [u8; 8] {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in self.format.get().to_be_bytes().iter().chain(&self.body) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash.to_be_bytes()
    }
}

/// Something to be read, replaced and deleted.
pub(super) struct Value {
    initial: Option<Representation>,
    current: Option<Representation>,
}

impl Value {
    pub(super) fn new(initial: Option<Initial>) -> Self {
        let initial = initial.map(|initial| match initial {
            Initial::Text(text) => Representation::text(text),
            Initial::Large => Representation::text(text::rows(text::LARGE)),
        });
        Self { current: initial.clone(), initial }
    }

    pub(super) fn set(&mut self, representation: Representation) {
        self.current = Some(representation);
    }

    pub(super) fn answer(&mut self, asked: &Asked<'_>) -> Answer {
        let etag = self.current.as_ref().map(Representation::etag);
        if let Err(code) = Preconditions::of(asked.options).check(etag.as_ref().map(<[u8; 8]>::as_slice)) {
            return (Response::new(code), None);
        }
        match asked.method {
            Code::PUT => {
                let before = self.current.replace(Representation::of(asked));
                (Response::new(if before.is_some() { Code::CHANGED } else { Code::CREATED }), Some(Changed))
            }
            Code::DELETE => {
                self.current = self.initial.clone();
                (Response::new(Code::DELETED), Some(Changed))
            }
            _ => match (&self.current, etag) {
                (Some(current), Some(etag)) => {
                    let response = asked.answer(current);
                    (
                        if response.code == Code::CONTENT {
                            response.with(OptionNumber::ETAG, &etag)
                        } else {
                            response
                        },
                        None,
                    )
                }
                _ => (not_found(), None),
            },
        }
    }
}

pub(super) fn not_found() -> Response {
    Response::new(Code::NOT_FOUND)
}
