//! How a peer's codec is put into the harness. What it cannot read, or writes otherwise, it is not measured at.

use std::hint::black_box;
use std::rc::Rc;

use bytes::BytesMut;
use harness::corpus::mqtt::{FRAGMENT, samples, stream};
use harness::{Case, case, prepared_case, repeat, stream_case};
use mqtt_codec::{ProtocolVersion, frame_len_hint};

const PARSE: &str = "parse_mqtt";
const ENCODE: &str = "encode_mqtt";

/// Who reads and writes what.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) who: &'static str,
    pub(super) version_name: &'static str,
    pub(super) version: ProtocolVersion,
}

impl Peer {
    fn name(self, sample: &str) -> String {
        format!("{} {sample}", self.version_name)
    }

    /// A reader that takes packets out of a `BytesMut`, or says that there is none yet.
    pub(super) fn parse_bytes<P: 'static>(
        self,
        read: impl FnMut(&mut BytesMut) -> Option<P> + Clone + 'static,
    ) -> Vec<Case> {
        let mut cases = Vec::new();
        for sample in samples(self.version) {
            if read.clone()(&mut BytesMut::from(&sample.bytes[..])).is_none() {
                continue;
            }
            let mut read = read.clone();
            let prepare = move |times| BytesMut::from(&sample.bytes.repeat(times as usize)[..]);
            cases.push(prepared_case(PARSE, self.name(sample.name), self.who, prepare, {
                move |buffer: &mut BytesMut, times| repeat(times, || read(black_box(buffer)))
            }));
        }
        let bytes = Rc::new(stream(self.version).concat());
        let packets = stream(self.version).len();
        let count_all = |read: &mut dyn FnMut(&mut BytesMut) -> Option<P>| {
            let mut buffer = BytesMut::from(&bytes[..]);
            std::iter::from_fn(|| read(&mut buffer)).count()
        };
        if count_all(&mut read.clone()) != packets {
            return cases;
        }
        let (whole, mut read_whole) = (Rc::clone(&bytes), read.clone());
        let prepare = move |times| BytesMut::from(&whole.repeat(times as usize)[..]);
        let run = move |buffer: &mut BytesMut, times: u64| {
            for _ in 0..times {
                repeat(packets as u64, || read_whole(black_box(buffer)));
            }
        };
        let mut whole = prepared_case(PARSE, self.name("stream_1000_mixed"), self.who, prepare, run).times(4);
        whole.operations = packets as u64;
        cases.push(whole);
        let mut read = read;
        let mut buffer = BytesMut::with_capacity(4096);
        cases.push(stream_case(PARSE, self.name("stream_frag100"), self.who, packets, move |times| {
            for _ in 0..times {
                let mut read_so_far = 0;
                for fragment in bytes.chunks(FRAGMENT) {
                    buffer.extend_from_slice(black_box(fragment));
                    while let Some(packet) = read(&mut buffer) {
                        black_box(&packet);
                        read_so_far += 1;
                    }
                }
                assert_eq!(read_so_far, packets);
            }
        }));
        cases
    }

    /// A reader of one whole packet in a slice. Where packets end is told to it.
    pub(super) fn parse_slice(self, read: impl Fn(&[u8]) -> bool + Clone + 'static) -> Vec<Case> {
        let mut cases = Vec::new();
        for sample in samples(self.version) {
            if !read(&sample.bytes) {
                continue;
            }
            let read = read.clone();
            cases.push(case(PARSE, self.name(sample.name), self.who, move |times| {
                repeat(times, || read(black_box(&sample.bytes)));
            }));
        }
        let packets = stream(self.version);
        let bytes = packets.concat();
        let read_all = move |bytes: &[u8]| {
            let mut at = 0;
            while let Some(len) = frame_len_hint(&bytes[at..]).filter(|len| at + len <= bytes.len()) {
                if !read(&bytes[at..at + len]) {
                    break;
                }
                at += len;
            }
            at
        };
        if read_all(&bytes) != bytes.len() {
            return cases;
        }
        let (fragments, read_some) = (bytes.clone(), read_all.clone());
        cases.push(stream_case(
            PARSE,
            self.name("stream_1000_mixed"),
            self.who,
            packets.len(),
            move |times| {
                repeat(times, || read_all(black_box(&bytes)));
            },
        ));
        let mut buffer = Vec::with_capacity(4096);
        cases.push(stream_case(PARSE, self.name("stream_frag100"), self.who, packets.len(), move |times| {
            for _ in 0..times {
                for fragment in fragments.chunks(FRAGMENT) {
                    buffer.extend_from_slice(black_box(fragment));
                    let read = read_some(&buffer);
                    buffer.drain(..read);
                }
            }
        }));
        cases
    }

    /// A writer, given what the same peer decoded. `start` is the empty buffer, which is used again and again.
    pub(super) fn encode<P: 'static, B: AsRef<[u8]> + 'static>(
        self,
        decode: impl Fn(&[u8]) -> Option<P>,
        start: fn(usize) -> B,
        write: impl Fn(&P, &mut B) -> usize + Clone + 'static,
    ) -> Vec<Case> {
        let mut cases = Vec::new();
        for sample in samples(self.version) {
            let Some(packet) = decode(&sample.bytes) else { continue };
            let mut buffer = start(sample.bytes.len() + 64);
            let len = write(&packet, &mut buffer);
            // Properties may be in another order.
            if len != sample.bytes.len() || decode(&buffer.as_ref()[..len]).is_none() {
                continue;
            }
            let write = write.clone();
            cases.push(case(ENCODE, self.name(sample.name), self.who, move |times| {
                repeat(times, || write(black_box(&packet), black_box(&mut buffer)));
            }));
        }
        let packets: Vec<_> = stream(self.version).iter().filter_map(|bytes| decode(bytes)).collect();
        if packets.len() != stream(self.version).len() {
            return cases;
        }
        let mut buffer = start(4096);
        cases.push(stream_case(
            ENCODE,
            self.name("stream_1000_mixed"),
            self.who,
            packets.len(),
            move |times| {
                for _ in 0..times {
                    for packet in black_box(&packets) {
                        black_box(write(packet, &mut buffer));
                    }
                }
            },
        ));
        cases
    }
}
