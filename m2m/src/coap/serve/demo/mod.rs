//! The resources that the ETSI plugtest descriptions (`TD_COAP_…`) and libcoap's example server offer.
//!
//! No I/O and nothing of the host: [`Demo`] is driven by actions of an [`Endpoint`] and by time, so that tests over a
//! simulated network drive the same code (they include this file by its path). What there is stands in [`TABLE`].

mod sensor;
mod table;
mod text;
mod value;
mod waiting;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::time::Duration;

use coap_codec::{Code, ContentFormat, OptionNumber, Options};
use coap_core::{
    Action, Endpoint, IncomingRequest, Preconditions, Refused, RequestId, ResourceId, Response, Trigger,
};
use machine::Instant;

use self::sensor::Sensor;
pub(crate) use self::table::TABLE;
use self::table::{Kind, Row};
use self::value::{Representation, Value, not_found};
pub(crate) use self::waiting::Waiting;

/// How long /separate takes: "a couple of seconds".
const SEPARATE: Duration = Duration::from_secs(2);
/// How long /async takes when nothing else is asked for, and at most.
const ASYNC: u64 = 5;
const LONGEST_ASYNC: u64 = 60;
/// How often the clock has something new for its observers.
const SECOND: Duration = Duration::from_secs(1);
/// Answers that may wait.
const WAITING: usize = 256;
/// Resources under /large-create; the oldest goes first.
const CREATED: usize = 16;

/// The application: one for each [`Endpoint`].
pub(crate) struct Demo {
    rows: BTreeMap<ResourceId, usize>,
    ids: Vec<Option<ResourceId>>,
    states: Vec<State>,
    waiting: Waiting,
    /// Below /large-create.
    created: VecDeque<(u64, Representation)>,
    creations: u64,
}

/// What there is to remember of a row.
enum State {
    Nothing,
    Value(Value),
    Sensor(Sensor),
    Clock(Clock),
}

/// libcoap's /time: the time of day, which a PUT can set and a DELETE can take away.
struct Clock {
    /// What is added to the time, in seconds; `None` when there is no clock.
    ahead: Option<i64>,
    next: Option<Instant>,
}

impl Demo {
    /// Offers the resources, with or without the one at `/`.
    ///
    /// # Errors
    /// When a path is taken or a table is full.
    pub(crate) fn new<P: Copy + Ord + Debug>(
        endpoint: &mut Endpoint<P>,
        with_root: bool,
        now: Instant,
    ) -> Result<Self, Refused> {
        let mut demo = Self {
            rows: BTreeMap::new(),
            ids: Vec::new(),
            states: Vec::new(),
            waiting: Waiting::default(),
            created: VecDeque::new(),
            creations: 0,
        };
        for (index, row) in TABLE.iter().enumerate() {
            demo.states.push(State::new(row, now));
            let wanted = with_root || !row.path.is_empty();
            let id = wanted.then(|| endpoint.add_resource(row.resource())).transpose()?;
            demo.ids.push(id);
            demo.rows.extend(id.map(|id| (id, index)));
        }
        Ok(demo)
    }

    /// Deals with an action if it is about one of these resources; gives it back otherwise.
    pub(crate) fn take<P: Copy + Ord + Debug>(
        &mut self,
        action: Action<P>,
        endpoint: &mut Endpoint<P>,
        now: Instant,
    ) -> Option<Action<P>> {
        match action {
            Action::Request(request) => match self.rows.get(&request.resource) {
                Some(&row) => self.request(row, &request, endpoint, now),
                None => return Some(Action::Request(request)),
            },
            Action::Observers { resource, count } => match self.rows.get(&resource) {
                Some(&row) => self.observed(row, count, now),
                None => return Some(action),
            },
            Action::Cancelled { id } if self.waiting.cancel(id) => {}
            other => return Some(other),
        }
        None
    }

    /// What is due: answers that were to come later, and changes for observers.
    pub(crate) fn tick<P: Copy + Ord + Debug>(&mut self, endpoint: &mut Endpoint<P>, now: Instant) {
        self.waiting.tick(endpoint, now);
        for (state, id) in self.states.iter_mut().zip(&self.ids) {
            if let (true, Some(id)) = (state.is_due(now), id) {
                endpoint.changed(*id, now);
            }
        }
    }

