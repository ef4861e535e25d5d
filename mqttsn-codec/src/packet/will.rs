//! WILLTOPIC and WILLTOPICUPD, §5.4.7 and §5.4.22, and the answers to updates. What carries a will message has no
//! other field.

use crate::flags::{RETAIN, is_set, of_qos, qos, when};
use crate::reader::{end, octet, return_code};
use crate::text::string;
use crate::{EncodeError, Malformed, Output, Packet, QoS, ReturnCode};

/// The topic of a will with what belongs to it: WILLTOPIC, §5.4.7, and WILLTOPICUPD, §5.4.22.
///
/// Both messages can be empty, which deletes the will; a packet then has `None` instead of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WillTopic<'a> {
    /// The QoS with which the gateway publishes the will.
    pub qos: QoS,
    /// Whether the will is to be retained.
    pub retain: bool,
    /// The topic name, at least one octet. Whether it has wildcards is for the gateway.
    pub topic: &'a str,
}

/// Either message: `packet` says which.
#[inline(never)]
pub(super) fn read<'a>(
    input: &'a [u8],
    packet: fn(Option<WillTopic<'a>>) -> Packet<'a>,
) -> Result<Packet<'a>, Malformed> {
    if input.is_empty() {
        return Ok(packet(None));
    }
    let (input, flags) = octet(input)?;
    if input.is_empty() {
        return Err(Malformed::NoWillTopic);
    }
    Ok(packet(Some(WillTopic {
        qos: qos(flags).ok_or(Malformed::WillQoSMinusOne)?,
        retain: is_set(flags, RETAIN),
        topic: string(input)?,
    })))
}

#[inline]
pub(super) const fn body_len(will: Option<&WillTopic<'_>>) -> Result<usize, EncodeError> {
    match will {
        None => Ok(0),
        Some(will) if will.topic.is_empty() => Err(EncodeError::Malformed(Malformed::NoWillTopic)),
        Some(will) => Ok(1 + will.topic.len()),
    }
}

#[inline]
pub(super) fn put(will: Option<&WillTopic<'_>>, out: &mut impl Output) {
    if let Some(will) = will {
        out.put(&[of_qos(will.qos) | when(will.retain, RETAIN)]);
        out.put(will.topic.as_bytes());
    }
}

/// WILLTOPICRESP and WILLMSGRESP, §5.4.24 and §5.4.25. RSMB writes an octet of 0 after the return code; a client that did
/// not understand would take its gateway for lost.
#[inline]
pub(super) fn response(input: &[u8]) -> Result<ReturnCode, Malformed> {
    let (input, code) = return_code(input)?;
    if input != [0] {
        end(input)?;
    }
    Ok(code)
}
