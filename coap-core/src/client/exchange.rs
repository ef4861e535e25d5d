//! One open request: what it is about, how far it has come, and the message that it sends next.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use coap_codec::{Code, Message, OptionNumber};
use machine::Instant;

use super::observation::Observation;
use super::phase::Phase;
use crate::block::{Download, Start, Upload, UploadStep, size_of};
use crate::message::{OutgoingId, Peer};
use crate::outbound::Outbound;
use crate::{Bodies, Config, Handle, OptionList, Refused, Request, Response, Token};

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One response ends it.
    Single,
    /// A registration and its notifications.
    Observation(Observation),
    /// The end of an observation, asked for.
    Deregistration,
    /// Sent to a group: responses of many.
    Group,
    /// Fetches the rest of a body for an observation or a request to a group.
    Transfer { parent: Handle },
    /// Nothing but a sign of life.
    Ping,
}

/// One open request. What only bodies in blocks need lies elsewhere.
#[derive(Debug)]
pub(super) struct Exchange<P> {
    pub(super) handle: Handle,
    pub(super) kind: Kind,
    pub(super) to: P,
    pub(super) token: Token,
    pub(super) request: Request,
    pub(super) phase: Phase,
    /// Its message under way.
    pub(super) outgoing: Option<OutgoingId>,
    /// What is left of its own body.
    pub(super) upload: Option<Box<Upload>>,
    /// Its body went in blocks: what follows repeats none of it.
    pub(super) uploaded: bool,
    /// The outcome of all its blocks.
    outcome: Option<Code>,
    pub(super) request_tag: Option<[u8; 4]>,
    /// The body with that tag is not whole yet: a registration that the peer knows of has none.
    pub(super) tag_is_new: bool,
    /// How often it was made again because the response changed.
    pub(super) asked_again: u8,
    /// What has come of the response's body, and the response without it.
    pub(super) download: Option<Box<Download>>,
    first: Option<Box<Response>>,
    /// The Echo value that the peer asked for, and how often it did (RFC 9175 §2.3).
    pub(super) echo: Option<Bytes>,
    pub(super) echoes: u8,
    /// An observation's exchange that fetches the rest of the newest notification.
    pub(super) transfer: Option<Handle>,
}

impl<P: Peer> Exchange<P> {
    pub(super) const fn new(handle: Handle, kind: Kind, to: P, token: Token, request: Request) -> Self {
        Self {
            handle,
            kind,
            to,
            token,
            request,
            phase: Phase::Sending,
            outgoing: None,
            upload: None,
            uploaded: false,
            outcome: None,
            request_tag: None,
            tag_is_new: false,
            asked_again: 0,
            download: None,
            first: None,
            echo: None,
            echoes: 0,
            transfer: None,
        }
    }

    /// Whether the application knows it by its handle.
    pub(super) fn is_own(&self) -> bool {
        !matches!(self.kind, Kind::Transfer { .. })
    }

    /// The handle under which the application hears of it.
    pub(super) fn reported_as(&self) -> Handle {
        match self.kind {
            Kind::Transfer { parent } => parent,
            _ => self.handle,
        }
    }

    /// Takes the answer to a block of the request's body; `None` when it has no blocks.
    pub(super) fn continue_upload(&mut self, message: &Message<'_>, config: &Config) -> Option<UploadStep> {
        let Some(upload) = &mut self.upload else {
            return self.cut_after_too_large(message, config);
        };
        let step = upload.answered(message.code, message.options);
        if step == UploadStep::Done {
            self.tag_is_new = false;
            self.outcome = Some(upload.outcome(message.code));
            self.upload = None;
            self.uploaded = true;
        }
        Some(step)
    }

