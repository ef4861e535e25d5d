//! A packet's properties: a list, an encoded block, or one after the other.

use super::table::{KINDS, TABLE, admitted};
use super::{Property, PropertyContext, SubscriptionIdentifier};
use crate::header::varint_len;
use crate::reader::{Parsed, refuse, take, varint};
use crate::writer::{Output, put_varint};
use crate::{EncodeError, Malformed, ProtocolVersion};

/// The properties of a packet, borrowed.
///
/// They are an encoded block (what a decoded packet has), a list (what a caller builds), or a block with a
/// list before it: a server forwards the block that it stored and adds alias, expiry and subscription
/// identifiers of its own. The block comes last, next to the payload of a PUBLISH, so that a server which keeps
/// both in one piece can send that piece to many clients without copying it. Two of them are equal if they give
/// the same properties in the same order.
#[derive(Clone, Copy, Default)]
pub struct Properties<'a> {
    block: &'a [u8],
    list: &'a [Property<'a>],
}

impl<'a> Properties<'a> {
    /// No properties.
    pub const NONE: Self = Self { block: &[], list: &[] };

    /// Properties to be encoded.
    #[inline]
    pub const fn list(list: &'a [Property<'a>]) -> Self {
        Self { block: &[], list }
    }

    /// Validates an encoded block (without its length in front) for its place.
    ///
    /// # Errors
    /// The [`Malformed`] rule that the block breaks.
    pub fn validate(block: &'a [u8], context: PropertyContext) -> Result<Self, Malformed> {
        check(block, context)?;
        Ok(Self { block, list: &[] })
    }

    /// A block that [`validate`](Self::validate) or an earlier decode has seen, or a sequence of properties
    /// written by [`Property::encode`]. Of other bytes it gives some properties or none, and encodes them as
    /// they are.
    #[inline]
    pub const fn assume_valid(block: &'a [u8]) -> Self {
        Self { block, list: &[] }
    }

    /// The same block with this list before it, in place of the list it has.
    #[inline]
    #[must_use]
    pub const fn and(self, more: &'a [Property<'a>]) -> Self {
        Self { block: self.block, list: more }
    }

    /// The encoded block, without its length in front.
    #[inline]
    pub const fn encoded(&self) -> &'a [u8] {
        self.block
    }

    /// Whether there is no property.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.block.is_empty() && self.list.is_empty()
    }

    /// All properties in their order.
    #[inline]
    pub const fn iter(&self) -> PropertyIter<'a> {
        PropertyIter { block: self.block, list: self.list }
    }

    /// Names and values of the user properties, in their order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone + use<'a> {
        self.iter().filter_map(|property| match property {
            Property::UserProperty(name, value) => Some((name, value)),
            _ => None,
        })
    }

    /// The subscription identifiers, in their order. SUBSCRIBE has one at most.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = SubscriptionIdentifier> + Clone + use<'a> {
        self.iter().filter_map(|property| match property {
            Property::SubscriptionIdentifier(identifier) => Some(identifier),
            _ => None,
        })
    }

    /// Bytes of the properties on the wire, without their length in front.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a string or binary value above 65 535 bytes.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        self.list.iter().try_fold(self.block.len(), |len, property| Ok(len + property.encoded_len()?))
    }

    /// The first property with this identifier.
    #[inline]
    pub(super) fn find(&self, identifier: u8) -> Option<Property<'a>> {
        if self.is_empty() { None } else { self.search(identifier) }
    }

    fn search(&self, identifier: u8) -> Option<Property<'a>> {
        if let Some(property) = self.list.iter().find(|property| property.identifier() == identifier) {
            return Some(*property);
        }
        let mut block = self.block;
        while let [found, rest @ ..] = block {
            if *found == identifier {
                return Property::read(identifier, rest).ok().map(|(_, property)| property);
            }
            block = skip(*found, rest)?;
        }
        None
    }

    /// Reads length and block, §2.2.2; nothing before 5.0.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most packets")]
    pub(crate) fn read(
        input: &'a [u8],
        version: ProtocolVersion,
        context: PropertyContext,
    ) -> Parsed<'a, Self> {
        if version < ProtocolVersion::V5 {
            return Ok((input, Self::NONE));
        }
        let (rest, len) = varint(input)?;
        if len == 0 {
            return Ok((rest, Self::NONE));
        }
        let (rest, block) = take(rest, len as usize)?;
        check(block, context)?;
        Ok((rest, Self { block, list: &[] }))
    }

    /// Bytes of length and properties; 0 before 5.0. The list is checked for its place, the block was long
    /// ago.
    #[inline]
    pub(crate) fn field_len(&self, version: ProtocolVersion, contexts: u16) -> Result<usize, EncodeError> {
        if version < ProtocolVersion::V5 {
            return Ok(0);
        }
        let mut len = self.block.len();
        if !self.list.is_empty() {
            len += checked_len(self.list, contexts)?;
        }
        Ok(varint_len(len) + len)
    }

    /// Writes length and properties; nothing before 5.0. The caller has asked for
    /// [`field_len`](Self::field_len).
    #[inline]
    pub(crate) fn put_field(&self, version: ProtocolVersion, out: &mut impl Output) {
        if version == ProtocolVersion::V5 {
            let len = self.encoded_len().unwrap_or_default();
            self.put_field_of(varint_len(len) + len, out);
        }
    }

    /// Writes length and properties of this [`field_len`](Self::field_len).
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most packets")]
    pub(crate) fn put_field_of(&self, field_len: usize, out: &mut impl Output) {
        match field_len {
            0 => {}
            1 => out.put(&[0]),
            _ => self.put_some(inner_len(field_len), out),
        }
    }

    fn put_some(&self, len: usize, out: &mut impl Output) {
        put_varint(len, out);
        self.list.iter().for_each(|property| property.put(out));
        out.put(self.block);
    }

    /// As [`put_field_of`](Self::put_field_of), but leaves the block to the caller.
    pub(crate) fn put_field_start(&self, field_len: usize, out: &mut impl Output) {
        if field_len > 0 {
            put_varint(inner_len(field_len), out);
            self.list.iter().for_each(|property| property.put(out));
        }
    }
}

