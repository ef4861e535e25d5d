//! Signals and their options, RFC 8323 §5: each code has option numbers of its own.

use crate::{
    Code, Definition, EncodeError, Format, OptionFault, OptionNumber, Options, OptionsWriter, UintValue,
};

/// The numbers of signalling options. What a number means depends on the code, §5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalOption;

impl SignalOption {
    /// Of 7.01: the largest message that its sender takes, §5.3.1.
    pub const MAX_MESSAGE_SIZE: OptionNumber = OptionNumber::new(2);
    /// Of 7.01: the sender does block-wise transfers, §5.3.2.
    pub const BLOCK_WISE_TRANSFER: OptionNumber = OptionNumber::new(4);
    /// Of 7.01: the sender takes tokens up to this length, RFC 8974 §2.2.1.
    pub const EXTENDED_TOKEN_LENGTH: OptionNumber = OptionNumber::new(6);
    /// Of 7.02 and 7.03: all that came before is to be, or was, processed, §5.4.1.
    pub const CUSTODY: OptionNumber = OptionNumber::new(2);
    /// Of 7.04: where to connect to instead, §5.5.
    pub const ALTERNATIVE_ADDRESS: OptionNumber = OptionNumber::new(2);
    /// Of 7.04: for how many seconds not to connect again, §5.5.
    pub const HOLD_OFF: OptionNumber = OptionNumber::new(4);
    /// Of 7.05: the option of a 7.01 that could not be used, §5.6.
    pub const BAD_CSM_OPTION: OptionNumber = OptionNumber::new(2);

    /// What the registry of signalling options says about a number in messages of this code.
    pub fn definition(code: Code, number: OptionNumber) -> Option<&'static Definition> {
        let registry = match code {
            Code::CSM => CSM,
            Code::PING | Code::PONG => PING_AND_PONG,
            Code::RELEASE => RELEASE,
            Code::ABORT => ABORT,
            _ => return None,
        };
        registry.iter().find(|definition| definition.number == number)
    }
}

const fn define(number: OptionNumber, name: &'static str, format: Format, len: (u16, u16)) -> Definition {
    Definition { number, name, format, min_len: len.0, max_len: len.1, repeatable: false }
}

static CSM: &[Definition] = &[
    define(SignalOption::MAX_MESSAGE_SIZE, "Max-Message-Size", Format::Uint, (0, 4)),
    define(SignalOption::BLOCK_WISE_TRANSFER, "Block-Wise-Transfer", Format::Empty, (0, 0)),
    define(SignalOption::EXTENDED_TOKEN_LENGTH, "Extended-Token-Length", Format::Uint, (0, 3)),
];
static PING_AND_PONG: &[Definition] = &[define(SignalOption::CUSTODY, "Custody", Format::Empty, (0, 0))];
static RELEASE: &[Definition] = &[
    Definition {
        repeatable: true,
        ..define(SignalOption::ALTERNATIVE_ADDRESS, "Alternative-Address", Format::String, (1, 255))
    },
    define(SignalOption::HOLD_OFF, "Hold-Off", Format::Uint, (0, 3)),
];
static ABORT: &[Definition] = &[define(SignalOption::BAD_CSM_OPTION, "Bad-CSM-Option", Format::Uint, (0, 2))];

/// What a message of class 7 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal<'a> {
    /// 7.01, Capabilities and Settings. What is `None` stays as it was: 1152 bytes, 8 bytes of token at first.
    Csm {
        /// The largest message that the sender takes.
        max_message_size: Option<u32>,
        /// Whether it says that it does block-wise transfers.
        block_wise_transfer: bool,
        /// The longest token that it takes, RFC 8974.
        extended_token_length: Option<u32>,
    },
    /// 7.02, asks for a Pong with the same token.
    Ping {
        /// Whether that shall wait until all that came before was processed.
        custody: bool,
    },
    /// 7.03, answers a Ping.
    Pong {
        /// Whether all that came before the Ping was processed.
        custody: bool,
    },
    /// 7.04, the sender wants the connection to be closed.
    Release {
        /// Where to connect to instead: the first of the alternatives.
        alternative_address: Option<&'a str>,
        /// Seconds not to connect again.
        hold_off: Option<u32>,
    },
    /// 7.05, the connection is dead.
    Abort {
        /// The option of the receiver's CSM that the sender could not use.
        bad_csm_option: Option<OptionNumber>,
    },
}