    /// A body in one piece was too large for the server: it may take it in blocks (RFC 7959 §2.9.3).
    fn cut_after_too_large(&mut self, message: &Message<'_>, config: &Config) -> Option<UploadStep> {
        let request = &self.request;
        let refused = message.code == Code::REQUEST_ENTITY_TOO_LARGE && request.bodies == Bodies::Whole;
        if !refused || self.uploaded || self.download.is_some() {
            return None;
        }
        let exponent = request.exponent(config);
        let upload = Upload::after_too_large(request.payload.clone(), exponent, message.options)?;
        self.upload = Some(Box::new(upload));
        self.uploaded = true;
        Some(UploadStep::Restart)
    }

    /// Its request is sent from the start, with its whole body.
    pub(super) fn begin_again(&mut self, config: &Config) {
        self.upload = upload_of(&self.request, config).ok().flatten();
        self.uploaded = false;
    }

    /// Whether the message is a notification that is not newer than the newest (RFC 7641 §3.4). The answer to a registration anew
    /// is new whatever its number, as the server may have lost count.
    pub(super) fn is_outdated(&self, message: &Message<'_>, piggybacked: bool, now: Instant) -> bool {
        let (Kind::Observation(observation), Some(sequence)) = (&self.kind, message.options.observe()) else {
            return false;
        };
        let is_answer = piggybacked || self.phase == Phase::Waiting;
        message.code.is_success() && !is_answer && !observation.is_news(sequence, now)
    }

    /// A notification has come while the body of the registration anew is on its way in blocks: the peer has not forgotten.
    pub(super) fn give_up_registration(&mut self, message: &Message<'_>) {
        let observes = matches!(self.kind, Kind::Observation(_)) && message.options.observe().is_some();
        if observes && self.upload.as_ref().is_some_and(|upload| upload.current().0.more()) {
            self.upload = None;
            self.uploaded = true;
            if core::mem::take(&mut self.tag_is_new) {
                self.request_tag = None;
            }
        }
    }

    /// Whether the message, which came by itself, answers another block than the one that is under way: a repetition that comes
    /// late, or an answer to what this exchange asked before.
    pub(super) fn is_astray(&self, message: &Message<'_>) -> bool {
        if self.request.bodies == Bodies::Blocks {
            return false;
        }
        match (&self.upload, &self.download) {
            (Some(upload), _) => upload.is_astray(message.options),
            (None, Some(download)) => download.is_astray(message.options) || message.code == Code::CONTINUE,
            (None, None) => self.uploaded && message.code == Code::CONTINUE,
        }
    }

    /// What the response begins.
    pub(super) fn begin_download(&self, message: &Message<'_>, config: &Config) -> Start {
        if self.request.bodies == Bodies::Blocks {
            return Start::Whole;
        }
        let exponent = self.request.exponent(config);
        Download::start(self.request.method, message.options, message.payload, exponent, config.limits.body)
    }

    /// Its next message, but for type and message id.
    pub(super) fn datagram(&self, outbound: &mut Outbound<P>, config: &Config) -> Result<Vec<u8>, Refused> {
        let request = &self.request;
        let plain = self.upload.is_none()
            && self.download.is_none()
            && self.echo.is_none()
            && !self.uploaded
            && (request.block_size_exponent.is_none() || request.bodies == Bodies::Blocks);
        let datagram = if plain {
            outbound.encode(
                request.method,
                self.token.as_bytes(),
                request.options.view(),
                &request.payload,
            )?
        } else {
            let (options, payload) = self.block_message(config);
            outbound.encode(request.method, self.token.as_bytes(), options.view(), &payload)?
        };
        if datagram.len() > config.max_datagram { Err(Refused::TooLarge) } else { Ok(datagram) }
    }

