//! `m2m coap ping`: is anybody there (RFC 7252 §4.3)?

use std::io::{self, Write};

use clap::Args;
use tokio::time::sleep;

use super::arguments::LinkArguments;
use super::exchange::no_answer;
use super::failure::Failure;
use super::session::{Event, Session};
use super::signals;
use super::target::Target;

/// What `ping` takes.
#[derive(Args, Debug)]
pub(crate) struct PingArguments {
    /// The server: `coap://HOST[:PORT]`.
    #[arg(value_name = "URI")]
    uri: String,
    /// How many pings, a second apart.
    #[arg(short, long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    #[command(flatten)]
    link: LinkArguments,
}

pub(super) async fn run(arguments: PingArguments) -> Result<(), Failure> {
    const PAUSE: core::time::Duration = core::time::Duration::from_secs(1);
    let PingArguments { uri, count, link } = arguments;
    let target = Target::resolve(&uri, &link).await?;
    if target.is_group() {
        return Err(Failure::usage("a group cannot be pinged: nobody may reject what was sent to a group"));
    }
    let mut session = None;
    let mut signals = signals()?;
    for number in 0..count {
        if number > 0 {
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = signals.next() => return Ok(()),
            }
        }
        tokio::select! {
            result = ping(&mut session, &target, &link) => result?,
            () = signals.next() => return Err(Failure::Interrupted),
        }
    }
    Ok(())
}

/// The first ping looks for an address that answers.
async fn ping(session: &mut Option<Session>, target: &Target, link: &LinkArguments) -> Result<(), Failure> {
    if let Some(session) = session {
        return round_trip(session, link).await;
    }
    let mut result = Ok(());
    for &to in &target.addresses {
        let session = session.insert(Session::open(to, target, link, link.config())?);
        result = round_trip(session, link).await;
        if result.is_ok() {
            break;
        }
    }
    result
}

async fn round_trip(session: &mut Session, link: &LinkArguments) -> Result<(), Failure> {
    let sent = session.clock().now();
    session.give_up_after(link.give_up);
    session.ping()?;
    match session.next().await? {
        Event::Pong => {
            let span = session.clock().now() - sent;
            let printed = writeln!(
                io::stdout(),
                "{}: answered after {:.2} ms",
                session.to(),
                span.as_secs_f64() * 1000.0
            );
            printed.map_err(|error| Failure::cannot_write("standard output", &error))
        }
        event => Err(no_answer(&event, link)),
    }
}
