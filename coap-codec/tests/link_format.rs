//! Link format: RFC 6690, with what RFC 7252, 7641 and 8288 add to it.

use coap_codec::ContentFormat;
use coap_codec::link_format::{
    Attribute, Filter, InvalidLinkFormat, Link, LinkFault, LinkWriter, WriteError, links, write_link,
};
use proptest::prelude::*;
use serde_json::Value;

type Owned = (String, Vec<(String, Option<String>)>);

fn owned(link: &Link<'_>) -> Owned {
    let attribute = |attribute: Attribute<'_>| {
        (attribute.name.to_string(), attribute.value.map(|value| value.to_string()))
    };
    (link.target.to_string(), link.attributes().map(attribute).collect())
}

fn all(text: &str) -> Vec<Owned> {
    links(text).map(|link| owned(&link.unwrap())).collect()
}

fn one(text: &str) -> Link<'_> {
    let mut links = links(text);
    let link = links.next().unwrap().unwrap();
    assert!(links.next().is_none());
    link
}

fn fault(text: &str) -> (usize, LinkFault) {
    let mut links = links(text);
    let InvalidLinkFormat { offset, fault } = links.find_map(Result::err).expect(text);
    assert!(links.next().is_none(), "nothing after a fault");
    (offset, fault)
}

#[test]
fn vectors() {
    let file: Value = serde_json::from_str(include_str!("data/coap.json")).unwrap();
    let mut count = 0;
    for vector in file["vectors"].as_array().unwrap().iter().filter(|v| v["kind"] == "link-format") {
        let text = vector["text"].as_str().unwrap();
        let expected: Vec<Owned> = serde_json::from_value(vector["links"].clone()).unwrap();
        assert_eq!(all(text), expected, "{vector}");
        let mut again = LinkWriter::new(String::new());
        for (target, attributes) in &expected {
            let mut link = again.link(target).unwrap();
            for (name, value) in attributes {
                link = match value {
                    Some(value) => link.attribute(name, value).unwrap(),
                    None => link.flag(name).unwrap(),
                };
            }
        }
        assert_eq!(again.into_inner(), text, "the examples are written as the writer writes");
        count += 1;
    }
    assert_eq!(count, 7);
}

#[test]
fn an_empty_document_has_no_links() {
    assert_eq!(links("").count(), 0);
    assert_eq!(links(" \r\n").count(), 0);
}

/// RFC 6690 §5, folded as printed there.
#[test]
fn blanks_around_separators_are_skipped() {
    let text = "</sensors>;ct=40;title=\"Sensor Index\",\r\n  </sensors/temp>;rt=\"temperature-c\" ; if=\"sensor\" ,\n\
                <http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\"\n;rel=\"describedby\"\n";
    let targets: Vec<_> = links(text).map(|link| link.unwrap().target).collect();
    assert_eq!(targets, ["/sensors", "/sensors/temp", "http://www.example.com/sensors/t123"]);
    let last = links(text).last().unwrap().unwrap();
    assert_eq!(last.value("anchor").unwrap(), "/sensors/temp");
    assert!(last.relations().eq(["describedby"]));
}