impl<'a> Signal<'a> {
    /// What a message with this code and these options says; `None` for a code without a meaning. Elective options
    /// that are unknown, or have values that they cannot have, are ignored.
    ///
    /// # Errors
    /// A critical option that is not known: the connection has to be aborted (§5.2).
    pub fn read(code: Code, options: Options<'a>) -> Result<Option<Self>, OptionFault> {
        let definition = |number| SignalOption::definition(code, number);
        let uint =
            |number| first(options, code, number).and_then(crate::option::uint).map(|value| value as u32);
        let flag = |number| first(options, code, number).is_some();
        let signal = match code {
            Code::CSM => Self::Csm {
                max_message_size: uint(SignalOption::MAX_MESSAGE_SIZE),
                block_wise_transfer: flag(SignalOption::BLOCK_WISE_TRANSFER),
                extended_token_length: uint(SignalOption::EXTENDED_TOKEN_LENGTH),
            },
            Code::PING => Self::Ping { custody: flag(SignalOption::CUSTODY) },
            Code::PONG => Self::Pong { custody: flag(SignalOption::CUSTODY) },
            Code::RELEASE => Self::Release {
                alternative_address: Self::alternative_addresses(options).next(),
                hold_off: uint(SignalOption::HOLD_OFF),
            },
            Code::ABORT => Self::Abort {
                bad_csm_option: uint(SignalOption::BAD_CSM_OPTION)
                    .map(|number| OptionNumber::new(number as u16)),
            },
            _ => return Ok(None),
        };
        options.check_defined(|number| definition(number).is_some(), definition)?;
        Ok(Some(signal))
    }

    /// All alternative addresses of a Release.
    pub fn alternative_addresses(options: Options<'a>) -> impl Iterator<Item = &'a str> {
        let number = SignalOption::ALTERNATIVE_ADDRESS;
        options
            .all_defined(number, SignalOption::definition(Code::RELEASE, number))
            .filter_map(|address| core::str::from_utf8(address).ok())
    }

    /// The code of the message that says it.
    pub const fn code(&self) -> Code {
        match self {
            Self::Csm { .. } => Code::CSM,
            Self::Ping { .. } => Code::PING,
            Self::Pong { .. } => Code::PONG,
            Self::Release { .. } => Code::RELEASE,
            Self::Abort { .. } => Code::ABORT,
        }
    }

    /// Writes the options of the message that says it. At most 263 bytes, and 16 without an alternative address.
    ///
    /// # Errors
    /// As [`OptionsWriter::option`].
    pub fn write_options(&self, out: &mut OptionsWriter<'_>) -> Result<(), EncodeError> {
        let mut uint = |number, value: Option<u32>| match value {
            Some(value) => out.option(number, &UintValue::new(u64::from(value))).map(drop),
            None => Ok(()),
        };
        match *self {
            Self::Csm { max_message_size, block_wise_transfer, extended_token_length } => {
                uint(SignalOption::MAX_MESSAGE_SIZE, max_message_size)?;
                uint(SignalOption::BLOCK_WISE_TRANSFER, block_wise_transfer.then_some(0))?;
                uint(SignalOption::EXTENDED_TOKEN_LENGTH, extended_token_length)
            }
            Self::Ping { custody } | Self::Pong { custody } => {
                uint(SignalOption::CUSTODY, custody.then_some(0))
            }
            Self::Release { alternative_address, hold_off } => {
                uint(SignalOption::HOLD_OFF, hold_off)?;
                match alternative_address {
                    Some(address) => {
                        out.option(SignalOption::ALTERNATIVE_ADDRESS, address.as_bytes()).map(drop)
                    }
                    None => Ok(()),
                }
            }
            Self::Abort { bad_csm_option } => {
                uint(SignalOption::BAD_CSM_OPTION, bad_csm_option.map(|number| u32::from(number.get())))
            }
        }
    }
}

/// The first value that the option can have.
fn first(options: Options<'_>, code: Code, number: OptionNumber) -> Option<&[u8]> {
    options.all_defined(number, SignalOption::definition(code, number)).next()
}
