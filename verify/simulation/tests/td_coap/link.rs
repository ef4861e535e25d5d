//! `TD_COAP_LINK_…`: discovery.

use coap_codec::link_format::links;
use coap_codec::{Code, ContentFormat, OptionNumber};

use crate::table::{Table, get};

/// Targets and attributes of what `/.well-known/core` lists, with a filter or without.
fn discover(query: Option<&str>) -> Vec<(String, Vec<(String, String)>)> {
    list(".well-known/core", query)
}

fn list(path: &str, query: Option<&str>) -> Vec<(String, Vec<(String, String)>)> {
    let request = query
        .into_iter()
        .fold(get(path), |request, query| request.with(OptionNumber::URI_QUERY, query.as_bytes()));
    let (response, messages) = Table::new().exchange(request);
    assert_eq!(response.code, Code::CONTENT);
    assert_eq!(response.options.view().content_format(), Some(ContentFormat::LINK_FORMAT));
    assert_eq!(messages[0].options().uri_query().next(), query.map(str::as_bytes));
    let text = String::from_utf8(response.payload.to_vec()).unwrap();
    let attributes = |link: &coap_codec::link_format::Link<'_>| {
        let pair = |attribute: coap_codec::link_format::Attribute<'_>| {
            (attribute.name.to_owned(), attribute.value.map(|value| value.to_string()).unwrap_or_default())
        };
        link.attributes().map(pair).collect()
    };
    links(&text).map(|link| link.unwrap()).map(|link| (link.target.to_owned(), attributes(&link))).collect()
}

fn targets(query: &str) -> Vec<String> {
    discover(Some(query)).into_iter().map(|(target, _)| target).collect()
}

fn has(attributes: &[(String, String)], name: &str) -> bool {
    attributes.iter().any(|(of, _)| of == name)
}

#[test]
fn td_coap_link_01() {
    let all = discover(None);
    for path in ["/test", "/separate", "/large", "/obs", "/link1", "/path"] {
        assert!(all.iter().any(|(target, _)| target == path), "{path} in {all:?}");
    }
}

#[test]
fn td_coap_link_02() {
    assert_eq!(targets("rt=Type1"), ["/link1", "/link3"]);
}

#[test]
fn td_coap_link_03() {
    let typed = discover(Some("rt=*"));
    let with_type =
        discover(None).into_iter().filter(|(_, attributes)| has(attributes, "rt")).collect::<Vec<_>>();
    assert_eq!(typed, with_type);
    assert!(typed.len() > 3);
}

#[test]
fn td_coap_link_04() {
    assert_eq!(targets("rt=Type2"), ["/link1", "/link2"]);
}

#[test]
fn td_coap_link_05() {
    assert_eq!(targets("if=If*"), ["/link1", "/link2"]);
}

#[test]
fn td_coap_link_06() {
    let sized = discover(Some("sz=*"));
    let with_size =
        discover(None).into_iter().filter(|(_, attributes)| has(attributes, "sz")).collect::<Vec<_>>();
    assert_eq!(sized, with_size);
    assert!(!sized.is_empty());
}

#[test]
fn td_coap_link_07() {
    assert_eq!(targets("href=/link1"), ["/link1"]);
}

#[test]
fn td_coap_link_08() {
    assert_eq!(targets("href=/link*"), ["/link1", "/link2", "/link3"]);
}

#[test]
fn td_coap_link_09() {
    let all = discover(None);
    let (_, attributes) = all.iter().find(|(target, _)| target == "/path").unwrap();
    assert!(attributes.contains(&("ct".to_owned(), "40".to_owned())));
    let below: Vec<_> = list("path", None).into_iter().map(|(target, _)| target).collect();
    assert_eq!(below, ["/path/sub1", "/path/sub2", "/path/sub3"]);
    let (response, _) = Table::new().exchange(get("path/sub1"));
    assert_eq!((response.code, &response.payload[..]), (Code::CONTENT, &b"/path/sub1"[..]));
}
