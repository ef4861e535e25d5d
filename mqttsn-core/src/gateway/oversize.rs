//! Messages larger than the gateway takes, of a server that cannot be told how large that is: Maximum Packet Size came with MQTT 5
//! (§3.1.2.11.4).
//!
//! To refuse one would end the connection, for all clients of an aggregating gateway; and a retained one would end every connection
//! after it, too. So such a PUBLISH loses its end as it comes. No client gets the rest: it is larger than any message of MQTT-SN.

use mqtt_codec::{PacketType, frame_len_hint};

/// A topic name with its length, a packet identifier, and more than a message of MQTT-SN can have (65 535 octets).
const LEAST: u32 = (2 + 65_535) + 2 + 65_536;
/// One byte and a remaining length.
const LONGEST_HEADER: usize = 5;

/// Cuts the messages of one connection, in whatever pieces they come.
#[derive(Debug)]
pub(super) struct Cutter {
    /// The largest remaining length.
    most: u32,
    place: Place,
}

/// Where the stream is.
#[derive(Debug)]
enum Place {
    /// In a fixed header: what has come of it.
    Header(Header),
    /// In a packet: so many bytes are handed on, and the others are not.
    Packet { keep: u32, cut: u32 },
    /// This is no MQTT, and the client is to see it.
    Lost,
}

#[derive(Clone, Copy, Debug, Default)]
struct Header {
    bytes: [u8; LONGEST_HEADER],
    len: u8,
}

/// What becomes of the next bytes.
enum Step {
    /// So many are handed on.
    Keep(usize),
    /// So many are not.
    Skip(usize),
    /// One is the last of a fixed header, and this is handed on.
    Replace(Header),
}

/// The largest packet that is handed on if the gateway takes packets of this size.
pub(super) const fn largest(max_packet_size: u32) -> u32 {
    most(max_packet_size) + LONGEST_HEADER as u32
}

const fn most(max_packet_size: u32) -> u32 {
    if max_packet_size > LEAST { max_packet_size } else { LEAST }
}

impl Cutter {
    /// Before the first byte of a connection.
    pub(super) fn new(max_packet_size: u32) -> Self {
        Self { most: most(max_packet_size), place: Place::Header(Header::default()) }
    }

    /// Hands on what is to be taken of the bytes that have come, in few pieces.
    pub(super) fn cut(&mut self, bytes: &[u8], mut hand_on: impl FnMut(&[u8])) {
        let (mut kept, mut rest) = (0, bytes);
        while kept < rest.len() {
            let (piece, next) = rest.split_at(kept);
            let (header, skipped) = match self.step(next) {
                Step::Keep(len) => {
                    kept += len;
                    continue;
                }
                Step::Skip(len) => (None, len),
                Step::Replace(header) => (Some(header), 1),
            };
            hand_on(piece);
            if let Some(header) = header {
                hand_on(header.get());
            }
            (kept, rest) = (0, next.get(skipped..).unwrap_or_default());
        }
        hand_on(rest);
    }

    /// `next` is not empty.
    fn step(&mut self, next: &[u8]) -> Step {
        match &mut self.place {
            Place::Lost => Step::Keep(next.len()),
            Place::Packet { keep, cut } => {
                let step = if *keep > 0 { Step::Keep(pass(keep, next)) } else { Step::Skip(pass(cut, next)) };
                if (*keep, *cut) == (0, 0) {
                    self.place = Place::Header(Header::default());
                }
                step
            }
            Place::Header(header) => {
                let whole = frame_len_hint(next).filter(|len| header.len == 0 && *len <= self.most as usize);
                if let Some(len) = whole {
                    self.place = Place::Packet { keep: len as u32, cut: 0 };
                    return self.step(next);
                }
                header.push(next);
                let header = *header;
                let Some(len) = frame_len_hint(header.get()) else {
                    if usize::from(header.len) < LONGEST_HEADER {
                        return Step::Skip(1);
                    }
                    self.place = Place::Lost;
                    return Step::Replace(header);
                };
                Step::Replace(self.begin(header, len as u32 - u32::from(header.len)))
            }
        }
    }

