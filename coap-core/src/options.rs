//! An owned list of options.

use alloc::vec::Vec;
use core::fmt;

use coap_codec::{OptionNumber, Options, UintValue};

/// Options of a message to be sent, or of one that came; added in any order, kept as the wire has them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OptionList {
    encoded: Vec<u8>,
    /// A value was longer than a message can say. The endpoint refuses the message.
    too_long: bool,
}

impl OptionList {
    /// No options.
    pub const fn new() -> Self {
        Self { encoded: Vec::new(), too_long: false }
    }

    /// Adds an option, behind those of the same number.
    pub fn add(&mut self, number: OptionNumber, value: &[u8]) -> &mut Self {
        let len = self.encoded.len();
        self.encoded.resize(len + coap_codec::option_growth(number, value.len()), 0);
        let grown = coap_codec::insert_option(&mut self.encoded, len, number, value);
        self.too_long |= grown.is_err();
        self.encoded.truncate(grown.unwrap_or(len));
        self
    }

    /// Adds an option whose value is a number.
    pub fn add_uint(&mut self, number: OptionNumber, value: u64) -> &mut Self {
        self.add(number, &UintValue::new(value))
    }

    /// Takes all options of this number out.
    pub fn remove(&mut self, number: OptionNumber) -> &mut Self {
        if self.view().contains(number) {
            let others: Self = self.view().iter().filter(|option| option.number != number).collect();
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
        Options::decode(&self.encoded).unwrap_or(Options::EMPTY)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// Whether a value was too long for any message.
    pub(crate) fn is_too_long(&self) -> bool {
        self.too_long
    }
}

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
