//! A request and its answer; from a group, its answers.

use core::net::SocketAddr;
use core::time::Duration;

use coap_core::{Config, Request, Response};

use super::arguments::LinkArguments;
use super::failure::Failure;
use super::output::Reader;
use super::session::{Event, Session};
use super::signals;
use super::target::Target;
use super::text::printable;
use crate::report;

/// How long the members of a group have to answer: DEFAULT_LEISURE (RFC 7252 §8.2) and the way there and back.
const GROUP_TIME: Duration = Duration::from_secs(10);

/// Asks, and hands over each success.
///
/// # Errors
/// [`Failure::Answer`] for an error, unless another member of a group has had success.
pub(super) async fn exchange(
    target: &Target,
    link: &LinkArguments,
    config: &Config,
    request: &Request,
    mut take: impl FnMut(SocketAddr, &Response) -> Result<Reader, Failure>,
) -> Result<(), Failure> {
    if target.is_group() {
        return collect(target, link, config, request, take).await;
    }
    let (_, event) = first_answer(target, link, config, request).await?;
    match event {
        Event::Response { from, response, .. } => {
            success(&response)?;
            take(from, &response).map(|_| ())
        }
        event => Err(no_answer(&event, link)),
    }
}

/// Asks one address of the server after the other, until one is there: the first event of the request.
pub(super) async fn first_answer(
    target: &Target,
    link: &LinkArguments,
    config: &Config,
    request: &Request,
) -> Result<(Session, Event), Failure> {
    let mut result = Err(Failure::Other("the server has no address".to_owned()));
    for &address in &target.addresses {
        result = ask(address, target, link, config, request).await;
        let gone = matches!(
            result,
            Ok((_, Event::Failed(coap_core::Failure::Unreachable)))
                | Err(Failure::NoAnswer(_) | Failure::Other(_))
        );
        if !gone {
            break;
        }
    }
    result
}

async fn ask(
    to: SocketAddr,
    target: &Target,
    link: &LinkArguments,
    config: &Config,
    request: &Request,
) -> Result<(Session, Event), Failure> {
    let mut session = Session::open(to, target, link, config.clone())?;
    session.give_up_after(link.give_up);
    session.request(request.clone())?;
    let event = session.next().await?;
    Ok((session, event))
}

/// All answers of a group, until its time is over or a signal comes.
async fn collect(
    target: &Target,
    link: &LinkArguments,
    config: &Config,
    request: &Request,
    mut take: impl FnMut(SocketAddr, &Response) -> Result<Reader, Failure>,
) -> Result<(), Failure> {
    let to = target.addresses.first().copied();
    let to = to.ok_or_else(|| Failure::Other("the group has no address".to_owned()))?;
    let mut session = Session::open(to, target, link, config.clone())?;
    session.give_up_after(Some(link.give_up.unwrap_or(GROUP_TIME)));
    session.request(request.clone().non_confirmable())?;
    let mut signals = signals()?;
    let mut result = Err(coap_core::Failure::GroupClosed.into());
    loop {
        let event = tokio::select! {
            event = session.next() => event?,
            () = signals.next() => return result,
        };
        match event {
            Event::Response { from, response, .. } => match success(&response) {
                Ok(()) => {
                    result = Ok(());
                    if take(from, &response)? == Reader::Gone {
                        return Ok(());
                    }
                }
                Err(failure) => {
                    report(&format_args!("{from}: {failure}"));
                    result = result.or(Err(failure));
                }
            },
            Event::TimedOut | Event::Failed(coap_core::Failure::GroupClosed) | Event::Pong => return result,
            Event::Failed(failure) => return result.or(Err(failure.into())),
        }
    }
}

/// # Errors
/// With the diagnostic text of the answer (RFC 7252 §5.5.2).
pub(super) fn success(response: &Response) -> Result<(), Failure> {
    if response.code.is_success() {
        return Ok(());
    }
    let is_text = response.options.view().content_format().is_none_or(|format| format.get() == 0);
    let text = if is_text { String::from_utf8_lossy(&response.payload) } else { "".into() };
    // Some servers say once more what the code says.
    let text = if response.code.name() == Some(text.trim()) { "" } else { text.trim() };
    Err(Failure::Answer { code: response.code, diagnostic: printable(text).into_owned() })
}

pub(super) fn no_answer(event: &Event, link: &LinkArguments) -> Failure {
    match *event {
        // The time of `--timeout` is the request's as well: either may be over first.
        Event::Failed(failure) if failure != coap_core::Failure::NoResponse || link.give_up.is_none() => {
            failure.into()
        }
        Event::Failed(_) | Event::TimedOut | Event::Response { .. } | Event::Pong => {
            let span = link.give_up.unwrap_or(GROUP_TIME).as_secs_f64();
            Failure::NoAnswer(format!("no answer within {span} s"))
        }
    }
}
