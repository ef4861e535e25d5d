//! Discovery: what `/.well-known/core` says (RFC 6690 §4).

use alloc::string::String;

use coap_codec::Options;
use coap_codec::link_format::{Filter, write_link};

use super::{Resource, Table};

/// The path of the resource that lists the others.
const WELL_KNOWN_CORE: [&str; 2] = [".well-known", "core"];

/// Whether a path is that of the list.
pub(crate) fn is_well_known_core<'s>(path: impl Iterator<Item = &'s [u8]>) -> bool {
    path.eq(WELL_KNOWN_CORE.map(str::as_bytes))
}

/// The links of all listed resources that pass every argument of the request's query (§4.1), in the order in which the resources were
/// made. An argument that is no filter is ignored. To a group an empty list is not sent.
pub(crate) fn core_links(table: &Table, request: Options<'_>) -> String {
    let mut text = String::new();
    for resource in table.iter().filter(|resource| resource.is_listed()) {
        let target = target_of(resource);
        if !passes(&target, resource, request) {
            continue;
        }
        let start = text.len();
        if start > 0 {
            text.push(',');
        }
        // An attribute with a name that no link can have keeps the whole link out.
        if write_link(&mut text, &target, resource.attributes()).is_err() {
            text.truncate(start);
        }
    }
    text
}

fn passes(target: &str, resource: &Resource, request: Options<'_>) -> bool {
    request.uri_query().all(|argument| {
        let filter = core::str::from_utf8(argument).ok().and_then(Filter::parse);
        filter.is_none_or(|filter| filter.matches_parts(target, resource.attributes()))
    })
}

/// The path as a URI has it (RFC 7252 §6.5 steps 6 and 7).
fn target_of(resource: &Resource) -> String {
    const HEXADECIMAL: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| char::from(HEXADECIMAL[usize::from(value & 0x0F)]);
    let mut target = String::new();
    for segment in resource.segments() {
        target.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
                target.push(char::from(byte));
            } else {
                target.extend(['%', digit(byte >> 4), digit(byte)]);
            }
        }
    }
    if target.is_empty() {
        target.push('/');
    }
    target
}
