//! An owned list of options.

use alloc::vec::Vec;
use core::fmt;

use coap_codec::{OptionNumber, Options, OptionsWriter, UintValue};

/// Options of a message to be sent, or of one that came; added in any order, kept as the wire has them. A few short ones, such as a path
/// of two segments, take no allocation.
#[derive(Clone)]
pub struct OptionList {
    encoded: Encoded,
    /// A value was longer than a message can say. The endpoint refuses the message.
    too_long: bool,
}

/// Bytes kept without an allocation.
const SHORT: usize = 38;

#[derive(Clone)]
enum Encoded {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Vec<u8>),
}

impl Encoded {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Self::Long(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Encoded {
    fn from(encoded: &[u8]) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..encoded.len()) {
            Some(place) => {
                place.copy_from_slice(encoded);
                Self::Short { len: encoded.len() as u8, bytes }
            }
            None => Self::Long(encoded.into()),
        }
    }
}

impl OptionList {
    /// No options.
    pub const fn new() -> Self {
        Self { encoded: Encoded::Short { len: 0, bytes: [0; SHORT] }, too_long: false }
    }

    /// Adds an option, behind those of the same number.
    pub fn add(&mut self, number: OptionNumber, value: &[u8]) -> &mut Self {
        let added = match &mut self.encoded {
            Encoded::Short { len, bytes } => {
                insert(bytes, usize::from(*len), number, value).map(|grown| *len = grown as u8)
            }
            Encoded::Long(_) => None,
        };
        if added.is_none() {
            self.add_long(number, value);
        }
        self
    }

    /// Adds an option where that takes an allocation.
    #[cold]
    fn add_long(&mut self, number: OptionNumber, value: &[u8]) {
        let mut bytes = match &mut self.encoded {
            Encoded::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default().to_vec(),
            Encoded::Long(bytes) => core::mem::take(bytes),
        };
        let old = bytes.len();
        bytes.resize(old + coap_codec::option_growth(number, value.len()), 0);
        let grown = insert(&mut bytes, old, number, value);
        bytes.truncate(grown.unwrap_or(old));
        self.encoded = Encoded::Long(bytes);
        self.too_long |= grown.is_none();
    }

    /// Adds an option whose value is a number.
    pub fn add_uint(&mut self, number: OptionNumber, value: u64) -> &mut Self {
        self.add(number, &UintValue::new(value))
    }

    /// Takes all options of this number out.
    pub fn remove(&mut self, number: OptionNumber) -> &mut Self {
        self.retain(|other| other != number)
    }

    /// Takes out all options but those of some numbers.
    pub(crate) fn retain(&mut self, keep: impl Fn(OptionNumber) -> bool) -> &mut Self {
        if self.view().iter().any(|option| !keep(option.number)) {
            let others: Self = self.view().iter().filter(|option| keep(option.number)).collect();
            self.encoded = others.encoded;
        }
        self
    }

    /// Puts one option of this number in the place of all.
    pub fn set(&mut self, number: OptionNumber, value: &[u8]) -> &mut Self {
        self.remove(number).add(number, value)
    }

    /// Puts one option of this number, with a number as its value, in the place of all.
    pub fn set_uint(&mut self, number: OptionNumber, value: u64) -> &mut Self {
        self.set(number, &UintValue::new(value))
    }

    /// The options, to be read.
    pub fn view(&self) -> Options<'_> {
        Options::assume_valid(self.encoded.bytes())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.encoded.bytes().is_empty()
    }

    /// Whether a value was too long for any message.
    pub(crate) fn is_too_long(&self) -> bool {
        self.too_long
    }
}

/// The new length of the block; `None` when the value is too long, or there is no room for it.
fn insert(buffer: &mut [u8], len: usize, number: OptionNumber, value: &[u8]) -> Option<usize> {
    let mut block = OptionsWriter::resume(buffer, len);
    block.option(number, value).ok()?;
    Some(block.options().encoded().len())
}

impl Default for OptionList {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for OptionList {
    fn eq(&self, other: &Self) -> bool {
        self.encoded.bytes() == other.encoded.bytes() && self.too_long == other.too_long
    }
}

impl Eq for OptionList {}

impl From<Options<'_>> for OptionList {
    fn from(options: Options<'_>) -> Self {
        Self { encoded: options.encoded().into(), too_long: false }
    }
}

impl<'a> FromIterator<coap_codec::CoapOption<'a>> for OptionList {
    fn from_iter<I: IntoIterator<Item = coap_codec::CoapOption<'a>>>(options: I) -> Self {
        let mut list = Self::new();
        for option in options {
            list.add(option.number, option.value);
        }
        list
    }
}

impl fmt::Debug for OptionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.view().iter()).finish()
    }
}