#[test]
fn attributes_that_have_a_meaning() {
    let link = one(r#"</x>;rt="a  b ";IF=sensor;ct="0 41 x 65536 50";sz=262144;obs;hreflang=en;hreflang=de"#);
    assert!(link.resource_types().eq(["a", "b"]));
    assert!(link.interfaces().eq(["sensor"]));
    let formats: Vec<_> = link.content_formats().collect();
    assert_eq!(formats, [ContentFormat::TEXT_PLAIN, ContentFormat::XML, ContentFormat::JSON]);
    assert_eq!(link.size(), Some(262_144));
    assert!(link.is_observable());
    assert!(link.relations().eq(["hosts"]), "§2.2: the relation when none is given");
    assert_eq!(link.attributes().filter(|attribute| attribute.is_named("hreflang")).count(), 2);
    assert_eq!(link.attribute("obs").unwrap().value, None);
    assert!(!link.value("if").unwrap().is_quoted());

    let bare = one("</x>");
    assert_eq!((bare.size(), bare.is_observable(), bare.value("rt")), (None, false, None));
    assert_eq!(bare.resource_types().count() + bare.content_formats().count(), 0);
    assert!(one("</x>;obs=\"0\"").is_observable(), "RFC 7641 §6: a value is ignored");
    assert_eq!(one("</x>;sz=x").size(), None);
}

/// RFC 6690 §3, RFC 8288 §3: occurrences after the first are ignored.
#[test]
fn what_counts_once_counts_the_first_time() {
    for name in ["rt", "if", "sz", "ct", "rel", "anchor", "title", "type", "media", "obs"] {
        let text = format!("</x>;{name}=1;a=2;{}=3;a=4", name.to_uppercase());
        let link = one(&text);
        let values: Vec<_> = link.attributes().map(|attribute| attribute.value.unwrap().raw()).collect();
        assert_eq!(values, ["1", "2", "4"], "{name}");
        assert_eq!(link.to_string(), text, "as written");
    }
    let link = one("</x>;title*=UTF-8''a;title=b;title*=UTF-8''c");
    assert_eq!(link.attributes().count(), 2);
}

#[test]
fn strings_and_tokens() {
    let value = |text: &'static str| one(text).value("a").unwrap();
    assert_eq!(value(r#"<>;a="x\"y\\z\a""#), r#"x"y\za"#);
    assert_eq!(value(r#"<>;a="x\"y""#).raw(), r#"x\"y"#);
    assert_eq!(value(r#"<>;a="x\"y""#).as_str(), None);
    assert_eq!(value(r#"<>;a="x,;<>""#).as_str(), Some("x,;<>"));
    assert_eq!(value("<>;a=\"\u{e9}\t\u{4e2d}\"").as_str(), Some("\u{e9}\t\u{4e2d}"));
    assert_eq!(value("<>;a=\"\""), "");
    assert_eq!(value("<>;a=!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~").raw().len(), 34);
    assert_eq!(value("<>;a=x"), value("<>;a=\"x\""));
    assert_eq!(one("<>;a").value("a"), None);
}

#[test]
fn extended_values() {
    let ext = |text: &'static str| one(text).value("title*").unwrap().ext_value().unwrap();
    let title = ext("<>;title*=UTF-8'en-GB'%e2%82%ac!x");
    assert_eq!((title.charset, title.language), ("UTF-8", "en-GB"));
    assert_eq!(title.decode(&mut [0; 5]), Some("\u{20ac}!x"));
    assert_eq!(title.decode(&mut [0; 4]), None);
    let latin = ext("<>;title*=iso-8859-1''%A3");
    assert_eq!(latin.decode(&mut [0; 5]), None);
    assert!(latin.bytes().eq([0xa3]));
    assert_eq!(one("<>;a=UTF-8'x'%2").value("a").unwrap().ext_value(), None);
}

#[test]
fn faults_and_their_places() {
    assert_eq!(fault("x"), (0, LinkFault::Link));
    assert_eq!(fault(",</a>"), (0, LinkFault::Link));
    assert_eq!(fault("</a>, "), (6, LinkFault::Link));
    assert_eq!(fault("</a>,,</b>"), (5, LinkFault::Link));
    assert_eq!(fault("</a"), (3, LinkFault::UnterminatedTarget));
    assert_eq!(fault("</a b>"), (3, LinkFault::TargetCharacter));
    assert_eq!(fault("</a<b>"), (3, LinkFault::TargetCharacter));
    assert_eq!(fault("</a\u{7f}>"), (3, LinkFault::TargetCharacter));
    assert_eq!(fault("</a>x"), (4, LinkFault::Separator));
    assert_eq!(fault("</a></b>"), (4, LinkFault::Separator));
    assert_eq!(fault("</a>;rt=\"x\"y"), (11, LinkFault::Separator));
    assert_eq!(fault("</a>;"), (5, LinkFault::Name));
    assert_eq!(fault("</a>;;b"), (5, LinkFault::Name));
    assert_eq!(fault("</a>;=b"), (5, LinkFault::Name));
    assert_eq!(fault("</a>;*=b"), (5, LinkFault::Name));
    assert_eq!(fault("</a>;rt ="), (8, LinkFault::Separator));
    assert_eq!(fault("</a>;rt="), (8, LinkFault::Value));
    assert_eq!(fault("</a>;rt=,</b>"), (8, LinkFault::Value));
    assert_eq!(fault("</a>;rt= x"), (8, LinkFault::Value));
    assert_eq!(fault("</a>;rt=\u{e9}"), (8, LinkFault::Value));
    assert_eq!(fault("</a>;rt=\"x"), (10, LinkFault::UnterminatedString));
    assert_eq!(fault("</a>;rt=\"x\\\""), (12, LinkFault::UnterminatedString));
    assert_eq!(fault("</a>;rt=\"x\\"), (11, LinkFault::UnterminatedString));
    assert_eq!(fault("</a>;rt=\"x\n\""), (10, LinkFault::ControlCharacter));
    for value in [
        "",
        "=",
        "=x",
        "=\"UTF-8''x\"",
        "=UTF-8'x",
        "=''x",
        "=UTF-8''%2",
        "=UTF-8''%zz",
        "=UTF-8'_'x",
        "=UTF-8''/",
    ] {
        let offset = 11 + usize::from(value.starts_with('='));
        assert_eq!(fault(&format!("</a>;title*{value}")), (offset, LinkFault::ExtValue), "{value}");
    }
    let error = links("</a>;").next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "at byte 5: after `;` comes the name of an attribute");
}

#[test]
fn links_before_a_fault_are_given() {
    let mut links = links("</a>,</b>;rt=x,c");
    assert_eq!(links.next().unwrap().unwrap().target, "/a");
    assert_eq!(links.next().unwrap().unwrap().target, "/b");
    assert_eq!(links.next().unwrap(), Err(InvalidLinkFormat { offset: 15, fault: LinkFault::Link }));
    assert!(links.next().is_none());
}

const SERVER: &str = "</link1>;rt=\"Type1 Type2\";if=\"If1\";sz=100,</link2>;rt=\"Type2 Type3\";if=\"If2\";ct=\"0 50\",\
    </link3>;rt=\"Type1 Type3\";if=\"foo\";sz=12;obs,</test>;rt=\"\",</a%20b>;title=\"A b\";anchor=\"/x%C3%A9\",</n>;ct=5;rel=self";

fn found(query: &str) -> Vec<&'static str> {
    let filter = Filter::parse(query).unwrap();
    links(SERVER).map(Result::unwrap).filter(|link| filter.matches(link)).map(|link| link.target).collect()
}

/// `TD_COAP_LINK_02` to 08 of the plugtests, RFC 6690 §4.1.
#[test]
fn filters_of_the_plugtests() {
    assert_eq!(found("rt=Type1"), ["/link1", "/link3"]);
    assert_eq!(found("rt=*"), ["/link1", "/link2", "/link3", "/test"]);
    assert_eq!(found("rt=Type2"), ["/link1", "/link2"]);
    assert_eq!(found("if=If*"), ["/link1", "/link2"]);
    assert_eq!(found("sz=*"), ["/link1", "/link3"]);
    assert_eq!(found("sz=1*"), ["/link1", "/link3"]);
    assert_eq!(found("sz=12"), ["/link3"]);
    assert_eq!(found("href=/link1"), ["/link1"]);
    assert_eq!(found("href=/link*"), ["/link1", "/link2", "/link3"]);
    assert_eq!(found("href=*").len(), 6);
}

#[test]
fn filters_compare_whole_values_or_words() {
    let none: [&str; 0] = [];
    assert_eq!(found("rt=Type"), none);
    assert_eq!(found("rt=type1"), none, "values are compared with their case");
    assert_eq!(found("RT=Type1"), ["/link1", "/link3"]);
    assert_eq!(found("rt=Type1 Type2"), ["/link1"]);
    assert_eq!(found("rt="), ["/test"]);
    assert_eq!(found("ct=50"), ["/link2"]);
    assert_eq!(found("ct=5"), ["/n"]);
    assert_eq!(found("ct=5*"), ["/link2", "/n"]);
    assert_eq!(found("rel=self"), ["/n"]);
    assert_eq!(found("title=b"), none, "a title is not a list");
    assert_eq!(found("title=A*"), ["/a%20b"]);
    assert_eq!(found("href=/a b"), ["/a%20b"], "Uri-Query has no percent-encodings left");
    assert_eq!(found("anchor=/x\u{e9}"), ["/a%20b"]);
    assert_eq!(found("obs=*"), ["/link3"]);
    assert_eq!(found("obs=1"), none);
    assert_eq!(found("unknown=*"), none);
    for query in ["", "rt", "=x", "/a=b", "r t=b", "*=b"] {
        assert_eq!(Filter::parse(query), None, "{query}");
    }
    assert_eq!(Filter::parse("rt=a=b*").unwrap().name(), "rt");
}

#[test]
fn the_writer_quotes_what_needs_it() {
    let mut writer = LinkWriter::new(String::new());
    let link = writer.link("/a?b=c&d").unwrap();
    let link = link.attribute("rt", "x").unwrap().attribute("title", "40").unwrap();
    let link = link.attribute("ct", "40").unwrap().attribute("hreflang", "en").unwrap();
    let link = link.attribute("x", "a\"\\\n\u{e9}").unwrap().attribute("y", "").unwrap();
    link.extended("title", "de", "Sch\u{f6}n, ja")
        .unwrap()
        .number("sz", u64::MAX)
        .unwrap()
        .flag("obs")
        .unwrap();
    writer.copy(&one("</b>;rt=as;Is=\"\\x\"")).unwrap();
    writer.link("").unwrap();
    assert_eq!(
        writer.into_inner(),
        "</a?b=c&d>;rt=\"x\";title=\"40\";ct=40;hreflang=en;x=\"a\\\"\\\\\\\n\u{e9}\";y=\"\"\
         ;title*=UTF-8'de'Sch%C3%B6n%2C%20ja;sz=18446744073709551615;obs,</b>;rt=as;Is=\"\\x\",<>"
    );
}

struct Full;
impl std::fmt::Write for Full {
    fn write_str(&mut self, _: &str) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

#[test]
fn the_writer_refuses_what_could_not_be_read() {
    let write = |target: &str, name: &str| write_link(&mut String::new(), target, [(name, Some("x"))]);
    assert_eq!(write("/a", "b"), Ok(()));
    for target in ["a>b", "a b", "<", "\"", "\n"] {
        assert_eq!(write(target, "b"), Err(WriteError::Target));
    }
    for name in ["", "a b", "a*", "a=", "\u{e9}", ";"] {
        assert_eq!(write("/a", name), Err(WriteError::Name), "{name}");
    }
    let mut writer = LinkWriter::new(String::new());
    let link = writer.link("/a").unwrap();
    assert_eq!(link.extended("title", "d'e", "x").unwrap_err(), WriteError::Language);
    let error = write_link(&mut Full, "/a", [("b", None)]);
    assert_eq!(error, Err(WriteError::Write(std::fmt::Error)));
}

#[test]
fn reading_filtering_and_writing_allocate_nothing() {
    let mut out = String::with_capacity(2 * SERVER.len());
    let count = allocation_counter::measure(|| {
        let filter = Filter::parse("rt=Type*").unwrap();
        let mut writer = LinkWriter::new(&mut out);
        for link in links(SERVER).map(Result::unwrap).filter(|link| filter.matches(link)) {
            let size = link.size().unwrap_or_default();
            writer.copy(&link).unwrap();
            writer.link(link.target).unwrap().attribute("rt", "a \"b\"").unwrap().number("sz", size).unwrap();
            std::hint::black_box((link.resource_types().count(), link.content_formats().count()));
        }
        assert!(links("</a>;rt=\"").next().unwrap().is_err());
    });
    assert_eq!(count.count_total, 0);
    assert_eq!(links(&out).count(), 6);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z!#$&+.^_`|~-]{1,6}",
        prop::sample::select(vec!["zz", "hreflang"]).prop_map(str::to_string)
    ]
    .prop_filter("names that count once", |name| {
        !["rt", "if", "sz", "ct", "rel", "anchor", "title", "type", "media", "obs"].contains(&name.as_str())
    })
}

fn document() -> impl Strategy<Value = Vec<Owned>> {
    let value = proptest::option::of(prop_oneof![any::<String>(), "[\"\\\\,;<> a-z0-9]{0,8}", "[0-9]{1,4}"]);
    let attributes = prop::collection::vec((name(), value), 0..5);
    prop::collection::vec(("[!#-;=?-\\[\\]_a-z~é]{0,10}", attributes), 0..5)
}

proptest! {
    #[test]
    fn what_is_written_is_read(document in document()) {
        let mut writer = LinkWriter::new(String::new());
        for (target, attributes) in &document {
            let mut link = writer.link(target).unwrap();
            for (name, value) in attributes {
                link = match value {
                    Some(value) => link.attribute(name, value).unwrap(),
                    None => link.flag(name).unwrap(),
                };
            }
        }
        let text = writer.into_inner();
        prop_assert_eq!(all(&text), document);
        let copy = links(&text).map(|link| link.unwrap().to_string()).collect::<Vec<_>>().join(",");
        prop_assert_eq!(copy, text);
    }

    #[test]
    fn extended_values_round_trip(language in "[a-zA-Z0-9-]{0,8}", title in any::<String>()) {
        let mut writer = LinkWriter::new(String::new());
        writer.link("/a").unwrap().extended("title", &language, &title).unwrap();
        let text = writer.into_inner();
        let ext = one(&text).value("title*").unwrap().ext_value().unwrap();
        prop_assert_eq!(ext.language, language);
        let mut buffer = vec![0; title.len()];
        prop_assert_eq!(ext.decode(&mut buffer), Some(title.as_str()));
    }

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![
        ".*",
        "(<[/a-z%é]{0,4}>?(;[a-z*]{0,3}(=(\"[a\\\\ é\"]{0,4}\"?|[a-z'%]{0,6}))?){0,3}[, ]{0,2}){0,4}",
    ], query in "[a-z*]{0,3}=?[a-z/*é]{0,4}") {
        let filter = Filter::parse(&query);
        let mut offsets = Vec::new();
        for link in links(&text) {
            match link {
                Ok(link) => {
                    let _ = (owned(&link), link.size(), link.content_formats().count());
                    let _ = link.attributes().filter_map(|a| a.value).map(|value| value.words().count()).sum::<usize>();
                    let _ = filter.map(|filter| filter.matches(&link));
                    prop_assert!(text.contains(&link.to_string()));
                }
                Err(error) => offsets.push(error.offset),
            }
        }
        prop_assert!(offsets.len() <= 1 && offsets.iter().all(|at| text.is_char_boundary(*at)));
    }

    #[test]
    fn a_filter_on_a_value_finds_it(document in document()) {
        for (target, attributes) in document {
            let written = attributes.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
            let mut text = String::new();
            write_link(&mut text, &target, written).unwrap();
            for (name, value) in &attributes {
                let value = value.as_deref().unwrap_or_default();
                for query in [format!("{name}={value}"), format!("{name}={value}*"), format!("{name}=*")] {
                    let literal_star = value.ends_with('*') && !query.ends_with("**");
                    let matched = Filter::parse(&query).unwrap().matches(&one(&text));
                    prop_assert!(matched || literal_star, "{}", query);
                }
            }
        }
    }

    /// The names that count once and those of lists among them, and twice in a link.
    #[test]
    fn a_link_passes_before_it_is_written_as_it_does_once_read(
        target in "[/a-z%0-9]{0,6}",
        attributes in prop::collection::vec(
            (
                prop::sample::select(vec!["rt", "RT", "if", "ct", "anchor", "title", "x", "obs", "rev"]),
                proptest::option::of(prop_oneof!["[ab ]{0,6}", "[a\"\\\\% 4]{0,4}"]),
            ),
            0..5,
        ),
        name in prop::sample::select(vec!["rt", "Rt", "if", "ct", "anchor", "title", "x", "obs", "rev", "href"]),
        pattern in prop_oneof!["[ab ]{0,3}\\*?", "[a\"\\\\% 4/]{0,4}\\*?"],
    ) {
        let parts = attributes.iter().map(|(name, value)| (*name, value.as_deref()));
        let mut text = String::new();
        write_link(&mut text, &target, parts.clone()).unwrap();
        let query = format!("{name}={pattern}");
        let filter = Filter::parse(&query).unwrap();
        prop_assert_eq!(filter.matches_parts(&target, parts), filter.matches(&one(&text)), "{} {}", query, text);
    }
}
