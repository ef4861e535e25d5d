//! `m2m sn pub`.

use core::net::SocketAddr;
use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use mqttsn_codec::{MinusOneTopic, QoS, TopicId};
use mqttsn_core::client::{Outcome, Publication, Refused};

use super::arguments::{ConnectionArguments, Topic, octets, topic_id};
use super::failure::{Failure, doubt, why};
use super::session::{Event, Session};
use super::signals;
use crate::client::source::{Payload, Source, read_file, read_stdin};
use crate::report;

/// What `m2m sn pub` takes.
#[derive(Args, Debug)]
pub(crate) struct PublishArguments {
    #[command(flatten)]
    topic: TopicArguments,
    #[command(flatten)]
    message: MessageArguments,
    /// The QoS: 0, 1 or 2; -1 sends without a connection, and without knowing whether it arrives.
    #[arg(short, long, value_name = "-1|0|1|2", value_parser = level, default_value = "0", allow_hyphen_values = true)]
    qos: Level,
    /// Let the broker keep the message for later subscribers.
    #[arg(short, long)]
    retain: bool,
    /// Go to sleep for so many seconds at the end, instead of taking leave.
    #[arg(short = 'e', long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    sleep: u16,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What to publish to.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct TopicArguments {
    /// The topic; one of two octets is sent as it is, without registration.
    #[arg(short, long)]
    topic: Option<String>,
    /// A predefined topic id.
    #[arg(short = 'T', long, value_name = "ID", value_parser = topic_id)]
    topic_id: Option<TopicId>,
}

/// What to publish.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct MessageArguments {
    /// Publish this message.
    #[arg(short, long)]
    message: Option<OsString>,
    /// Publish the contents of a file as one message.
    #[arg(short, long)]
    file: Option<PathBuf>,
    /// Publish each line of standard input.
    #[arg(short, long = "stdin-line")]
    lines: bool,
    /// Publish an empty message; with -r this removes the topic's retained one.
    #[arg(short, long = "null-message")]
    null: bool,
    /// Publish standard input as one message.
    #[arg(short, long = "stdin-file")]
    stdin: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    MinusOne,
    Connected(QoS),
}

impl PublishArguments {
    pub(super) fn debug(&self) -> u8 {
        self.connection.debug
    }
}

/// Publishes all there is, and ends when all of it is delivered.
pub(super) async fn run(arguments: PublishArguments) -> Result<(), Failure> {
    let PublishArguments { topic, message, qos, retain, sleep, connection } = arguments;
    let topic = match (topic.topic, topic.topic_id) {
        (_, Some(id)) => Topic::Predefined(id),
        (name, None) => Topic::named(&name.unwrap_or_default()),
    };
    let mut connection = connection.connection(true)?;
    let source = message.source()?;
    connection.config.max_queued_octets =
        connection.config.max_queued_octets.max(2 * connection.config.max_message_size);
    let gateway = connection.config.gateways.first().copied();
    let session = Session::open(connection)?;
    match qos {
        Level::MinusOne => send(session, source, &topic, retain, gateway).await,
        Level::Connected(qos) => {
            let tally = Tally::default();
            let publisher =
                Publisher { session, source, topic, qos, retain, sleep, held: None, at_end: false, tally };
            publisher.run().await
        }
    }
}

/// QoS -1: no connection, no answer.
async fn send(
    mut session: Session,
    mut source: Source,
    topic: &Topic,
    retain: bool,
    gateway: Option<SocketAddr>,
) -> Result<(), Failure> {
    let Some(to) = gateway else {
        return Err(Failure::usage("QoS -1 needs the address of a gateway: -h, not --multicast"));
    };
    let to_send = match topic {
        Topic::Predefined(id) => MinusOneTopic::Predefined(*id),
        Topic::Short(name) => MinusOneTopic::Short(*name),
        Topic::Name(_) => {
            return Err(Failure::usage("QoS -1 goes to a predefined topic id (-T) or a topic of two octets"));
        }
    };
    let clock = session.clock();
    while let Some(payload) = source.next(true, clock).await.map_err(unreadable)? {
        let sent = session.ask(|client, _| client.publish_minus_one(to, to_send, retain, &payload));
        sent.map_err(|refused| Failure::refused(format_args!("cannot publish to {topic}"), refused))?;
        session.act().await?;
    }
    Ok(())
}

