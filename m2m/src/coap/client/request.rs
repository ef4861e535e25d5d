//! `m2m coap get`, `put`, `post`, `delete`, `fetch`, `patch` and `ipatch`.

use core::net::SocketAddr;
use core::time::Duration;

use clap::Args;
use coap_codec::uri::{Destination, Scheme, compose};
use coap_codec::{Block, Code, OptionNumber};
use coap_core::{Bodies, OptionList, Request, Response};

use super::arguments::{OutputArguments, PayloadArguments, RequestArguments};
use super::exchange::{exchange, first_answer, no_answer, success};
use super::failure::Failure;
use super::observe::observe;
use super::output::{Output, Reader};
use super::report;
use super::session::Event;
use super::target::Target;
use crate::client::seconds;

/// What `get` takes.
#[derive(Args, Debug)]
pub(crate) struct GetArguments {
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    output: OutputArguments,
    /// Observe the resource for so many seconds.
    #[arg(short, long = "subscribe", value_name = "SECONDS", value_parser = seconds)]
    subscribe: Option<Duration>,
}

/// What `delete` takes.
#[derive(Args, Debug)]
pub(crate) struct DeleteArguments {
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// What `put`, `post`, `patch` and `ipatch` take.
#[derive(Args, Debug)]
pub(crate) struct SendArguments {
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    payload: PayloadArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// What `fetch` takes.
#[derive(Args, Debug)]
pub(crate) struct FetchArguments {
    #[command(flatten)]
    send: SendArguments,
    /// Observe the answer for so many seconds.
    #[arg(short, long = "subscribe", value_name = "SECONDS", value_parser = seconds)]
    subscribe: Option<Duration>,
}

pub(super) async fn get(arguments: GetArguments) -> Result<(), Failure> {
    let GetArguments { request: arguments, output, subscribe } = arguments;
    let request = arguments.request(Code::GET, None)?;
    match (subscribe, arguments.first_block()) {
        (Some(span), _) => observe(&arguments, request, &output, Some(span)).await,
        (None, Some(first)) => read_from(&arguments, request, &output, first).await,
        (None, None) => send(&arguments, request, &output).await,
    }
}

pub(super) async fn delete(arguments: DeleteArguments) -> Result<(), Failure> {
    let request = arguments.request.request(Code::DELETE, None)?;
    send(&arguments.request, request, &arguments.output).await
}

pub(super) async fn fetch(arguments: FetchArguments) -> Result<(), Failure> {
    let FetchArguments { send: arguments, subscribe } = arguments;
    if subscribe.is_none() {
        return with_payload(Code::FETCH, arguments).await;
    }
    let request = arguments.request.request(Code::FETCH, Some(arguments.payload))?;
    observe(&arguments.request, request, &arguments.output, subscribe).await
}

pub(super) async fn with_payload(method: Code, arguments: SendArguments) -> Result<(), Failure> {
    let request = arguments.request.request(method, Some(arguments.payload))?;
    send(&arguments.request, request, &arguments.output).await
}

/// Sends a request, and prints what comes.
async fn send(
    arguments: &RequestArguments,
    request: Request,
    output: &OutputArguments,
) -> Result<(), Failure> {
    let link = &arguments.link;
    let target = Target::of(arguments).await?;
    let is_group = target.is_group();
    let mut output = Output::new(output, is_group);
    let request = target.complete(request);
    exchange(&target, link, &arguments.config(), &request, |from, response| {
        if is_group {
            report(&format_args!("{from}: {}", super::super::dump::CodeName(response.code)));
        }
        tell_location(from, response);
        output.write(&response.payload)
    })
    .await
}

/// Reads a body block by block, from one in the middle on.
async fn read_from(
    arguments: &RequestArguments,
    request: Request,
    output: &OutputArguments,
    (first, size_exponent): (u32, u8),
) -> Result<(), Failure> {
    let link = &arguments.link;
    let target = Target::of(arguments).await?;
    let mut output = Output::new(output, false);
    let mut request = target.complete(request);
    request.bodies = Bodies::Blocks;
    let mut wish = block(first, size_exponent)?;
    request.options.set(OptionNumber::BLOCK2, &wish.value());
    let (mut session, mut event) = first_answer(&target, link, &arguments.config(), &request).await?;
    let mut tag: Option<Vec<u8>> = None;
    loop {
        let Event::Response { response, .. } = event else { return Err(no_answer(&event, link)) };
        let block = check_block(&response, wish)?;
        let found = response.options.view().etag().unwrap_or_default();
        if tag.get_or_insert_with(|| found.to_vec()) != found {
            return Err(Failure::Unusable("the representation has changed during the transfer".to_owned()));
        }
        if output.write(&response.payload)? == Reader::Gone || !block.more() {
            return Ok(());
        }
        wish = self::block(block.num() + 1, block.size_exponent())?;
        request.options.set(OptionNumber::BLOCK2, &wish.value());
        session.give_up_after(link.give_up);
        session.request(request.clone())?;
        event = session.next().await?;
    }
}

fn block(number: u32, size_exponent: u8) -> Result<Block, Failure> {
    let block = Block::new(number, false, size_exponent);
    block.ok_or_else(|| Failure::Unusable("the body has more blocks than can be numbered".to_owned()))
}

/// The server may take smaller blocks, but must begin where it was asked to (RFC 7959 §2.4).
fn check_block(response: &Response, wish: Block) -> Result<Block, Failure> {
    success(response)?;
    let block = response.options.view().block2().and_then(Result::ok);
    block.filter(|block| block.offset() == wish.offset()).ok_or_else(|| {
        Failure::Unusable(format!("the server does not answer with the body from byte {} on", wish.offset()))
    })
}

/// Where the new resource is (RFC 7252 §5.10.7).
fn tell_location(from: SocketAddr, response: &Response) {
    let view = response.options.view();
    let mut options = OptionList::new();
    view.location_path().for_each(|segment| _ = options.add(OptionNumber::URI_PATH, segment));
    view.location_query().for_each(|argument| _ = options.add(OptionNumber::URI_QUERY, argument));
    let mut uri = String::new();
    if !options.is_empty()
        && compose(&mut uri, Scheme::Coap, &Destination::from(from), options.view()).is_ok()
    {
        report(&format_args!("location: {uri}"));
    }
}
