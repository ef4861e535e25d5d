//! `m2m sub`.

use core::time::Duration;

use clap::Args;
use mqtt_codec::{QoS, RetainHandling, SubscriptionOptions};
use topic_match::{Subscription, TopicFilter};

use super::arguments::{Connection, ConnectionArguments, qos, random, seconds};
use super::failure::Failure;
use super::format::Format;
use super::output::{Printer, Style};
use super::session::Session;
use super::statistics::Statistics;
use super::subscriber::{Selection, Subscriber};

/// What `m2m sub` takes.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people know")]
pub(crate) struct SubscribeArguments {
    /// A topic filter to subscribe to; may be given several times.
    #[arg(short, long = "topic", value_name = "FILTER", value_parser = filter)]
    topics: Vec<String>,
    /// A topic filter to unsubscribe from; may be given several times.
    #[arg(short = 'U', long, value_name = "FILTER", value_parser = filter)]
    unsubscribe: Vec<String>,
    /// Print no messages whose topic matches; may be given several times.
    #[arg(short = 'T', long, value_name = "FILTER", value_parser = plain_filter)]
    filter_out: Vec<String>,
    /// The highest QoS: 0, 1 or 2.
    #[arg(short, long, value_parser = qos, default_value = "0")]
    qos: QoS,
    /// End after so many messages.
    #[arg(short = 'C', long, value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so many seconds, with exit code 27.
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// End when all subscriptions are acknowledged.
    #[arg(short = 'E', long)]
    exit_after_subscribing: bool,
    /// How to print a message: %t topic, %p payload, %x hexadecimal, %j JSON, %I time, and what `mosquitto_sub` has besides.
    #[arg(short = 'F', long)]
    format: Option<Format>,
    /// Print the topic before the payload.
    #[arg(short, long)]
    verbose: bool,
    /// Print no end of line after a message.
    #[arg(short = 'N', long)]
    no_newline: bool,
    /// Print no retained messages.
    #[arg(short = 'R', long, conflicts_with = "retained_only")]
    no_retained: bool,
    /// Print retained messages only, and end at the first other one.
    #[arg(long)]
    retained_only: bool,
    /// Remove the retained messages that come (but not those that -T leaves out) from the broker.
    #[arg(long)]
    remove_retained: bool,
    /// Let messages keep the retain flag with which they were published. MQTT 5 only.
    #[arg(long)]
    retain_as_published: bool,
    /// Print a message with this chance, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = chance)]
    random_filter: Option<f64>,
    /// Tell the rate of messages on standard error every second, and the busiest topics at the end.
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl SubscribeArguments {
    pub(crate) fn is_quiet(&self) -> bool {
        self.connection.quiet
    }

    pub(crate) fn is_debug(&self) -> bool {
        self.connection.debug
    }

    fn options(&self) -> SubscriptionOptions {
        SubscriptionOptions {
            maximum_qos: self.qos,
            no_local: false,
            retain_as_published: self.retain_as_published,
            retain_handling: if self.no_retained {
                RetainHandling::DoNotSend
            } else {
                RetainHandling::SendAtSubscribe
            },
        }
    }

    fn selection(&self) -> Result<Selection, Failure> {
        Ok(Selection {
            filter_out: self.filter_out.clone(),
            no_retained: self.no_retained,
            retained_only: self.retained_only,
            remove_retained: self.remove_retained,
            chance: self.random_filter.map(|chance| random().map(|random| (chance, random))).transpose()?,
            left: self.count,
            exit_after_subscribing: self.exit_after_subscribing,
        })
    }
}

/// Retained messages that may wait to be removed, and the memory for it.
const REMOVALS: (u32, usize) = (1_000_000, 256 << 20);

/// Prints messages until there were enough, or somebody ends it.
pub(crate) async fn run(arguments: SubscribeArguments) -> Result<(), Failure> {
    let options = arguments.options();
    let selection = arguments.selection()?;
    let mut connection = arguments.connection.connection()?;
    let mut topics = arguments.topics;
    if let Some(topic) = connection.topic.take() {
        topics.push(filter(&topic).map_err(|error| Failure::usage(format_args!("{topic}: {error}")))?);
    }
    if topics.is_empty() && arguments.unsubscribe.is_empty() {
        return Err(Failure::usage("nothing to subscribe to: add -t"));
    }
    let style = match arguments.format {
        Some(format) => Style::Formatted(format),
        None if arguments.verbose => Style::Verbose,
        None => Style::Payload,
    };
    let printer = Printer::new(style, arguments.no_newline, connection.quiet);
    connection.config.manual_acknowledgement = true;
    if arguments.remove_retained {
        (connection.config.max_queued, connection.config.max_memory) = REMOVALS;
    }
    let quiet = connection.quiet;
    let session = open(connection, &topics, &arguments.unsubscribe, options)?;
    let clock = session.clock();
    let end = arguments.timeout.map(|timeout| clock.now() + timeout);
    let statistics = arguments.stats.then(|| Statistics::new(clock.now()));
    Subscriber::new(session, printer, selection, statistics, quiet).run(end).await
}

/// Connects, and asks for all subscriptions at once.
fn open(
    connection: Connection,
    topics: &[String],
    unsubscribe: &[String],
    options: SubscriptionOptions,
) -> Result<Session, Failure> {
    let for_subscribe = connection.properties.subscribe.clone();
    let for_unsubscribe = connection.properties.unsubscribe.clone();
    let mut session = Session::new(connection)?;
    if !topics.is_empty() {
        let filters: Vec<_> = topics.iter().map(|topic| (topic.as_str(), options)).collect();
        let asked = session.ask(|client, now| client.subscribe(&filters, for_subscribe.get(), now));
        asked.map_err(Failure::usage)?;
    }
    if !unsubscribe.is_empty() {
        let filters: Vec<_> = unsubscribe.iter().map(String::as_str).collect();
        let asked = session.ask(|client, now| client.unsubscribe(&filters, for_unsubscribe.get(), now));
        asked.map_err(Failure::usage)?;
    }
    Ok(session)
}

/// For clap: a topic filter, also of a shared subscription.
fn filter(text: &str) -> Result<String, String> {
    match Subscription::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("not a topic filter: {error}")),
    }
}

/// For clap: a topic filter to compare with.
fn plain_filter(text: &str) -> Result<String, String> {
    match TopicFilter::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("not a topic filter: {error}")),
    }
}

/// For clap: a chance in percent.
fn chance(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|percent| (0.1..=100.0).contains(percent)).ok_or("expected 0.1 to 100")
}
