//! `m2m sn sub`.

use core::time::Duration;

use clap::Args;
use mqttsn_codec::{QoS, TopicId};
use mqttsn_core::client::{Handle, Message, Outcome};

use super::arguments::{ConnectionArguments, Topic, qos, topic_id};
use super::failure::{Failure, doubt, why};
use super::output::{Reader, Style, print};
use super::session::{Event, Session, at};
use super::signals;
use crate::client::seconds;
use crate::report;

/// What `m2m sn sub` takes.
#[derive(Args, Debug)]
pub(crate) struct SubscribeArguments {
    #[command(flatten)]
    pub(super) common: SubscriberArguments,
    /// Go to sleep for so many seconds at the end, instead of taking leave.
    #[arg(short = 'e', long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    sleep: u16,
}

/// What subscribers take.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people know")]
pub(crate) struct SubscriberArguments {
    #[command(flatten)]
    topics: TopicArguments,
    /// The QoS to subscribe with: 0, 1 or 2.
    #[arg(short, long, value_name = "0|1|2", value_parser = qos, default_value = "0")]
    qos: QoS,
    /// End after one message.
    #[arg(short = '1', conflicts_with = "count")]
    one: bool,
    /// End after so many messages.
    #[arg(short = 'C', long, value_name = "MESSAGES", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so many seconds.
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Keep the session, and go on with it the next time; needs -i.
    #[arg(short = 'c', long = "disable-clean-session")]
    keep_session: bool,
    /// Print the topic, too.
    #[arg(short, long)]
    verbose: bool,
    /// Print time and topic.
    #[arg(short = 'V', long)]
    time: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What to subscribe to.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct TopicArguments {
    /// A topic or filter; may be given several times.
    #[arg(short, long)]
    topic: Vec<String>,
    /// A predefined topic id; may be given several times.
    #[arg(short = 'T', long, value_name = "ID", value_parser = topic_id)]
    topic_id: Vec<TopicId>,
}

impl SubscribeArguments {
    pub(super) fn debug(&self) -> u8 {
        self.common.debug()
    }
}

impl SubscriberArguments {
    pub(super) fn debug(&self) -> u8 {
        self.connection.debug
    }
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// It stays awake, and at the end sleeps for so many seconds, or takes leave if there are none.
    Awake(u16),
    /// It sleeps for so many seconds at a time, and so many times if that is limited.
    Asleep(u16, Option<u32>),
}

/// Prints messages until there were enough, or a signal ends it.
pub(super) async fn run(arguments: SubscribeArguments) -> Result<(), Failure> {
    let plan = Plan::Awake(arguments.sleep);
    Subscriber::new(arguments.common, plan)?.run().await
}

pub(super) struct Subscriber {
    session: Session,
    topics: Vec<Topic>,
    qos: QoS,
    style: Style,
    left: Option<u64>,
    timeout: Option<Duration>,
    plan: Plan,
    /// Subscriptions that are not answered.
    asked: Vec<(Handle, Topic)>,
    /// Subscriptions that stand.
    standing: usize,
    refused: Option<Failure>,
    leaving: bool,
}

impl Subscriber {
    pub(super) fn new(arguments: SubscriberArguments, plan: Plan) -> Result<Self, Failure> {
        let named = arguments.topics.topic.iter().map(|name| Topic::named(name));
        let predefined = arguments.topics.topic_id.iter().map(|id| Topic::Predefined(*id));
        let topics: Vec<Topic> = named.chain(predefined).collect();
        let mut connection = arguments.connection.connection(!arguments.keep_session)?;
        connection.config.max_subscriptions = topics.len();
        connection.config.max_requests = topics.len();
        connection.config.max_topics = 1024;
        // Sleeping has to wait until they are made: this side asks and is told.
        connection.config.resubscribe = false;
        let style = match (arguments.time, arguments.verbose) {
            (true, _) => Style::TimeAndTopic,
            (false, true) => Style::Topic,
            (false, false) => Style::Payload,
        };
        Ok(Self {
            session: Session::open(connection)?,
            topics,
            qos: arguments.qos,
            style,
            left: if arguments.one { Some(1) } else { arguments.count },
            timeout: arguments.timeout,
            plan,
            asked: Vec::new(),
            standing: 0,
            refused: None,
            leaving: false,
        })
    }

