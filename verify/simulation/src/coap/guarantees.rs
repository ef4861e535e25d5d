//! What may be expected, held against what the applications did and saw.

use std::collections::BTreeMap;

use coap_codec::Code;
use coap_core::{Counters, Failure, Limits, Trigger};

use super::body::{Content, Tag};
use super::ledger::{Asked, End, Handled, Ledger, Seen, State};
use super::scenario::{Ask, Path, Scenario, Target};

/// Holds a run against the guarantees for requests and for what was seen of resources.
pub(crate) fn check(ledger: &Ledger, scenario: &Scenario, counters: &[Counters]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut by_request: BTreeMap<usize, Vec<&Handled>> = BTreeMap::new();
    for handled in &ledger.handled {
        if let Some(number) = handled.number {
            by_request.entry(number).or_default().push(handled);
        }
    }
    // An endpoint that lacks memory may forget that it has seen what it may well do twice, and count that (RFC 7252 §4.5).
    let forgetful = counters.iter().any(|counters| counters.forgotten_early > 0);
    for (number, asked) in ledger.requests.iter().enumerate() {
        let Some(ask) = asked.ask() else {
            problems.extend(ping(asked).map(|what| format!("ping {number}: {what}")));
            continue;
        };
        let handled = by_request.get(&number).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<String> = Vec::new();
        found.extend(times_handled(asked, ask, handled, forgetful));
        found.extend(asked.seen.iter().filter_map(|seen| content(ledger, asked, ask, seen, number)));
        found.extend(order(asked, ask, scenario));
        found.extend(failure(asked, ledger, forgetful));
        if scenario.fair {
            found.extend(success(asked, ask));
        }
        if ask.to == Target::Group && !forgetful {
            found.extend(members(asked, ledger));
        }
        let name = |what: String| format!("request {number} ({ask:?}) at {:?}: {what}", asked.at);
        problems.extend(found.into_iter().map(name));
    }
    problems
}

/// Every handle has ended exactly once, unless its node crashed. (That none ended twice is seen at once.)
pub(crate) fn check_ends(ledger: &Ledger) -> Vec<String> {
    let requests = ledger.requests.iter().enumerate();
    requests
        .filter(|(_, asked)| asked.is_open())
        .map(|(number, asked)| format!("request {number} has not ended: {asked:?}"))
        .collect()
}

/// Everybody who observes has seen the newest state (RFC 7641 §1.3), at the latest by registering anew.
pub(crate) fn check_observers(ledger: &Ledger, scenario: &Scenario) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, asked) in ledger.requests.iter().enumerate() {
        let (Some(ask), true) = (asked.ask(), asked.is_open()) else { continue };
        let Target::Node(node) = ask.to else { continue };
        if !scenario.nodes[asked.node].config.reregister {
            continue;
        }
        // Who has no room for bodies, or for one more request, may not get one across.
        let cramped = [node, asked.node]
            .iter()
            .any(|node| scenario.nodes[*node].config.limits.bodies < Limits::default().bodies);
        let in_vain = asked.seen.last().is_some_and(|seen| !seen.code.is_success());
        if cramped && (in_vain || ask.path == Path::Page) {
            continue;
        }
        let newest = ledger.states.get(&(node, ask.path.index())).and_then(|states| states.last());
        let seen = asked.seen.last().and_then(version);
        if newest.map(State::name) != seen {
            problems.push(format!("request {number} ({ask:?}) observes {newest:?}, and has seen {seen:?}"));
        }
    }
    problems
}

/// RFC 7252 §4.5: a message is processed once. What changes anything is done once for a request: a node that crashed may do it
/// again. What succeeded was done.
fn times_handled(asked: &Asked, ask: &Ask, handled: &[&Handled], forgetful: bool) -> Option<String> {
    let mut lives: BTreeMap<(usize, u32), usize> = BTreeMap::new();
    for handled in handled.iter().filter(|handled| handled.trigger != Trigger::Change) {
        *lives.entry((handled.node, handled.life)).or_default() += 1;
    }
    let repeatable = ask.anonymous || ask.method != Code::POST && forgetful;
    let safe = matches!(ask.method, Code::GET | Code::FETCH);
    let allowed = if safe { asked.messages.len() } else { 1 };
    if let Some((who, times)) = lives.iter().find(|(_, times)| **times > allowed && !repeatable) {
        return Some(format!("was handled {times} times by {who:?}, and {allowed} messages were sent"));
    }
    let succeeded = asked.seen.iter().any(|seen| seen.code.is_success());
    (succeeded && lives.is_empty() && !ask.anonymous)
        .then(|| "succeeded, and nobody has handled it".to_owned())
}