    /// When [`tick`](Self::tick) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let changes = self.states.iter().filter_map(State::next);
        changes.chain(self.waiting.next_deadline()).min()
    }

    fn request<P: Copy + Ord + Debug>(
        &mut self,
        index: usize,
        request: &IncomingRequest<P>,
        endpoint: &mut Endpoint<P>,
        now: Instant,
    ) {
        let (Some(row), Some(state)) = (TABLE.get(index), self.states.get_mut(index)) else { return };
        let asked = Asked {
            method: request.method,
            options: request.options.view(),
            payload: &request.payload,
            notification: request.trigger == Trigger::Change,
        };
        let (response, changed) = match (row.kind, state) {
            (Kind::Separate, _) => return self.later(request.id, SEPARATE, endpoint, now),
            (Kind::Async, _) => return self.later(request.id, seconds(asked.options), endpoint, now),
            (Kind::Text(text), _) => (asked.answer_text(text), None),
            (Kind::Large, _) => (asked.answer_text(text::rows(text::LARGE)), None),
            (Kind::Query, _) => (asked.answer_text(text::query(asked.options)), None),
            (Kind::Formats, _) => (asked.formats(), None),
            (Kind::Links, _) => (asked.answer(&Representation::links(&table::links_below(row.path))), None),
            (Kind::Capitals, _) => {
                (Representation::text(text::capitals(asked.payload)).response(Code::CHANGED), None)
            }
            (Kind::Collection, _) => (self.collection(&asked), None),
            (Kind::Clock, State::Clock(clock)) => clock.answer(&asked, now),
            (Kind::Sensor { confirmable, .. }, State::Sensor(sensor)) => {
                let (response, changed) = sensor.answer(&asked, now);
                let response = if asked.notification { response.reliability(confirmable) } else { response };
                (response, changed)
            }
            (Kind::Test, State::Value(value)) => match asked.method {
                Code::POST => {
                    let location = ["location1", "location2", "location3"];
                    if let Some(State::Value(value)) = self.state_of("location1/location2/location3") {
                        value.set(Representation::of(&asked));
                    }
                    (with_location(OptionNumber::LOCATION_PATH, &location), None)
                }
                _ => value.answer(&asked),
            },
            (Kind::LocationQuery, State::Value(value)) => match asked.method {
                Code::POST => {
                    value.set(Representation::of(&asked));
                    let response = with_location(OptionNumber::LOCATION_QUERY, &["first=1", "second=2"]);
                    (response.with(OptionNumber::LOCATION_PATH, b"location-query"), None)
                }
                _ => value.answer(&asked),
            },
            (Kind::Value { .. }, State::Value(value)) => value.answer(&asked),
            (_, _) => (Response::new(Code::INTERNAL_SERVER_ERROR), None),
        };
        self.waiting.answer(request.id, response, endpoint, now);
        if let (Some(Changed), Some(&Some(id))) = (changed, self.ids.get(index)) {
            endpoint.changed(id, now);
        }
    }

    fn state_of(&mut self, path: &str) -> Option<&mut State> {
        let index = TABLE.iter().position(|row| row.path == path)?;
        self.states.get_mut(index)
    }

    /// An answer after a while.
    fn later<P: Copy + Ord + Debug>(
        &mut self,
        id: RequestId,
        after: Duration,
        endpoint: &mut Endpoint<P>,
        now: Instant,
    ) {
        if self.waiting.len() >= WAITING {
            let busy = Response::new(Code::SERVICE_UNAVAILABLE).with_uint(OptionNumber::MAX_AGE, ASYNC);
            return self.waiting.answer(id, busy, endpoint, now);
        }
        self.waiting.add(id, Representation::text("done").response(Code::CONTENT), now + after);
    }

    fn observed(&mut self, row: usize, count: usize, now: Instant) {
        match self.states.get_mut(row) {
            Some(State::Sensor(sensor)) => sensor.observed(count, now),
            Some(State::Clock(clock)) => {
                clock.next = if count == 0 { None } else { clock.next.or(Some(now + SECOND)) };
            }
            Some(State::Nothing | State::Value(_)) | None => {}
        }
    }

    /// /large-create: POST makes a resource below it, GET lists them; what is below can be read and deleted.
    fn collection(&mut self, asked: &Asked<'_>) -> Response {
        let mut path = asked.options.uri_path().skip(1);
        let Some(name) = path.next().filter(|name| !name.is_empty()) else {
            return match asked.method {
                Code::POST => self.create(Representation::of(asked)),
                Code::GET => {
                    let link = |(number, made): &(u64, Representation)| {
                        format!("</large-create/{number}>;ct={};sz={}", made.format, made.body.len())
                    };
                    let links: Vec<_> = self.created.iter().map(link).collect();
                    asked.answer(&Representation::links(&links.join(",")))
                }
                _ => Response::new(Code::METHOD_NOT_ALLOWED),
            };
        };
        let found = self.created.iter().position(|(number, _)| number.to_string().as_bytes() == name);
        match (asked.method, found.filter(|_| path.next().is_none())) {
            (Code::GET, Some(at)) => {
                self.created.get(at).map_or_else(not_found, |(_, made)| asked.answer(made))
            }
            (Code::GET, None) => not_found(),
            (Code::DELETE, at) => {
                _ = at.and_then(|at| self.created.remove(at));
                Response::new(Code::DELETED)
            }
            _ => Response::new(Code::METHOD_NOT_ALLOWED),
        }
    }

    fn create(&mut self, representation: Representation) -> Response {
        self.creations += 1;
        self.created.truncate(CREATED - 1);
        self.created.push_front((self.creations, representation));
        with_location(OptionNumber::LOCATION_PATH, &["large-create", &self.creations.to_string()])
    }
}

