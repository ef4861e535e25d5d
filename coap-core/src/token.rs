//! Tokens, RFC 7252 §5.3.1, of any length that RFC 8974 allows.

use alloc::boxed::Box;
use core::cmp::Ordering;
use core::fmt;

/// What matches a response to its request. Up to eight bytes are kept without an allocation.
#[derive(Clone)]
pub struct Token(Kept);

#[derive(Clone)]
enum Kept {
    Short { len: u8, bytes: [u8; 8] },
    Extended(Box<[u8]>),
}

impl Token {
    /// The empty token, which is as good as any other.
    pub const EMPTY: Self = Self(Kept::Short { len: 0, bytes: [0; 8] });

    /// A token of these bytes.
    pub fn new(token: &[u8]) -> Self {
        let mut bytes = [0; 8];
        match bytes.get_mut(..token.len()) {
            Some(place) => {
                place.copy_from_slice(token);
                Self(Kept::Short { len: token.len() as u8, bytes })
            }
            None => Self(Kept::Extended(token.into())),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Kept::Extended(bytes) => bytes,
        }
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Token {}

impl Ord for Token {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // What is behind the end is zero: the order of the bytes, without looking at each.
            (Kept::Short { len, bytes }, Kept::Short { len: other_len, bytes: other }) => {
                (u64::from_be_bytes(*bytes), len).cmp(&(u64::from_be_bytes(*other), other_len))
            }
            _ => self.as_bytes().cmp(other.as_bytes()),
        }
    }
}

impl PartialOrd for Token {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<&[u8]> for Token {
    fn from(token: &[u8]) -> Self {
        Self::new(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
