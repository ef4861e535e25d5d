//! A client's response body, fetched block by block (Block2, RFC 7959 §2.4).

use alloc::boxed::Box;
use alloc::vec::Vec;

use coap_codec::{Block, Code, ContentFormat, Options};

use super::options::usable;
use super::{FIRST, MAX_EXPONENT, size_of};
use crate::Failure;

/// How often a body is fetched anew because it changed meanwhile.
const MAX_RESTARTS: u8 = 3;

/// A body on its way from a server.
#[derive(Clone, Debug)]
pub(crate) struct Download {
    body: Vec<u8>,
    exponent: u8,
    limit: usize,
    etag: Option<Box<[u8]>>,
    content_format: Option<ContentFormat>,
    /// Size2: how large the server believes it to be. For show only; M ends the transfer (§4).
    total: Option<u32>,
    /// Whether the blocks may be asked for again: GET and FETCH change nothing.
    safe: bool,
    restarts: u8,
}

/// What the response to a request begins.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    /// Nothing: its payload is all.
    Whole,
    /// A body in blocks; ask for the [`next`](Download::next).
    Blocks(Download),
    /// The server broke the rules, or the body is too large.
    Failed(Failure),
}

/// What the answer to a request for a block means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DownloadStep {
    /// The next block is to be asked for.
    Continue,
    /// The body.
    Complete(Vec<u8>),
    /// The representation has changed: all is to be asked for again, from block 0, with the same requests. (Of a notification
    /// the next one may be awaited instead.)
    Restart,
    /// No block but an answer of its own, whole as it is: an error, or a body that is small now. It takes the place of the
    /// response.
    Answer,
    /// The server broke the rules, the representation kept changing, or the body is too large.
    Failed(Failure),
}

impl Download {
    /// Looks at the response to a request of this method that asked for block 0 or for none, or at a notification.
    /// `exponent` is the largest block that is wanted, `limit` the largest body.
    ///
    /// Requests for further blocks have the options of the first without Block1, Size1, Observe, ETag and If-None-Match, no
    /// payload, and the Block2 that [`next`](Self::next) gives; a new token if the method [is safe](Self::is_safe).
    pub(crate) fn start(
        method: Code,
        options: Options<'_>,
        payload: &[u8],
        exponent: u8,
        limit: usize,
    ) -> Start {
        let block = match usable(options.block2()) {
            Ok(Some(block)) => block,
            Ok(None) => return Start::Whole,
            Err(()) => return Start::Failed(Failure::BlockMismatch),
        };
        let mut download = Self {
            body: Vec::new(),
            exponent: exponent.min(MAX_EXPONENT),
            limit,
            etag: None,
            content_format: None,
            total: None,
            safe: matches!(method, Code::GET | Code::FETCH),
            restarts: 0,
        };
        download.begin(options);
        match download.append(block, payload) {
            DownloadStep::Continue => Start::Blocks(download),
            DownloadStep::Failed(failure) => Start::Failed(failure),
            _ => Start::Whole,
        }
    }

    /// Block2 of the next request: never larger than the blocks so far, and counted in its own size.
    pub(crate) fn next(&self) -> Block {
        let num = (self.body.len() / size_of(self.exponent)) as u32;
        Block::new(num.min(Block::MAX_NUM), false, self.exponent).unwrap_or(FIRST)
    }

    /// Whether asking for the same block twice, or for a block of something that is no more, does no harm.
    pub(crate) const fn is_safe(&self) -> bool {
        self.safe
    }

    /// Bytes so far, and of how many if the server has said.
    pub(crate) fn progress(&self) -> (usize, Option<u32>) {
        (self.body.len(), self.total)
    }

    /// Whether this is another block than the one that was asked for: a repetition that comes late.
    pub(crate) fn is_astray(&self, options: Options<'_>) -> bool {
        usable(options.block2()).ok().flatten().is_some_and(|block| block.offset() != self.body.len())
    }

    /// Takes the answer to the request with [`next`](Self::next)'s Block2.
    pub(crate) fn answered(&mut self, code: Code, options: Options<'_>, payload: &[u8]) -> DownloadStep {
        let block = match usable(options.block2()) {
            Ok(Some(block)) if code.is_success() => block,
            // The server takes the request for another of its kind, and has done once more what the first asked for.
            Ok(None) if code.is_success() && !self.safe => {
                return DownloadStep::Failed(Failure::BlockMismatch);
            }
            // What was large has become small meanwhile: there is no such block any more (§2.4).
            Ok(_) if code == Code::BAD_REQUEST && self.safe && !self.body.is_empty() => {
                return self.restart();
            }
            Ok(_) => return DownloadStep::Answer,
            Err(()) => return DownloadStep::Failed(Failure::BlockMismatch),
        };
        if self.body.is_empty() {
            self.begin(options);
        } else if options.etag() != self.etag.as_deref() {
            return self.restart();
        } else if options.content_format() != self.content_format {
            return DownloadStep::Failed(Failure::BlockMismatch);
        }
        self.append(block, payload)
    }

    /// What all blocks of a representation share.
    fn begin(&mut self, options: Options<'_>) {
        self.etag = options.etag().map(Into::into);
        self.content_format = options.content_format();
        self.total = options.size2();
    }

    fn append(&mut self, block: Block, payload: &[u8]) -> DownloadStep {
        if block.offset() != self.body.len() || block.more() && block.size() != payload.len() {
            return DownloadStep::Failed(Failure::BlockMismatch);
        }
        if payload.len() > self.limit.saturating_sub(self.body.len()) {
            return DownloadStep::Failed(Failure::BodyTooLarge);
        }
        self.body.extend_from_slice(payload);
        if !block.more() {
            return DownloadStep::Complete(core::mem::take(&mut self.body));
        }
        self.exponent = self.exponent.min(block.size_exponent());
        if self.body.len() / size_of(self.exponent) > Block::MAX_NUM as usize {
            return DownloadStep::Failed(Failure::BodyTooLarge);
        }
        DownloadStep::Continue
    }

    /// Another representation: from the start, where that does no harm and has not been tried too often.
    fn restart(&mut self) -> DownloadStep {
        if !self.safe {
            return DownloadStep::Failed(Failure::BlockMismatch);
        }
        if self.restarts >= MAX_RESTARTS {
            return DownloadStep::Failed(Failure::Changing);
        }
        self.restarts += 1;
        self.body.clear();
        DownloadStep::Restart
    }
}
