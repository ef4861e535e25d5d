//! The Flags octet, §5.3.4. Bits that a message does not use are written as 0 and not looked at: gateways in use
//! leave them dirty.

use crate::QoS;

pub(crate) const DUP: u8 = 1 << 7;
pub(crate) const RETAIN: u8 = 1 << 4;
pub(crate) const WILL: u8 = 1 << 3;
pub(crate) const CLEAN_SESSION: u8 = 1 << 2;

pub(crate) const QOS_MINUS_ONE: u8 = 0b11 << QOS_SHIFT;
const QOS_SHIFT: u8 = 5;

/// TopicIdType: a normal topic id, or a topic name.
pub(crate) const NORMAL: u8 = 0b00;
/// TopicIdType: a predefined topic id.
pub(crate) const PREDEFINED: u8 = 0b01;
/// TopicIdType: a short topic name.
pub(crate) const SHORT: u8 = 0b10;
const TOPIC_ID_TYPE: u8 = 0b11;

#[inline]
pub(crate) const fn is_set(flags: u8, bit: u8) -> bool {
    flags & bit != 0
}

#[inline]
pub(crate) const fn when(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

/// The QoS, `None` for QoS -1.
#[inline]
pub(crate) const fn qos(flags: u8) -> Option<QoS> {
    QoS::new((flags & QOS_MINUS_ONE) >> QOS_SHIFT)
}

#[inline]
pub(crate) const fn of_qos(qos: QoS) -> u8 {
    (qos as u8) << QOS_SHIFT
}

#[inline]
pub(crate) const fn topic_id_type(flags: u8) -> u8 {
    flags & TOPIC_ID_TYPE
}
