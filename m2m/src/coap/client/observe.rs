//! `m2m coap observe`: a resource and what becomes of it (RFC 7641).

use core::time::Duration;

use clap::Args;
use coap_codec::{Code, OptionNumber};
use coap_core::{Handle, Request, Response};
use machine::Instant;

use super::arguments::{LinkArguments, OutputArguments, RequestArguments};
use super::exchange::{no_answer, success};
use super::failure::Failure;
use super::output::{Output, Reader};
use super::session::{Event, Session, at};
use super::signals;
use super::target::Target;
use crate::client::seconds;
use crate::signals::Signals;

/// How long the server has to say that it knows of the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// What `observe` takes.
#[derive(Args, Debug)]
pub(crate) struct ObserveArguments {
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    output: OutputArguments,
    /// End after so many seconds [default: at a signal].
    #[arg(short, long = "subscribe", value_name = "SECONDS", value_parser = seconds)]
    subscribe: Option<Duration>,
}

pub(super) async fn run(arguments: ObserveArguments) -> Result<(), Failure> {
    let ObserveArguments { request: arguments, output, subscribe } = arguments;
    let request = arguments.request(Code::GET, None)?;
    observe(&arguments, request, &output, subscribe).await
}

/// Prints each notification as it comes; ends after `span` or at a signal, and tells the server so.
pub(super) async fn observe(
    arguments: &RequestArguments,
    request: Request,
    output: &OutputArguments,
    span: Option<Duration>,
) -> Result<(), Failure> {
    let target = Target::of(arguments).await?;
    if target.is_group() {
        return Err(Failure::usage("a group cannot be observed"));
    }
    let request = target.complete(request).observe();
    let mut output = Output::new(output, true);
    let mut signals = signals()?;
    let mut addresses = target.addresses.iter().copied().peekable();
    while let Some(to) = addresses.next() {
        let mut session = Session::open(to, &target, &arguments.link, arguments.config())?;
        session.give_up_after(arguments.link.give_up);
        let handle = session.request(request.clone())?;
        let end = span.map(|span| session.clock().now() + span);
        let observation =
            Observation { session, handle, link: &arguments.link, end, begun: false, leaving: false };
        match observation.follow(&mut output, &mut signals).await {
            Err(Failure::NoAnswer(_)) if addresses.peek().is_some() => {}
            result => return result,
        }
    }
    Ok(())
}

struct Observation<'a> {
    session: Session,
    handle: Handle,
    link: &'a LinkArguments,
    end: Option<Instant>,
    /// The server has answered.
    begun: bool,
    /// It is being told of the end.
    leaving: bool,
}

/// Whether there is more to wait for.
#[derive(PartialEq, Eq)]
enum Course {
    On,
    Over,
}

enum Woken {
    Event(Event),
    Signal,
    End,
}

impl Observation<'_> {
    async fn follow(mut self, output: &mut Output, signals: &mut Signals) -> Result<(), Failure> {
        loop {
            let clock = self.session.clock();
            let woken = tokio::select! {
                event = self.session.next() => Woken::Event(event?),
                () = signals.next() => Woken::Signal,
                () = at(self.end, clock), if !self.leaving => Woken::End,
            };
            let course = match woken {
                Woken::Event(event) => self.take(event, output)?,
                Woken::Signal if self.leaving || !self.begun => return Err(Failure::Interrupted),
                Woken::Signal => self.leave(),
                Woken::End if self.begun => self.leave(),
                Woken::End => return Err(no_answer(&Event::TimedOut, self.link)),
            };
            if course == Course::Over {
                return Ok(());
            }
        }
    }

    fn take(&mut self, event: Event, output: &mut Output) -> Result<Course, Failure> {
        match event {
            _ if self.leaving => Ok(Self::farewell(&event)),
            Event::Response { response, more, .. } => {
                success(&response)?;
                self.begun = true;
                self.session.give_up_after(None);
                let reader = output.write(&response.payload)?;
                if !more {
                    return Err(ended(&response));
                }
                Ok(if reader == Reader::Gone { self.leave() } else { Course::On })
            }
            event => Err(no_answer(&event, self.link)),
        }
    }

    /// Notifications may still cross the message that ends them.
    fn farewell(event: &Event) -> Course {
        match event {
            Event::Response { more: true, .. } => Course::On,
            Event::Response { .. } | Event::Pong | Event::Failed(_) | Event::TimedOut => Course::Over,
        }
    }

    fn leave(&mut self) -> Course {
        self.leaving = true;
        self.session.deregister(self.handle);
        self.session.give_up_after(Some(FAREWELL));
        Course::On
    }
}

/// A last success: nothing will follow it, because the server has not taken the registration, or has ended it.
fn ended(response: &Response) -> Failure {
    let observed = response.options.view().contains(OptionNumber::OBSERVE);
    Failure::Unusable(if observed {
        "the server has ended the observation".to_owned()
    } else {
        "the server does not let this resource be observed".to_owned()
    })
}