impl State {
    fn new(row: &Row, now: Instant) -> Self {
        match row.kind {
            Kind::Value { initial, .. } => Self::Value(Value::new(initial)),
            Kind::Test => Self::Value(Value::new(Some(table::Initial::Text("What is at /test.")))),
            Kind::LocationQuery => Self::Value(Value::new(None)),
            Kind::Sensor { size, .. } => Self::Sensor(Sensor::new(size, now)),
            Kind::Clock => Self::Clock(Clock { ahead: Some(0), next: None }),
            Kind::Text(_)
            | Kind::Large
            | Kind::Links
            | Kind::Query
            | Kind::Formats
            | Kind::Separate
            | Kind::Async
            | Kind::Capitals
            | Kind::Collection => Self::Nothing,
        }
    }

    fn next(&self) -> Option<Instant> {
        match self {
            Self::Sensor(sensor) => sensor.next(),
            Self::Clock(clock) => clock.next,
            Self::Nothing | Self::Value(_) => None,
        }
    }

    /// Whether it has changed by itself; the next time is set.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.next().is_some_and(|next| next <= now);
        match self {
            Self::Sensor(sensor) if due => sensor.go_on(now),
            Self::Clock(clock) if due => clock.next = Some(now + SECOND),
            _ => {}
        }
        due
    }
}

impl Clock {
    /// PUT with seconds since 1970 sets it, PUT without anything puts it right, DELETE takes it away. `?ticks` is the time as
    /// a number.
    fn answer(&mut self, asked: &Asked<'_>, now: Instant) -> Answer {
        let time = i64::try_from((now - Instant::EPOCH).as_secs()).unwrap_or(i64::MAX);
        match asked.method {
            Code::PUT => {
                let Some(set) = text::number(asked.payload).map(|set| set.saturating_sub(time)) else {
                    let problem = "expected seconds since 1970-01-01, or nothing";
                    return (Response::new(Code::BAD_REQUEST).payload(problem), None);
                };
                let before = self.ahead.replace(if asked.payload.is_empty() { 0 } else { set });
                (Response::new(if before.is_some() { Code::CHANGED } else { Code::CREATED }), Some(Changed))
            }
            Code::DELETE => {
                self.ahead = None;
                (Response::new(Code::DELETED), Some(Changed))
            }
            _ => {
                let Some(ahead) = self.ahead else { return (not_found(), None) };
                let shown = time.saturating_add(ahead);
                let ticks = asked.options.uri_query().any(|argument| argument == b"ticks");
                let text = if ticks { shown.to_string() } else { text::time_of_day(shown) };
                (asked.answer_text(text).with_uint(OptionNumber::MAX_AGE, 1), None)
            }
        }
    }
}

/// What a request asks, without who asks.
struct Asked<'a> {
    method: Code,
    options: Options<'a>,
    payload: &'a [u8],
    notification: bool,
}

/// The response, and whether observers have to know.
type Answer = (Response, Option<Changed>);

struct Changed;

impl Asked<'_> {
    /// 2.05 with this representation, unless another is asked for.
    fn answer(&self, representation: &Representation) -> Response {
        match Preconditions::of(self.options).accepts(representation.format) {
            Ok(()) => representation.response(Code::CONTENT),
            Err(code) => Response::new(code),
        }
    }

    fn answer_text(&self, text: impl Into<String>) -> Response {
        self.answer(&Representation::text(text))
    }

    /// /multi-format: the one that is asked for.
    fn formats(&self) -> Response {
        if self.options.accept() == Some(ContentFormat::XML) {
            return self.answer(&Representation::xml("<text>The same in two formats.</text>"));
        }
        self.answer_text("The same in two formats.")
    }
}

/// 2.01 with where the new resource is.
fn with_location(number: OptionNumber, parts: &[&str]) -> Response {
    parts.iter().fold(Response::new(Code::CREATED), |response, part| response.with(number, part.as_bytes()))
}

/// The delay that a query asks for, as in `/async?10`.
fn seconds(options: Options<'_>) -> Duration {
    let asked = options.uri_query().find_map(|argument| text::number(argument)?.try_into().ok());
    Duration::from_secs(asked.filter(|&asked: &u64| asked > 0).unwrap_or(ASYNC).min(LONGEST_ASYNC))
}
