//! RFC 6690 §4 and the descriptions of ETSI, `LINK_01` to `LINK_08`.

use alloc::string::String;

use coap_codec::{Code, ContentFormat, OptionNumber};

use crate::OptionList;
use crate::resource::{Resource, Table, core_links, is_well_known_core};

fn table(resources: impl IntoIterator<Item = Resource>) -> Table {
    let mut table = Table::new();
    for resource in resources {
        table.insert(resource).unwrap();
    }
    table
}

fn links(table: &Table, query: &[&str]) -> String {
    let mut options = OptionList::new();
    for argument in query {
        options.add(OptionNumber::URI_QUERY, argument.as_bytes());
    }
    core_links(table, options.view())
}

#[test]
fn the_path_is_recognised() {
    let is = |path: &[&str]| is_well_known_core(path.iter().map(|segment| segment.as_bytes()));
    assert!(is(&[".well-known", "core"]));
    assert!(!is(&[".well-known"]) && !is(&[".well-known", "core", ""]) && !is(&["core"]));
}

#[test]
fn links_show_what_is_said_of_resources() {
    let table = table([
        Resource::new("/lamp")
            .methods(&[Code::GET, Code::PUT])
            .resource_type("light")
            .resource_type("dimmable")
            .interface("core.a")
            .content_format(ContentFormat::TEXT_PLAIN)
            .content_format(ContentFormat::JSON)
            .max_size(64)
            .title("The \"big\" one")
            .observable(),
        Resource::new("/"),
        Resource::new("/secret").unlisted(),
        Resource::new("/x").attribute("obsolete", None).content_format(ContentFormat::CBOR),
    ]);
    assert_eq!(
        links(&table, &[]),
        r#"</lamp>;rt="light dimmable";if="core.a";ct="0 50";sz=64;title="The \"big\" one";obs,</>,</x>;obsolete;ct=60"#
    );
}

#[test]
fn targets_are_percent_encoded() {
    let table = table([Resource::at(["a b", "c/d", "é", ""])]);
    assert_eq!(links(&table, &[]), "</a%20b/c%2Fd/%C3%A9/>");
}

#[test]
fn links_come_in_the_order_of_making_even_after_removals() {
    let mut table = Table::new();
    let first = table.insert(Resource::new("b")).unwrap();
    table.insert(Resource::new("a")).unwrap();
    table.remove(first);
    table.insert(Resource::new("0")).unwrap();
    assert_eq!(links(&table, &[]), "</a>,</0>");
}

#[test]
fn an_attribute_that_no_link_can_have_keeps_the_link_out() {
    let table = table([Resource::new("a").attribute("b ad", Some("x")), Resource::new("b")]);
    assert_eq!(links(&table, &[]), "</b>");
}

fn typed() -> Table {
    table([
        Resource::new("1").resource_type("Type1 Type2").interface("If1"),
        Resource::new("2").resource_type("Type2 Type3").interface("If2").max_size(9),
        Resource::new("3").resource_type("Type1 Type3").interface("foo"),
        Resource::new("link4"),
    ])
}

#[test]
fn td_coap_link_02_and_04_a_filter_finds_one_type_of_several() {
    assert_eq!(
        links(&typed(), &["rt=Type2"]),
        r#"</1>;rt="Type1 Type2";if="If1",</2>;rt="Type2 Type3";if="If2";sz=9"#
    );
}

#[test]
fn td_coap_link_03_an_empty_prefix_asks_for_the_attribute() {
    let all = links(&typed(), &["rt=*"]);
    assert!(
        all.starts_with("</1>") && all.contains("</2>") && all.contains("</3>") && !all.contains("link4")
    );
}

#[test]
fn td_coap_link_05_a_prefix_of_the_interface() {
    let found = links(&typed(), &["if=If*"]);
    assert!(found.contains("</1>") && found.contains("</2>") && !found.contains("</3>"));
}

#[test]
fn td_coap_link_06_a_prefix_of_the_size() {
    assert_eq!(links(&typed(), &["sz=*"]), r#"</2>;rt="Type2 Type3";if="If2";sz=9"#);
}

#[test]
fn td_coap_link_07_and_08_the_target_whole_and_by_prefix() {
    assert_eq!(links(&typed(), &["href=/link4"]), "</link4>");
    assert_eq!(links(&typed(), &["href=/link*"]), "</link4>");
    assert_eq!(links(&typed(), &["href=/link"]), "");
}

#[test]
fn several_arguments_all_have_to_match_and_what_is_no_filter_is_ignored() {
    assert_eq!(links(&typed(), &["rt=Type3", "if=foo"]), r#"</3>;rt="Type1 Type3";if="foo""#);
    assert_eq!(links(&typed(), &["nonsense", "href=/link4"]), "</link4>");
}