impl Property<'_> {
    /// Writes identifier and value, without any check of where it may stand.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a string or binary value above 65 535 bytes, [`EncodeError::NoRoom`].
    pub fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        if self.encoded_len()? > out.room() {
            return Err(EncodeError::NoRoom);
        }
        self.put(out);
        Ok(())
    }
}

/// The length inside of a field that is its own length and as many bytes.
const fn inner_len(field_len: usize) -> usize {
    match field_len {
        0..=0x80 => field_len - 1,
        0x81..=0x4001 => field_len - 2,
        0x4002..=0x20_0002 => field_len - 3,
        _ => field_len - 4,
    }
}

/// Checks a block: identifiers, places, repetitions, values.
fn check(mut block: &[u8], context: PropertyContext) -> Result<(), nom::Err<Malformed>> {
    let all = admitted(context);
    let mut admitted = all;
    while let [identifier, rest @ ..] = block {
        let bit = 1_u64.checked_shl(u32::from(*identifier)).unwrap_or(0);
        if admitted & bit == 0 {
            return Err(refuse(refusal(*identifier, context)));
        }
        admitted &= !bit | repeatable(context.bit());
        block = KINDS[usize::from(identifier % 64)].check(*identifier, rest)?;
    }
    if context.bit() & AUTHENTICATING != 0 {
        check_authentication(all & !admitted, context).map_err(refuse)
    } else {
        Ok(())
    }
}

