//! `m2m coap discover`: the resources of a server or of a group (RFC 6690, RFC 7252 §7.2).

use core::fmt::Write;
use core::net::SocketAddr;

use clap::Args;
use coap_codec::link_format::{Attribute, Link, links};
use coap_codec::{Code, ContentFormat, OptionNumber};
use coap_core::{Request, Response};

use super::arguments::{OutputArguments, RequestArguments};
use super::exchange::exchange;
use super::failure::Failure;
use super::output::{Output, Reader};
use super::target::Target;
use super::text::printable;
use super::{super::dump::FormatName, report};

/// What `discover` takes.
#[derive(Args, Debug)]
pub(crate) struct DiscoverArguments {
    #[command(flatten)]
    request: RequestArguments,
    /// Only links with this attribute, such as `rt=temperature` or `href=/sensors/*`.
    #[arg(value_name = "NAME=PATTERN")]
    filter: Vec<String>,
    /// Print the answer as it came.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    output: OutputArguments,
}

pub(super) async fn run(arguments: DiscoverArguments) -> Result<(), Failure> {
    let DiscoverArguments { request: arguments, filter, raw, output } = arguments;
    let target = Target::of(&arguments).await?;
    let is_group = target.is_group();
    let request = request(&target, &arguments, &filter)?;
    let mut output = Output::new(&output, true);
    let mut print = |from: SocketAddr, response: &Response| -> Result<Reader, Failure> {
        if is_group {
            output.write(format!("coap://{from}\n").as_bytes())?;
        }
        if raw {
            return output.write(&response.payload);
        }
        match table(response, if is_group { "    " } else { "" }) {
            Ok(text) => output.write(text.as_bytes()),
            Err(problem) if is_group => {
                report(&format_args!("{from}: {problem}"));
                Ok(Reader::Listens)
            }
            Err(problem) => Err(Failure::Unusable(problem)),
        }
    };
    exchange(&target, &arguments.link, &arguments.config(), &request, &mut print).await
}

/// Without a path, what RFC 6690 §4 has for it.
fn request(target: &Target, arguments: &RequestArguments, filter: &[String]) -> Result<Request, Failure> {
    let mut request = target.complete(arguments.request(Code::GET, None)?);
    if !request.options.view().contains(OptionNumber::URI_PATH) {
        request = request.path(".well-known/core");
    }
    for text in filter {
        let text = text.strip_prefix('?').unwrap_or(text);
        if !text.contains('=') {
            let problem =
                format_args!("{text}: a filter is an attribute and a pattern, such as rt=temperature*");
            return Err(Failure::usage(problem));
        }
        text.split('&')
            .for_each(|argument| _ = request.options.add(OptionNumber::URI_QUERY, argument.as_bytes()));
    }
    Ok(request)
}

/// A line for each link, its target in a column of its own.
fn table(response: &Response, indent: &str) -> Result<String, String> {
    /// Longer targets push their attributes out of the column.
    const WIDEST: usize = 40;
    let format = response.options.view().content_format();
    if let Some(format) = format.filter(|format| *format != ContentFormat::LINK_FORMAT) {
        return Err(format!("the answer is no list of links but {} (--raw prints it)", FormatName(format)));
    }
    let text = core::str::from_utf8(&response.payload)
        .map_err(|_| "the answer is no list of links: it is not UTF-8 (--raw prints it)".to_owned())?;
    // CoAPthon3 ends each link with a comma, the last one too.
    let links: Result<Vec<Link<'_>>, _> = links(text.strip_suffix(',').unwrap_or(text)).collect();
    let links =
        links.map_err(|problem| format!("the answer is no list of links: {problem} (--raw prints it)"))?;
    let width = |link: &Link<'_>| printable(link.target).chars().count();
    let widest = links.iter().map(width).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let mut table = String::new();
    for link in &links {
        let line = format!("{indent}{:widest$}{}", printable(link.target), attributes(link));
        table.push_str(line.trim_end());
        table.push('\n');
    }
    Ok(table)
}

fn attributes(link: &Link<'_>) -> String {
    let mut text = String::new();
    for attribute in link.attributes() {
        text.push_str("  ");
        write_attribute(&mut text, &attribute);
        if attribute.is_named("ct") {
            let names: Vec<&str> = link.content_formats().filter_map(ContentFormat::media_type).collect();
            if !names.is_empty() {
                _ = write!(text, " ({})", names.join(", "));
            }
        }
    }
    text
}

/// Quoted only if it is no single word.
fn write_attribute(text: &mut String, attribute: &Attribute<'_>) {
    text.push_str(attribute.name);
    let Some(value) = attribute.value else { return };
    let value = value.to_string();
    let is_word =
        |character: char| !(character.is_whitespace() || character.is_control() || character == '"');
    _ = if !value.is_empty() && value.chars().all(is_word) {
        write!(text, "={value}")
    } else {
        write!(text, "={value:?}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(payload: &'static str) -> Result<String, String> {
        table(&Response::new(Code::CONTENT).with_uint(OptionNumber::CONTENT_FORMAT, 40).payload(payload), "")
    }

    #[test]
    fn a_line_for_each_link() {
        let text =
            shown("</a>;rt=\"x y\";ct=\"0 40\",</long/path>;obs;title=\"a \\\"b\\\"\";sz=7,</>").unwrap();
        assert_eq!(
            text,
            "/a          rt=\"x y\"  ct=\"0 40\" (text/plain; charset=utf-8, application/link-format)\n\
             /long/path  obs  title=\"a \\\"b\\\"\"  sz=7\n\
             /\n"
        );
        assert_eq!(shown("").unwrap(), "");
    }

    #[test]
    fn nothing_of_a_peer_moves_the_cursor() {
        let text = shown("</a>;title=\"\u{9b}2J\"").unwrap();
        assert!(!text.contains('\u{9b}'), "{text:?}");
    }

    #[test]
    fn a_comma_at_the_end_does_no_harm() {
        assert_eq!(shown("</a>;obs,</b>,").unwrap(), "/a  obs\n/b\n");
        assert!(shown("</a>,,").is_err());
    }

    #[test]
    fn what_is_no_link_format_says_so() {
        assert!(shown("</a").unwrap_err().contains("no list of links"));
        let json = Response::new(Code::CONTENT).with_uint(OptionNumber::CONTENT_FORMAT, 50).payload("[]");
        let problem = table(&json, "").unwrap_err();
        assert_eq!(problem, "the answer is no list of links but 50 application/json (--raw prints it)");
    }
}
