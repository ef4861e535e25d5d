//! A client's request body, sent block by block (Block1, RFC 7959 §2.5).

use bytes::Bytes;
use coap_codec::{Block, Code, Options};

use super::options::usable;
use super::{FIRST, MAX_EXPONENT, size_of};
use crate::Failure;

/// A body on its way to a server.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    body: Bytes,
    exponent: u8,
    offset: usize,
    /// The server acts on each block by itself (§2.3): a new start would do things twice.
    enacted: bool,
    /// A block was answered 2.01: the outcome of the whole, whatever later blocks say (§2.10).
    created: bool,
    /// The server had lost the first blocks once.
    restarted: bool,
}

/// What an answer to a block means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadStep {
    /// The next block is to be sent.
    Continue,
    /// All is to be sent again from block 0, perhaps in smaller blocks.
    Restart,
    /// This is the response to the request; it may begin a response body in blocks.
    Done,
    /// The server broke the rules.
    Failed(Failure),
}

impl Upload {
    /// Whether a body of this length can be sent in such blocks: there are 2^20 numbers.
    pub(crate) const fn fits(len: usize, exponent: u8) -> bool {
        len.saturating_sub(1) / size_of(exponent) <= Block::MAX_NUM as usize
    }

    /// A body to be sent in blocks of this size.
    pub(crate) const fn new(body: Bytes, exponent: u8) -> Self {
        let exponent = if exponent < MAX_EXPONENT { exponent } else { MAX_EXPONENT };
        Self { body, exponent, offset: 0, enacted: false, created: false, restarted: false }
    }

    /// Begins anew in blocks after a request without Block1 was answered 4.13, which hints to try that (§2.9.3): in blocks of
    /// the size that the answer's Block1 gives, or smaller. `None` when that cannot help.
    pub(crate) fn after_too_large(body: Bytes, exponent: u8, options: Options<'_>) -> Option<Self> {
        let hint = usable(options.block1()).ok().flatten();
        let exponent = hint.map_or(exponent, |block| exponent.min(block.size_exponent()));
        let limit = options.size1().map_or(usize::MAX, |size| size as usize);
        let useful =
            body.len() > size_of(exponent) && body.len() <= limit && Self::fits(body.len(), exponent);
        useful.then(|| Self::new(body, exponent))
    }

    /// Block1 and payload of the next request.
    pub(crate) fn current(&self) -> (Block, Bytes) {
        let end = self.body.len().min(self.offset + size_of(self.exponent));
        let more = end < self.body.len();
        let num = (self.offset / size_of(self.exponent)) as u32;
        let block = Block::new(num.min(Block::MAX_NUM), more, self.exponent);
        // `fits` was asked before each change of the size.
        (block.unwrap_or(FIRST), self.body.slice(self.offset..end))
    }

    /// Size1 of the next request: with the first block (§4).
    pub(crate) fn size1(&self) -> Option<u32> {
        (self.offset == 0).then(|| u32::try_from(self.body.len()).ok()).flatten()
    }

    /// Bytes that the server has, and of how many.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.offset, self.body.len())
    }

    /// Whether this answers another block than the one that [`current`](Self::current) gave: a repetition that comes late.
    pub(crate) fn is_astray(&self, options: Options<'_>) -> bool {
        let (sent, _) = self.current();
        usable(options.block1()).ok().flatten().is_some_and(|answered| !answers(sent, answered))
    }

    /// The response code of the whole, where `code` is that of the last block.
    pub(crate) fn outcome(&self, code: Code) -> Code {
        if self.created && code == Code::CHANGED { Code::CREATED } else { code }
    }

    /// Takes the answer to the block that [`current`](Self::current) gave.
    pub(crate) fn answered(&mut self, code: Code, options: Options<'_>) -> UploadStep {
        let (sent, payload) = self.current();
        let Ok(block) = usable(options.block1()) else {
            return UploadStep::Failed(Failure::BlockMismatch);
        };
        match code {
            Code::REQUEST_ENTITY_TOO_LARGE => return self.too_large(block, options),
            Code::REQUEST_ENTITY_INCOMPLETE => return self.incomplete(),
            Code::CONTINUE if sent.more() => {}
            Code::CONTINUE => return UploadStep::Failed(Failure::BlockMismatch),
            code if code.is_success() && sent.more() => {
                // Without Block1 the server took the block for the whole body.
                let Some(block) = block else {
                    return UploadStep::Failed(Failure::BlockMismatch);
                };
                self.enacted |= !block.more();
                self.created |= code == Code::CREATED;
            }
            _ => return UploadStep::Done,
        }
        self.advance(sent, block, payload.len())
    }

    /// The block has arrived: the next one, no larger than the server likes them.
    fn advance(&mut self, sent: Block, answer: Option<Block>, len: usize) -> UploadStep {
        let answer = answer.unwrap_or(sent);
        if !answers(sent, answer) {
            return UploadStep::Failed(Failure::BlockMismatch);
        }
        let exponent = self.exponent.min(answer.size_exponent());
        if !Self::fits(self.body.len(), exponent) {
            return UploadStep::Failed(Failure::BodyTooLarge);
        }
        self.exponent = exponent;
        self.offset += len;
        UploadStep::Continue
    }

    /// 4.13 with a smaller size hints to try that size, unless the body is too large in any.
    fn too_large(&mut self, answer: Option<Block>, options: Options<'_>) -> UploadStep {
        let hint = answer.map(Block::size_exponent).filter(|exponent| *exponent < self.exponent);
        let possible = options.size1().is_none_or(|size| self.body.len() <= size as usize);
        match hint {
            Some(exponent) if possible && !self.enacted && Self::fits(self.body.len(), exponent) => {
                self.exponent = exponent;
                self.offset = 0;
                UploadStep::Restart
            }
            _ => UploadStep::Done,
        }
    }

    /// 4.08 after the first block: the server has lost what it had (§2.9.2). Once, all is sent again.
    fn incomplete(&mut self) -> UploadStep {
        if self.offset == 0 || self.enacted || self.restarted {
            return UploadStep::Done;
        }
        self.restarted = true;
        self.offset = 0;
        UploadStep::Restart
    }
}

/// Whether the Block1 of an answer is about the block that was sent. Its number may count in either size.
fn answers(sent: Block, answer: Block) -> bool {
    answer.num() == sent.num() || answer.offset() == sent.offset()
}
