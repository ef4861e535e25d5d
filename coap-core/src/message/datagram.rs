//! Datagrams to be sent, and the first four bytes of them.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use bytes::Bytes;
use coap_codec::MessageType;

/// Bytes kept without an allocation. Requests and acknowledgements of constrained devices fit.
const INLINE: usize = 126;

/// A datagram to be sent. A small one is held here, a larger one in the heap.
#[derive(Clone)]
pub struct Datagram(Kept);

#[derive(Clone)]
enum Kept {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Vec<u8>),
}

impl Datagram {
    /// A copy of these bytes.
    pub(super) fn copy(datagram: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..datagram.len()) {
            Some(place) => {
                place.copy_from_slice(datagram);
                Self(Kept::Inline { len: datagram.len() as u8, bytes })
            }
            None => Self(Kept::Heap(datagram.to_vec())),
        }
    }

    /// The bytes of this buffer, which keeps its memory if they are few.
    pub(super) fn take(buffer: &mut Vec<u8>) -> Self {
        if buffer.len() <= INLINE { Self::copy(buffer) } else { Self(Kept::Heap(core::mem::take(buffer))) }
    }

    /// An Empty message: acknowledgement, Reset or ping.
    pub(super) fn empty(message_type: MessageType, message_id: u16) -> Self {
        let mut header = [1 << 6, 0, 0, 0];
        address(&mut header, message_type, message_id);
        Self::copy(&header)
    }
}

/// Writes type and message id into a datagram whose other parts are done.
pub(super) fn address(datagram: &mut [u8], message_type: MessageType, message_id: u16) {
    if let Some([first, _, id @ ..]) = datagram.first_chunk_mut::<4>() {
        *first = *first & 0b1100_1111 | (message_type as u8) << 4;
        *id = message_id.to_be_bytes();
    }
}

impl From<Datagram> for Bytes {
    fn from(datagram: Datagram) -> Self {
        match datagram.0 {
            Kept::Inline { .. } => Self::copy_from_slice(&datagram),
            Kept::Heap(bytes) => bytes.into(),
        }
    }
}

impl Deref for Datagram {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Kept::Heap(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Datagram {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Datagram {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Datagram {}

impl fmt::Debug for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Datagram(")?;
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
