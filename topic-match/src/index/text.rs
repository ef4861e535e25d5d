//! Many short texts in one piece of memory, each under the offset at which it begins.

use alloc::string::String;

/// Texts begin below this offset: numbers of 30 bits.
const SPACE: usize = 1 << 30;
/// Less is not worth moving texts for.
const WORTHWHILE: usize = 4096;

/// Each text follows its length, in groups of six bits, all but the last marked by 0x40: ASCII, so that the
/// whole stays UTF-8 and a text is had without a second check.
#[derive(Clone, Default, Debug)]
pub(super) struct Texts {
    all: String,
    removed: usize,
}

impl Texts {
    pub(super) fn has_space(&self) -> bool {
        self.all.len() < SPACE
    }

    /// The caller has asked `has_space`.
    pub(super) fn push(&mut self, text: &str) -> u32 {
        let offset = self.all.len();
        let needed = size(text);
        if self.all.capacity() - offset < needed {
            self.all.reserve_exact(needed.max(offset / 16));
        }
        let mut length = text.len();
        while length >= 0x40 {
            self.all.push(char::from(0x40 | (length & 0x3F) as u8));
            length >>= 6;
        }
        self.all.push(char::from(length as u8));
        self.all.push_str(text);
        offset as u32
    }

    pub(super) fn get(&self, offset: u32) -> &str {
        let (mut start, mut length, mut shift) = (offset as usize, 0, 0);
        for byte in self.all.as_bytes().iter().skip(start) {
            length |= usize::from(byte & 0x3F) << shift;
            start += 1;
            if *byte < 0x40 {
                break;
            }
            shift += 6;
        }
        self.all.get(start..start + length).unwrap_or_default()
    }

    /// Forgets a text; its bytes stay until the texts are moved.
    pub(super) fn remove(&mut self, offset: u32) {
        self.removed += size(self.get(offset));
    }

    /// Whether more than half is forgotten texts: then the owner moves those that are left into fresh
    /// `Texts`, with work in proportion to what was removed.
    pub(super) fn is_wasteful(&self) -> bool {
        self.removed >= WORTHWHILE && self.removed * 2 > self.all.len()
    }
}

fn size(text: &str) -> usize {
    text.len() + 1 + usize::from(text.len() >= 1 << 6) + usize::from(text.len() >= 1 << 12)
}
