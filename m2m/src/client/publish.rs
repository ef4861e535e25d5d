//! `m2m pub`.

use core::time::Duration;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use clap::Args;
use mqtt_codec::{QoS, ReasonCode};
use mqtt_core::client::Outcome;
use mqtt_core::{PropertyBuffer, Publication, Refused};

use super::arguments::{ConnectionArguments, qos, seconds, topic_name};
use super::failure::{Failure, equivalent};
use super::progress::{Position, Progress};
use super::session::{Event, Session};
use super::signals;
use super::source::{Payload, Source, read_file, read_stdin};
use crate::report;

/// What `m2m pub` takes.
#[derive(Args, Debug)]
pub(crate) struct PublishArguments {
    /// The topic to publish to.
    #[arg(short, long, value_parser = topic_name, required_unless_present = "url", conflicts_with = "url")]
    topic: Option<String>,
    #[command(flatten)]
    message: MessageArguments,
    /// The QoS: 0, 1 or 2.
    #[arg(short, long, value_parser = qos, default_value = "0")]
    qos: QoS,
    /// Let the broker keep the message for later subscribers.
    #[arg(short, long)]
    retain: bool,
    /// Publish the message so many times.
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "lines")]
    repeat: u64,
    /// Wait so many seconds from the delivery of a message to the next one.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "repeat")]
    repeat_delay: Option<Duration>,
    #[command(flatten)]
    connection: ConnectionArguments,
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

/// Messages besides their payloads that wait in memory.
const MEMORY: usize = 16 << 20;

impl PublishArguments {
    pub(crate) fn is_quiet(&self) -> bool {
        self.connection.quiet
    }

    pub(crate) fn is_debug(&self) -> bool {
        self.connection.debug
    }
}

/// Publishes all there is, and ends when all of it is delivered.
pub(crate) async fn run(arguments: PublishArguments) -> Result<(), Failure> {
    let PublishArguments { topic, message, qos, retain, repeat, repeat_delay, connection } = arguments;
    let mut connection = connection.connection()?;
    let topic = match topic.or_else(|| connection.topic.take()) {
        Some(topic) => {
            topic_name(&topic).map_err(|error| Failure::usage(format_args!("{topic}: {error}")))?
        }
        None => return Err(Failure::usage("the topic is missing: add -t")),
    };
    let properties = core::mem::take(&mut connection.properties.publish);
    let source = message.source(repeat, repeat_delay.unwrap_or_default())?;
    connection.config.max_memory = MEMORY + 2 * source.max_len();
    let progress = Progress::new(source.extent(), connection.quiet);
    let quiet = connection.quiet;
    let publisher = Publisher {
        topic,
        qos,
        retain,
        properties,
        session: Session::new(connection)?,
        source,
        held: None,
        at_end: false,
        tally: Tally { quiet, ..Tally::default() },
        progress,
        position: Position::default(),
    };
    publisher.run().await
}

impl MessageArguments {
    fn source(self, times: u64, delay: Duration) -> Result<Source, Failure> {
        let payload = match self {
            Self { lines: true, .. } => return Source::lines(),
            Self { message: Some(message), .. } => message.into_vec(),
            Self { file: Some(file), .. } => read_file(&file)?,
            Self { stdin: true, .. } => read_stdin()?,
            Self { .. } => Vec::new(),
        };
        Ok(Source::repeated(payload, times, delay))
    }
}

struct Publisher {
    topic: String,
    qos: QoS,
    retain: bool,
    properties: PropertyBuffer,
    session: Session,
    source: Source,
    /// The client has no room for it yet.
    held: Option<Payload>,
    at_end: bool,
    tally: Tally,
    progress: Progress,
    position: Position,
}

impl Publisher {
    async fn run(mut self) -> Result<(), Failure> {
        let mut signals = signals()?;
        let mut leaving = None;
        loop {
            self.publish()?;
            while let Some(event) = self.session.poll()? {
                match event {
                    Event::Completed(outcome) => self.tally.note(&outcome),
                    Event::Ended => {
                        self.progress.finish();
                        return leaving.unwrap_or_else(|| self.tally.result());
                    }
                    Event::Message(_) => {}
                }
            }
            self.show_progress();
            let done = self.at_end && self.session.outstanding() == 0 && self.session.is_flushed();
            if done && leaving.is_none() {
                leaving = Some(self.tally.result());
                self.session.disconnect();
                continue;
            }
            let wants =
                self.held.is_none() && !self.at_end && leaving.is_none() && self.session.was_welcome();
            let (idle, clock) = (self.session.outstanding() == 0, self.session.clock());
            tokio::select! {
                biased;
                () = signals.next() => {
                    if leaving.is_some() {
                        return Err(Failure::Interrupted);
                    }
                    leaving = Some(Err(Failure::Interrupted));
                    self.session.disconnect();
                }
                payload = self.source.next(idle, clock), if wants => {
                    self.held = payload?;
                    self.at_end = self.held.is_none();
                }
                () = self.session.wait() => {}
            }
        }
    }

    /// Hands the held payload to the client, if that has room for it.
    fn publish(&mut self) -> Result<(), Failure> {
        let Some(payload) = &self.held else { return Ok(()) };
        let publication = Publication {
            topic: &self.topic,
            qos: self.qos,
            retain: self.retain,
            properties: self.properties.get(),
            payload,
        };
        match self.session.ask(|client, now| client.publish(&publication, now)) {
            Ok(()) => {
                self.position.read += payload.len() as u64 + 1;
                self.held = None;
                Ok(())
            }
            Err(Refused::Full) if self.session.outstanding() > 0 => Ok(()),
            Err(refused) => Err(Failure::Other(format!("cannot publish to {}: {refused}", self.topic))),
        }
    }

    fn show_progress(&mut self) {
        self.position.sent = self.session.sent();
        self.position.delivered = self.tally.all;
        self.progress.show(self.position);
    }
}

/// What became of the messages.
#[derive(Default)]
struct Tally {
    quiet: bool,
    all: u64,
    refused: u64,
    first: Option<ReasonCode>,
}

impl Tally {
    fn note(&mut self, outcome: &Outcome) {
        self.all += 1;
        let reason = match outcome {
            Outcome::Published(reason) => *reason,
            Outcome::Dropped(reason) => equivalent(*reason),
            Outcome::Subscribed(_) | Outcome::Unsubscribed(_) => ReasonCode::SUCCESS,
        };
        if reason.is_error() {
            self.refused += 1;
            if self.first.is_none() && !self.quiet {
                report(&format_args!("message {}: {reason}; going on with the others", self.all));
            }
            self.first.get_or_insert(reason);
        }
    }

    fn result(&self) -> Result<(), Failure> {
        let (refused, all) = (self.refused, self.all);
        self.first.map_or(Ok(()), |reason| Err(Failure::Messages { refused, all, reason }))
    }
}
