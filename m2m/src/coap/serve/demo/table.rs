//! What the demo offers: one row for each resource.

use coap_codec::{Code, ContentFormat};
use coap_core::{Reliability, Resource};

/// A resource.
pub(crate) struct Row {
    /// Without a slash in front.
    pub(crate) path: &'static str,
    pub(super) kind: Kind,
    title: &'static str,
    /// Link attributes besides `title`, `ct`, `sz` and `obs`.
    attributes: &'static [(&'static str, &'static str)],
}

/// How a resource behaves.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// GET: always this.
    Text(&'static str),
    /// GET: a text of several blocks.
    Large,
    /// GET: links to the resources below.
    Links,
    /// GET: the query, one argument a line.
    Query,
    /// GET: text or XML, as Accept says.
    Formats,
    /// GET: the answer comes so late that it is a separate one.
    Separate,
    /// GET: as late as the query says.
    Async,
    /// POST: what was sent, in capitals, over and over for three blocks at least.
    Capitals,
    /// POST makes a resource below.
    Collection,
    /// GET, PUT: keeps what it is given, with DELETE if so said: then it is again as in the beginning.
    Value { initial: Option<Initial>, delete: bool, observable: bool },
    /// A value; POST makes /location1/location2/location3.
    Test,
    /// A value that POST makes, at a location with a query.
    LocationQuery,
    /// GET, PUT, DELETE: changes every five seconds.
    Sensor { size: Size, confirmable: Reliability },
    /// The time of day.
    Clock,
}

/// What a value is in the beginning.
#[derive(Clone, Copy)]
pub(super) enum Initial {
    Text(&'static str),
    Large,
}

/// How large the representations of a sensor are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Large,
    /// Small and large in turn.
    Pumping,
}

/// Several blocks of 100 letters and digits, as libcoap's.
const EXAMPLE: &str =
    "a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789i123456789j123456789";
const ABOUT: &str = "m2m: test resources of the ETSI plugtests and of libcoap's example server. \
                     /.well-known/core lists them.\n";
const CON: Reliability = Reliability::Confirmable;
const NON: Reliability = Reliability::NonConfirmable;
const CREATED: Kind = Kind::Value { initial: None, delete: true, observable: false };

const fn text(text: &'static str) -> Kind {
    Kind::Text(text)
}

const fn value(initial: Initial) -> Kind {
    Kind::Value { initial: Some(initial), delete: true, observable: false }
}

const fn row(
    path: &'static str,
    kind: Kind,
    title: &'static str,
    attributes: &'static [(&'static str, &'static str)],
) -> Row {
    Row { path, kind, title, attributes }
}