/// What came is whole, answers this request, and was so at some time between the request and the response.
fn content(ledger: &Ledger, asked: &Asked, ask: &Ask, seen: &Seen, number: usize) -> Option<String> {
    if matches!(ask.to, Target::Node(node) if node != seen.from) {
        return Some(format!("is answered by {}", seen.from));
    }
    let mut states = ledger.states_within(seen.from, ask.path.index(), asked.at, seen.at);
    let right = match (ask.method, seen.code, &seen.content) {
        (_, code, Content::Whole(..)) if !code.is_success() => false,
        (_, code, _) if !code.is_success() => true,
        (Code::GET | Code::FETCH, code, Content::Whole(Tag::State { node, resource, .. }, _)) => {
            let expected = code == Code::CONTENT || code == Code::VALID && ask.validate;
            let here = *node == seen.from && *resource == ask.path.index();
            expected && here && states.any(|state| state.exists && Some(state.name()) == version(seen))
        }
        (Code::POST, Code::CHANGED, Content::Whole(Tag::Answer(answered), len)) => {
            *answered == number && *len >= ask.answer
        }
        (Code::PUT, Code::CHANGED | Code::CREATED, Content::Empty)
        | (Code::DELETE, Code::DELETED, Content::Empty) => true,
        _ => false,
    };
    (!right).then(|| format!("got {seen:?}"))
}

/// A state that is older than one already reported is not reported (RFC 7641 §3.4). There is no telling where the numbers do not
/// tell: in the answer to a registration anew, of a server that may have lost count; between two lives of the server; and after a
/// body in blocks, which may be newer than the notification that it belongs to, as it was fetched later.
fn order(asked: &Asked, ask: &Ask, scenario: &Scenario) -> Option<String> {
    let block = smallest_block(asked, ask, scenario);
    let mut newest: Option<(u32, u32)> = None;
    let mut last = asked.at;
    let mut in_blocks = false;
    for seen in asked.seen.iter().filter(|_| ask.observe) {
        let Some(version) = version(seen) else { continue };
        let may_answer = ask.anonymous || asked.registered.iter().any(|at| *at > last && *at <= seen.at);
        let comparable = !may_answer && !in_blocks && newest.is_some_and(|(life, _)| life == version.0);
        if newest > Some(version) && comparable {
            return Some(format!("has seen {newest:?}, and then {seen:?}"));
        }
        newest = Some(version);
        last = seen.at;
        // A page may have shrunk meanwhile.
        in_blocks = ask.path == Path::Page || matches!(seen.content, Content::Whole(_, len) if len > block);
    }
    None
}

/// Bytes above which a response may have come in blocks.
fn smallest_block(asked: &Asked, ask: &Ask, scenario: &Scenario) -> usize {
    let Target::Node(server) = ask.to else { return 0 };
    let configured = [server, asked.node].map(|node| scenario.nodes[node].config.block_size_exponent);
    // To a peer of unknown address they are as small as that, at times.
    let exponents = configured.into_iter().chain(ask.exponent).chain([2]);
    16 << exponents.min().unwrap_or(0)
}

/// Each failure has its cause.
fn failure(asked: &Asked, ledger: &Ledger, forgetful: bool) -> Option<String> {
    let (_, End::Failed(failure)) = asked.end? else { return None };
    let group = asked.ask().is_some_and(|ask| ask.to == Target::Group);
    let explained = match failure {
        Failure::Cancelled => asked.cancelled,
        Failure::GroupClosed => group,
        Failure::Unreachable => ledger.unreachable > 0,
        // Who takes a repetition for a new block answers what nobody asked.
        Failure::BlockMismatch => forgetful,
        Failure::NotAcknowledged
        | Failure::NoResponse
        | Failure::Reset
        | Failure::Changing
        | Failure::BodyTooLarge
        | Failure::Refused(_) => true,
        _ => false,
    };
    (!explained).then(|| format!("failed: {failure:?}"))
}

/// Where nothing goes wrong, everything succeeds.
fn success(asked: &Asked, ask: &Ask) -> Option<String> {
    let gone = |seen: &Seen| seen.code == Code::NOT_FOUND;
    let fine = match (ask.to, asked.end) {
        (Target::Group, Some((_, end))) => end == End::Failed(Failure::GroupClosed),
        (_, Some((_, End::Failed(_)))) => false,
        (_, _) => asked.seen.iter().all(|seen| seen.code.is_success() || gone(seen)),
    };
    (!fine).then(|| format!("did not succeed: {:?} {:?}", asked.end, asked.seen))
}

/// Each member of a group answers once in each of its lives.
fn members(asked: &Asked, ledger: &Ledger) -> Option<String> {
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for seen in &asked.seen {
        *times.entry(seen.from).or_default() += 1;
    }
    let lives = |member: usize| {
        1 + ledger.restarts.iter().filter(|(node, at)| *node == member && *at >= asked.at).count()
    };
    let twice = times.into_iter().find(|(member, times)| *times > lives(*member));
    twice.map(|(member, times)| format!("was answered {times} times by {member}"))
}

fn ping(asked: &Asked) -> Option<String> {
    (!asked.seen.is_empty()).then(|| format!("got {:?}", asked.seen))
}

/// The state that a response shows.
fn version(seen: &Seen) -> Option<(u32, u32)> {
    match seen.content {
        Content::Whole(Tag::State { life, version, .. }, _) => Some((life, version)),
        _ => None,
    }
}