impl MessageArguments {
    fn source(self) -> Result<Source, Failure> {
        let payload = match self {
            Self { lines: true, .. } => return Source::lines().map_err(unreadable),
            Self { message: Some(message), .. } => octets(message),
            Self { file: Some(file), .. } => read_file(&file).map_err(unreadable)?,
            Self { stdin: true, .. } => read_stdin().map_err(unreadable)?,
            Self { .. } => Vec::new(),
        };
        Ok(Source::repeated(payload, 1, Duration::ZERO))
    }
}

struct Publisher {
    session: Session,
    source: Source,
    topic: Topic,
    qos: QoS,
    retain: bool,
    sleep: u16,
    /// The client has no room for it yet.
    held: Option<Payload>,
    at_end: bool,
    tally: Tally,
}

impl Publisher {
    async fn run(mut self) -> Result<(), Failure> {
        let mut signals = signals()?;
        let mut leaving = None;
        self.session.connect()?;
        loop {
            self.publish()?;
            if self.at_end && self.tally.outstanding == 0 && leaving.is_none() {
                leaving = Some(self.tally.result());
                self.leave();
            }
            let wants =
                self.held.is_none() && !self.at_end && leaving.is_none() && self.session.was_welcome();
            let (idle, clock) = (self.tally.outstanding == 0, self.session.clock());
            let event = tokio::select! {
                biased;
                () = signals.next() => {
                    if leaving.is_some() {
                        return Err(Failure::Interrupted);
                    }
                    leaving = Some(Err(Failure::Interrupted));
                    self.session.disconnect();
                    continue;
                }
                payload = self.source.next(idle, clock), if wants => {
                    self.held = payload.map_err(unreadable)?;
                    self.at_end = self.held.is_none();
                    continue;
                }
                event = self.session.next() => event?,
            };
            match event {
                Event::Completed(_, outcome) => self.tally.note(outcome),
                Event::Ended | Event::Asleep => return leaving.unwrap_or_else(|| self.tally.result()),
                Event::Connected | Event::Message(_) | Event::Awake => {}
            }
        }
    }

    fn leave(&mut self) {
        let seconds = self.sleep;
        let slept = seconds > 0 && self.session.ask(|client, now| client.sleep(seconds, now)).is_ok();
        if !slept {
            self.session.disconnect();
        }
    }

    /// Hands the held payload to the client, if that has room for it.
    fn publish(&mut self) -> Result<(), Failure> {
        let Some(payload) = &self.held else { return Ok(()) };
        let publication =
            Publication { topic: self.topic.publish(), qos: self.qos, retain: self.retain, data: payload };
        match self.session.ask(|client, now| client.publish(&publication, now)) {
            Ok(_) => {
                self.tally.outstanding += 1;
                self.held = None;
                Ok(())
            }
            Err(Refused::Full) if self.tally.outstanding > 0 => Ok(()),
            Err(refused) => Err(Failure::refused(format_args!("cannot publish to {}", self.topic), refused)),
        }
    }
}

/// What became of the messages.
#[derive(Default)]
struct Tally {
    outstanding: u64,
    all: u64,
    refused: u64,
    first: Option<Outcome>,
}

impl Tally {
    fn note(&mut self, outcome: Outcome) {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.all += 1;
        if outcome == Outcome::Published {
            return;
        }
        self.refused += 1;
        if self.first.is_none() && self.outstanding > 0 {
            let (why, doubt) = (why(outcome), doubt(outcome));
            report(&format_args!("message {}: {why}{doubt}; going on with the others", self.all));
        }
        self.first.get_or_insert(outcome);
    }

    fn result(&self) -> Result<(), Failure> {
        let (refused, all) = (self.refused, self.all);
        self.first.map_or(Ok(()), |first| Err(Failure::Messages { refused, all, first }))
    }
}

/// For clap: a QoS, -1 included.
fn level(text: &str) -> Result<Level, &'static str> {
    match text {
        "-1" => Ok(Level::MinusOne),
        _ => text.parse().ok().and_then(QoS::new).map(Level::Connected).ok_or("expected -1, 0, 1 or 2"),
    }
}

fn unreadable(failure: impl core::fmt::Display) -> Failure {
    Failure::Other(failure.to_string())
}