/// Bytes of a list whose properties are all in their place.
fn checked_len(list: &[Property<'_>], contexts: u16) -> Result<usize, EncodeError> {
    let (mut seen, mut len) = (0_u64, 0);
    for property in list {
        let identifier = property.identifier();
        let row = TABLE.get(usize::from(identifier)).and_then(Option::as_ref);
        if row.is_none_or(|row| row.contexts & contexts == 0) {
            return Err(Malformed::MisplacedProperty(identifier).into());
        }
        let bit = 1 << identifier;
        if seen & bit & !repeatable(contexts) != 0 {
            return Err(Malformed::DuplicateProperty(identifier).into());
        }
        seen |= bit;
        len += property.encoded_len()?;
    }
    Ok(len)
}

const USER_PROPERTY: u8 = 0x26;
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
const AUTHENTICATION_METHOD: u8 = 0x15;
const AUTHENTICATION_DATA: u8 = 0x16;
const SESSION_EXPIRY_INTERVAL: u8 = 0x11;

const AUTHENTICATING: u16 =
    PropertyContext::Connect.bit() | PropertyContext::ConnAck.bit() | PropertyContext::Auth.bit();

/// One bit for each property that may come again: the user property, in a server's PUBLISH the subscription
/// identifier.
#[inline]
const fn repeatable(contexts: u16) -> u64 {
    if contexts & PropertyContext::PublishToClient.bit() == 0 {
        1 << USER_PROPERTY
    } else {
        1 << USER_PROPERTY | 1 << SUBSCRIPTION_IDENTIFIER
    }
}

/// What is wrong with a property that is not, or no longer, admitted.
#[cold]
fn refusal(identifier: u8, context: PropertyContext) -> Malformed {
    match TABLE.get(usize::from(identifier)) {
        Some(Some(row)) if row.contexts & context.bit() != 0 => Malformed::DuplicateProperty(identifier),
        Some(Some(_)) => misplaced(identifier, context),
        _ => Malformed::UnknownProperty(identifier),
    }
}

fn misplaced(identifier: u8, context: PropertyContext) -> Malformed {
    match (identifier, context) {
        (SUBSCRIPTION_IDENTIFIER, PropertyContext::PublishToServer) => {
            Malformed::SubscriptionIdentifierFromClient
        }
        (SESSION_EXPIRY_INTERVAL, PropertyContext::DisconnectToClient) => Malformed::SessionExpiryFromServer,
        _ => Malformed::MisplacedProperty(identifier),
    }
}

/// Data needs a method (§3.1.2.11.10), and AUTH always has one (§3.15.2.2.2).
fn check_authentication(seen: u64, context: PropertyContext) -> Result<(), Malformed> {
    let method = seen & (1 << AUTHENTICATION_METHOD) != 0;
    let data = seen & (1 << AUTHENTICATION_DATA) != 0;
    match (method, data) {
        (false, _) if context == PropertyContext::Auth => Err(Malformed::AuthenticationMethodMissing),
        (false, true) => Err(Malformed::AuthenticationDataWithoutMethod),
        _ => Ok(()),
    }
}

fn skip(identifier: u8, rest: &[u8]) -> Option<&[u8]> {
    TABLE.get(usize::from(identifier))?.as_ref()?.kind.skip(rest)
}

/// The properties of a packet, one after the other.
#[derive(Clone, Debug)]
pub struct PropertyIter<'a> {
    block: &'a [u8],
    list: &'a [Property<'a>],
}

impl<'a> Iterator for PropertyIter<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        if let Some((first, rest)) = self.list.split_first() {
            self.list = rest;
            return Some(*first);
        }
        let (identifier, rest) = self.block.split_first()?;
        let Ok((rest, property)) = Property::read(*identifier, rest) else {
            self.block = &[];
            return None;
        };
        self.block = rest;
        Some(property)
    }
}

impl<'a> IntoIterator for Properties<'a> {
    type Item = Property<'a>;
    type IntoIter = PropertyIter<'a>;

    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Properties<'a> {
    type Item = Property<'a>;
    type IntoIter = PropertyIter<'a>;

    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}

impl PartialEq for Properties<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Properties<'_> {}

impl core::fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