    pub(super) async fn run(mut self) -> Result<(), Failure> {
        let mut signals = signals()?;
        let clock = self.session.clock();
        let end = self.timeout.map(|span| clock.now() + span);
        let mut result = Ok(());
        self.session.connect()?;
        loop {
            let event = tokio::select! {
                event = self.session.next() => event?,
                () = signals.next() => {
                    if self.leaving {
                        return Err(Failure::Interrupted);
                    }
                    self.leave();
                    continue;
                }
                () = at(end.filter(|_| !self.leaving), clock) => {
                    result = Err(Failure::TimedOut);
                    self.leave();
                    continue;
                }
            };
            match event {
                Event::Connected => self.subscribe()?,
                Event::Completed(handle, outcome) => self.note(handle, outcome)?,
                Event::Message(message) => self.take(&message)?,
                Event::Awake => {}
                Event::Ended => return result,
                Event::Asleep if self.leaving => return result,
                Event::Asleep => self.count_nap(),
            }
        }
    }

    /// With each connection, unless the gateway has kept them: it does not tell.
    fn subscribe(&mut self) -> Result<(), Failure> {
        (self.standing, self.refused) = (0, None);
        self.asked.clear();
        for topic in self.topics.clone() {
            let qos = self.qos;
            let asked = self.session.ask(|client, now| client.subscribe(topic.subscribe(), qos, now));
            let handle = asked
                .map_err(|refused| Failure::refused(format_args!("cannot subscribe to {topic}"), refused))?;
            self.asked.push((handle, topic));
        }
        Ok(())
    }

    fn note(&mut self, handle: Handle, outcome: Outcome) -> Result<(), Failure> {
        let Some(place) = self.asked.iter().position(|(asked, _)| *asked == handle) else { return Ok(()) };
        let (_, topic) = self.asked.swap_remove(place);
        if matches!(outcome, Outcome::Subscribed { .. }) {
            self.standing += 1;
        } else {
            if self.topics.len() > 1 {
                let (why, doubt) = (why(outcome), doubt(outcome));
                report(&format_args!("the gateway refused the subscription to {topic}: {why}{doubt}"));
            }
            self.refused.get_or_insert(Failure::Subscription { topic: topic.to_string(), outcome });
        }
        if !self.asked.is_empty() {
            return Ok(());
        }
        match (self.standing, self.refused.take()) {
            (0, Some(failure)) => return Err(failure),
            _ => self.sleep(),
        }
        Ok(())
    }

    fn sleep(&mut self) {
        if let Plan::Asleep(seconds, _) = self.plan
            && !self.leaving
        {
            // When the connection is gone already, the next one comes here again.
            _ = self.session.ask(|client, now| client.sleep(seconds, now));
        }
    }

    /// The first sleep is not one that was slept.
    fn count_nap(&mut self) {
        if let Plan::Asleep(_, Some(naps)) = &mut self.plan {
            match naps.checked_sub(1) {
                Some(left) => *naps = left,
                None => self.leave(),
            }
        }
    }

    fn take(&mut self, message: &Message) -> Result<(), Failure> {
        if self.leaving {
            return Ok(());
        }
        if print(message, self.style)? == Reader::Gone {
            self.leave();
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        if self.left == Some(0) {
            self.leave();
        }
        Ok(())
    }

    fn leave(&mut self) {
        if core::mem::replace(&mut self.leaving, true) {
            return;
        }
        let slept = match self.plan {
            Plan::Awake(seconds) if seconds > 0 => {
                self.session.ask(|client, now| client.sleep(seconds, now)).is_ok()
            }
            Plan::Awake(_) | Plan::Asleep(..) => false,
        };
        if !slept {
            self.session.disconnect();
        }
    }
}