    /// The fixed header is there; returns the one to hand on.
    fn begin(&mut self, header: Header, remaining: u32) -> Header {
        let is_message = header.bytes[0] >> 4 == PacketType::Publish as u8;
        let cut = if is_message { remaining.saturating_sub(self.most) } else { 0 };
        let keep = remaining - cut;
        self.place = match keep {
            0 => Place::Header(Header::default()),
            keep => Place::Packet { keep, cut },
        };
        if cut == 0 { header } else { Header::new(header.bytes[0], keep) }
    }
}

impl Header {
    fn new(first: u8, mut remaining: u32) -> Self {
        let mut header = Self::default();
        header.push(&[first]);
        while remaining > 0x7F {
            header.push(&[remaining as u8 | 0x80]);
            remaining >>= 7;
        }
        header.push(&[remaining as u8]);
        header
    }

    /// Takes one byte.
    fn push(&mut self, next: &[u8]) {
        if let (Some(place), Some(byte)) = (self.bytes.get_mut(usize::from(self.len)), next.first()) {
            *place = *byte;
            self.len += 1;
        }
    }

    fn get(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

/// How many of these bytes there are, which then have passed.
fn pass(left: &mut u32, bytes: &[u8]) -> usize {
    let len = bytes.len().min(*left as usize);
    *left -= len as u32;
    len
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use mqtt_codec::{
        Delivery, Direction, FrameRules, Packet, Properties, ProtocolVersion, Publish, next_frame,
    };

    use super::*;

    fn publish(payload: usize) -> Vec<u8> {
        let payload = alloc::vec![b'x'; payload];
        let (properties, topic) = (Properties::NONE, "t");
        let publish =
            Publish { delivery: Delivery::AtMostOnce, retain: true, topic, properties, payload: &payload };
        let mut bytes = Vec::new();
        Packet::Publish(publish).encode(ProtocolVersion::V3_1_1, &mut bytes).unwrap();
        bytes
    }

    fn cut(cutter: &mut Cutter, bytes: &[u8], piece: usize) -> Vec<u8> {
        let mut out = Vec::new();
        bytes.chunks(piece).for_each(|piece| cutter.cut(piece, |bytes| out.extend_from_slice(bytes)));
        out
    }

    #[test]
    fn only_what_is_too_large_is_cut_however_it_comes() {
        let (small, fits, large) = (publish(5), publish(LEAST as usize - 3), publish(300_000));
        let stream = [&small[..], &[0xD0, 0], &fits, &large, &[0x40, 2, 0, 1], &large, &small].concat();
        let whole = cut(&mut Cutter::new(100), &stream, stream.len());
        for piece in [1, 2, 3, 5, 7, 1000, 100_000, LEAST as usize] {
            assert_eq!(cut(&mut Cutter::new(100), &stream, piece), whole, "in pieces of {piece}");
        }
        let rules = FrameRules {
            direction: Direction::ServerToClient,
            first: false,
            version: ProtocolVersion::V3_1_1,
            max_packet_size: largest(100),
        };
        let (mut rest, mut payloads) = (&whole[..], Vec::new());
        while let Some(frame) = next_frame(rest, &rules).unwrap() {
            if let Packet::Publish(publish) = Packet::decode(frame, ProtocolVersion::V3_1_1).unwrap() {
                payloads.push(publish.payload.len());
            }
            rest = &rest[frame.len()..];
        }
        let left = LEAST as usize - 3;
        assert_eq!((payloads, rest), (alloc::vec![5, left, left, left, 5], &[][..]));
        assert!(left > usize::from(u16::MAX));
    }

    #[test]
    fn a_gateway_may_take_more() {
        let large = publish(300_000);
        assert_eq!(cut(&mut Cutter::new(400_000), &large, 1000), large);
    }

    #[test]
    fn what_is_no_mqtt_is_handed_on() {
        let garbage = [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3];
        for piece in 1..garbage.len() {
            assert_eq!(cut(&mut Cutter::new(100), &garbage, piece), garbage);
        }
    }
}
