//! The bytes that everybody reads and writes, and the topics that everybody looks up.

pub mod coap;
pub mod mqtt;
pub mod mqttsn;
pub mod topics;

/// Bytes of a payload that are not all the same.
pub fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|index| b' ' + (index % 90) as u8).collect()
}
