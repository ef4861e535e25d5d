//! The options of `m2m coap get` and its siblings, named as libcoap's coap-client names them.

use core::net::IpAddr;
use core::time::Duration;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use clap::Args;
use coap_codec::{Block, Code, ContentFormat, MAX_TOKEN_LEN, OptionNumber};
use coap_core::{Config, Limits, Reliability, Request, Token};

use super::failure::Failure;
use super::parse::{BlockWish, OptionText, block, content_format, option, token};
use super::source::read_payload;
use crate::client::seconds;

/// The longest body that is received, in bytes.
const MAX_BODY: usize = 256 << 20;

/// What all requests take.
#[derive(Args, Clone, Debug)]
pub(crate) struct RequestArguments {
    /// The resource: `coap://HOST[:PORT]/PATH?QUERY`; HOST may be a group.
    #[arg(value_name = "URI")]
    pub(super) uri: String,
    /// Send a non-confirmable request: nobody repeats it.
    #[arg(short = 'N', long)]
    non: bool,
    /// The block size, 16 to 1024; with NUM, the first block to ask for (get only).
    #[arg(short, long = "block", value_name = "[NUM,]SIZE", value_parser = block)]
    block: Option<BlockWish>,
    /// The token, as text or as 0x and hexadecimal digits [default: a random one].
    #[arg(short = 'T', long, value_parser = token)]
    token: Option<Token>,
    /// One more option; may be given several times. NUM is its number or name. TEXT is taken as it stands; 0x and hexadecimal
    /// digits are bytes; digits are a number where the option is one.
    #[arg(short = 'O', long = "option", value_name = "NUM,TEXT", value_parser = option)]
    options: Vec<OptionText>,
    /// The Content-Format that is wanted: a number, a media type, or a short name such as `json`.
    #[arg(short = 'A', long, value_name = "TYPE", value_parser = content_format)]
    accept: Option<ContentFormat>,
    #[command(flatten)]
    pub(super) link: LinkArguments,
}

/// How messages travel.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LinkArguments {
    /// Give up after so many seconds [default: as RFC 7252 has it; 10 for a group].
    #[arg(short = 'B', long = "timeout", value_name = "SECONDS", value_parser = seconds)]
    pub(super) give_up: Option<Duration>,
    /// Show all messages on standard error.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// The local address to send from.
    #[arg(short = 'a', long = "local-address", value_name = "ADDRESS")]
    pub(super) address: Option<IpAddr>,
    /// The local port [default: any free one].
    #[arg(
        short = 'p',
        long = "local-port",
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(super) port: u16,
    /// The network interface that requests to a group or a link-local address leave at.
    #[arg(long, value_name = "NAME")]
    pub(super) interface: Option<String>,
    /// Ask through this proxy.
    #[arg(short = 'P', long, value_name = "coap://HOST[:PORT]")]
    pub(super) proxy: Option<String>,
    /// How long to wait for an acknowledgement, at least, before the first repetition.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, hide_short_help = true)]
    pub(super) ack_timeout: Option<Duration>,
    /// How often a message is repeated [default: 4].
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(..=20), hide_short_help = true)]
    pub(super) max_retransmit: Option<u32>,
}

/// Where the answer goes.
#[derive(Args, Clone, Debug)]
pub(crate) struct OutputArguments {
    /// Write the payload to this file; `-` is standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// End the payload with a newline [default: on a terminal only, and between notifications].
    #[arg(short = 'w', long)]
    pub(super) newline: bool,
}

/// What is sent.
#[derive(Args, Clone, Debug)]
pub(crate) struct PayloadArguments {
    /// Send this text.
    #[arg(short = 'e', long = "payload", value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<OsString>,
    /// Send the contents of this file; `-` is standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// The Content-Format of what is sent: a number, a media type, or a short name such as `json`.
    #[arg(short = 't', long = "content-format", value_name = "TYPE", value_parser = content_format)]
    content_format: Option<ContentFormat>,
}

impl RequestArguments {
    /// The request, without what its URI says.
    pub(super) fn request(
        &self,
        method: Code,
        payload: Option<PayloadArguments>,
    ) -> Result<Request, Failure> {
        let mut request = Request::new(method);
        if let Some(payload) = payload {
            if let Some(format) = payload.content_format {
                request.options.add_uint(OptionNumber::CONTENT_FORMAT, format.get().into());
            }
            request.payload = payload.read()?.into();
        }
        if let Some(format) = self.accept {
            request.options.add_uint(OptionNumber::ACCEPT, format.get().into());
        }
        if let Some(BlockWish { size_exponent, .. }) = self.block {
            request.block_size_exponent = Some(size_exponent);
            // RFC 7959 §2.4: early negotiation.
            let is_read = matches!(method, Code::GET | Code::FETCH) && request.payload.is_empty();
            if let Some(wish) = Block::new(0, false, size_exponent).filter(|_| is_read) {
                request.options.add(OptionNumber::BLOCK2, &wish.value());
            }
        }
        for OptionText { number, value } in &self.options {
            request.options.add(*number, value);
        }
        request.token.clone_from(&self.token);
        request.timeout = self.link.give_up;
        if self.non {
            request.reliability = Reliability::NonConfirmable;
        }
        Ok(request)
    }

    /// The block that a body is to be read from on.
    pub(super) fn first_block(&self) -> Option<(u32, u8)> {
        self.block.and_then(|wish| Some((wish.first?, wish.size_exponent)))
    }

    pub(super) fn config(&self) -> Config {
        let token = self.token.as_ref().map_or(0, |token| token.as_bytes().len());
        Config { max_token_len: MAX_TOKEN_LEN.max(token), ..self.link.config() }
    }
}

impl LinkArguments {
    pub(super) fn config(&self) -> Config {
        let mut config = Config {
            limits: Limits { body: MAX_BODY, bodies: MAX_BODY, ..Limits::default() },
            ..Config::default()
        };
        let transmission = &mut config.transmission;
        transmission.ack_timeout = self.ack_timeout.unwrap_or(transmission.ack_timeout);
        transmission.max_retransmit = self.max_retransmit.unwrap_or(transmission.max_retransmit);
        config
    }
}

impl PayloadArguments {
    fn read(self) -> Result<Vec<u8>, Failure> {
        match self {
            Self { text: Some(text), .. } => Ok(text.into_vec()),
            Self { file: Some(file), .. } => read_payload(&file),
            Self { .. } => Ok(Vec::new()),
        }
    }
}
