//! Discovery: what `/.well-known/core` says (RFC 6690 §4).

use alloc::string::String;
use core::fmt::Write;

use coap_codec::Options;
use coap_codec::link_format::{Filter, WriteError, links, write_link};

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
        let start = text.len();
        if start > 0 {
            text.push(',');
        }
        let link_start = text.len();
        // An attribute with a name that no link can have keeps the whole link out.
        let written = write(&mut text, resource).is_ok();
        if !written || !passes(text.get(link_start..).unwrap_or_default(), request) {
            text.truncate(start);
        }
    }
    text
}

fn write(text: &mut String, resource: &Resource) -> Result<(), WriteError> {
    let mut target = String::new();
    write_target(&mut target, resource)?;
    write_link(text, &target, resource.attributes())
}

fn passes(link: &str, request: Options<'_>) -> bool {
    let Some(Ok(link)) = links(link).next() else {
        return false;
    };
    request.uri_query().all(|argument| {
        let filter = core::str::from_utf8(argument).ok().and_then(Filter::parse);
        filter.is_none_or(|filter| filter.matches(&link))
    })
}

/// The path as a URI has it (RFC 7252 §6.5 steps 6 and 7).
fn write_target(target: &mut String, resource: &Resource) -> Result<(), WriteError> {
    let mut segments = resource.segments().peekable();
    if segments.peek().is_none() {
        target.push('/');
    }
    for segment in segments {
        target.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
                target.push(char::from(byte));
            } else {
                write!(target, "%{byte:02X}")?;
            }
        }
    }
    Ok(())
}