    /// Options and payload of a message that is not the request as the application gave it.
    fn block_message(&self, config: &Config) -> (OptionList, Bytes) {
        let mut options = self.request.options.clone();
        let mut payload = self.request.payload.clone();
        if let Some(upload) = &self.upload {
            let (block, part) = upload.current();
            options.set(OptionNumber::BLOCK1, &block.value());
            match upload.size1() {
                Some(size) => options.set_uint(OptionNumber::SIZE1, size.into()),
                // The condition was met with the first block (RFC 7959 §2.10).
                None => options.remove(OptionNumber::IF_NONE_MATCH),
            };
            payload = part;
        } else if self.uploaded || (self.download.is_some() && self.request.method != Code::FETCH) {
            // RFC 7959 §2.7: the rest of the response is asked for without a body. A FETCH's body says what is asked for.
            payload = Bytes::new();
        }
        if let Some(download) = &self.download {
            options.set(OptionNumber::BLOCK2, &download.next().value());
            for number in [OptionNumber::OBSERVE, OptionNumber::ETAG, OptionNumber::IF_NONE_MATCH] {
                options.remove(number);
            }
        } else if let (None, Some(exponent)) = (&self.upload, self.request.block_size_exponent)
            && let Some(block) = coap_codec::Block::new(0, false, exponent.min(config.block_size_exponent))
        {
            options.set(OptionNumber::BLOCK2, &block.value());
        }
        // All requests of one operation have it, as it is part of their cache key (RFC 9175 §3.2).
        if let Some(tag) = self.request_tag.as_ref().filter(|_| self.upload.is_some() || self.uploaded) {
            options.set(OptionNumber::REQUEST_TAG, tag);
        }
        if let Some(echo) = &self.echo {
            options.set(OptionNumber::ECHO, echo);
        }
        (options, payload)
    }

    /// The first block of the response has come.
    pub(super) fn start_download(&mut self, download: Download, message: &Message<'_>) {
        self.keep_first(message);
        self.download = Some(Box::new(download));
    }

    /// What is not body is taken from the first block of a representation.
    pub(super) fn keep_first(&mut self, message: &Message<'_>) {
        if self.first.is_none() {
            let response = Response { payload: Bytes::new(), ..self.response(message) };
            self.first = Some(Box::new(response));
        }
    }

    /// Another representation begins.
    pub(super) fn forget_first(&mut self) {
        self.first = None;
    }

    /// The response, now that its body is whole.
    pub(super) fn downloaded(&mut self, last: &Message<'_>, body: Vec<u8>) -> Response {
        self.download = None;
        let mut response = self.first.take().map_or_else(|| self.response(last), |first| *first);
        response.payload = body.into();
        response
    }

    /// A response as the application sees it.
    pub(super) fn response(&self, message: &Message<'_>) -> Response {
        let payload = Bytes::copy_from_slice(message.payload);
        let mut options = OptionList::from(message.options);
        if self.request.bodies == Bodies::Whole {
            options.remove(OptionNumber::BLOCK1).remove(OptionNumber::BLOCK2);
        }
        let code = self.outcome.filter(|_| message.code == Code::CHANGED).unwrap_or(message.code);
        Response { code, options, payload, reliability: None }
    }
}

impl Handle {
    pub(super) const fn new(serial: u32, key: usize) -> Self {
        Self((serial as u64) << 32 | key as u64)
    }

    /// Its place among the exchanges.
    pub(super) const fn key(self) -> usize {
        self.0 as u32 as usize
    }
}

/// A request's body as it is to be cut; `None` when it goes in one piece.
pub(super) fn upload_of(request: &Request, config: &Config) -> Result<Option<Box<Upload>>, Refused> {
    let (len, exponent) = (request.payload.len(), request.exponent(config));
    if request.bodies == Bodies::Blocks || len <= size_of(exponent) {
        return Ok(None);
    }
    if len > config.limits.body || !Upload::fits(len, exponent) {
        return Err(Refused::TooLarge);
    }
    Ok(Some(Box::new(Upload::new(request.payload.clone(), exponent))))
}

impl Request {
    /// The block size to use, as an exponent.
    pub(super) fn exponent(&self, config: &Config) -> u8 {
        self.block_size_exponent.unwrap_or(config.block_size_exponent).min(config.block_size_exponent)
    }
}