/// Everything, as `/.well-known/core` has it.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row("", text(ABOUT), "General Info", &[]),
    // TD_COAP_CORE
    row("test", Kind::Test, "GET, PUT, POST, DELETE", &[("rt", "test")]),
    row("location1/location2/location3", CREATED, "What a POST to /test creates", &[]),
    row("seg1", text("/seg1"), "One Uri-Path option", &[]),
    row("seg1/seg2", text("/seg1/seg2"), "Two Uri-Path options", &[]),
    row("seg1/seg2/seg3", text("/seg1/seg2/seg3"), "Three Uri-Path options", &[]),
    row("query", Kind::Query, "Answers with the query", &[]),
    row("separate", Kind::Separate, "Answers after two seconds", &[]),
    row("location-query", Kind::LocationQuery, "POST answers with Location-Query", &[]),
    row("multi-format", Kind::Formats, "Text and XML", &[]),
    row("validate", value(Initial::Text("What is at /validate.")), "ETag and If-Match", &[]),
    row("create1", CREATED, "If-None-Match", &[]),
    row("create2", CREATED, "If-None-Match", &[]),
    row("create3", CREATED, "If-None-Match", &[]),
    // TD_COAP_LINK
    row("link1", text("/link1"), "First of three links", &[("rt", "Type1 Type2"), ("if", "If1")]),
    row("link2", text("/link2"), "Second of three links", &[("rt", "Type2 Type3"), ("if", "If2")]),
    row("link3", text("/link3"), "Third of three links", &[("rt", "Type1 Type3"), ("if", "foo")]),
    row("path", Kind::Links, "Links to what is below", &[]),
    row("path/sub1", text("/path/sub1"), "", &[]),
    row("path/sub2", text("/path/sub2"), "", &[]),
    row("path/sub3", text("/path/sub3"), "", &[]),
    // TD_COAP_BLOCK
    row("large", Kind::Large, "Several blocks", &[("rt", "block")]),
    row("large-update", value(Initial::Large), "PUT of several blocks", &[("rt", "block")]),
    row("large-create", Kind::Collection, "POST of several blocks creates a resource", &[("rt", "block")]),
    row("large-post", Kind::Capitals, "POST of several blocks is answered with several", &[("rt", "block")]),
    // TD_COAP_OBS
    row("obs", Kind::Sensor { size: Size::Small, confirmable: CON },
        "Changes every five seconds", &[("rt", "observe")]),
    row("obs-non", Kind::Sensor { size: Size::Small, confirmable: NON },
        "Changes every five seconds, notifies in NON", &[("rt", "observe")]),
    row("obs-large", Kind::Sensor { size: Size::Large, confirmable: CON },
        "Changes every five seconds, several blocks", &[("rt", "observe")]),
    row("obs-pumping", Kind::Sensor { size: Size::Pumping, confirmable: CON },
        "Changes every five seconds, small and large in turn", &[("rt", "observe")]),
    row("obs-pumping-non", Kind::Sensor { size: Size::Pumping, confirmable: NON },
        "Changes every five seconds, small and large in turn, notifies in NON", &[("rt", "observe")]),
    // libcoap's example server
    row("time", Kind::Clock, "Internal Clock", &[("rt", "ticks"), ("if", "clock")]),
    row("async", Kind::Async, "Answers after as many seconds as the query says", &[]),
    row("example_data", Kind::Value { initial: Some(Initial::Text(EXAMPLE)), delete: false, observable: true },
        "Example Data", &[]),
];

impl Row {
    /// What the endpoint has to know of it.
    pub(super) fn resource(&self) -> Resource {
        let mut resource = Resource::new(self.path).methods(self.methods());
        if let Kind::Collection = self.kind {
            resource = resource.subtree();
        }
        if !self.title.is_empty() {
            resource = resource.title(self.title);
        }
        for (name, value) in self.attributes {
            resource = resource.attribute(name, Some(value));
        }
        for format in self.formats() {
            resource = resource.content_format(*format);
        }
        if let Kind::Large = self.kind {
            resource = resource.max_size(super::text::LARGE_SIZE as u64);
        }
        if self.is_observable() { resource.observable() } else { resource }
    }

    fn methods(&self) -> &'static [Code] {
        match self.kind {
            Kind::Text(_)
            | Kind::Large
            | Kind::Links
            | Kind::Query
            | Kind::Formats
            | Kind::Separate
            | Kind::Async => &[Code::GET],
            Kind::Capitals => &[Code::POST],
            Kind::Collection => &[Code::GET, Code::POST, Code::DELETE],
            Kind::Value { delete: false, .. } => &[Code::GET, Code::PUT],
            Kind::Value { delete: true, .. } | Kind::Sensor { .. } | Kind::Clock => {
                &[Code::GET, Code::PUT, Code::DELETE]
            }
            Kind::Test | Kind::LocationQuery => &[Code::GET, Code::PUT, Code::POST, Code::DELETE],
        }
    }

    /// The Content-Formats, where they are known before a client says what is to be kept.
    fn formats(&self) -> &'static [ContentFormat] {
        match self.kind {
            Kind::Links | Kind::Collection => &[ContentFormat::LINK_FORMAT],
            Kind::Formats => &[ContentFormat::TEXT_PLAIN, ContentFormat::XML],
            Kind::Value { initial: None, .. } | Kind::LocationQuery => &[],
            _ => &[ContentFormat::TEXT_PLAIN],
        }
    }

    fn is_observable(&self) -> bool {
        matches!(self.kind, Kind::Sensor { .. } | Kind::Clock | Kind::Value { observable: true, .. })
    }
}

/// The rows below a path, in link format.
pub(super) fn links_below(path: &str) -> String {
    let below = |row: &&Row| row.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    let links: Vec<_> = TABLE
        .iter()
        .filter(below)
        .map(|row| format!("</{}>;ct={}", row.path, ContentFormat::TEXT_PLAIN.get()))
        .collect();
    links.join(",")
}
