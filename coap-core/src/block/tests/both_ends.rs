//! Our client against our server, with sizes and lengths of all kinds and blocks that come twice.

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use coap_codec::{Block, Code, OptionNumber, Options};
use machine::{Instant, Random};

use super::{block, body};
use crate::block::{
    Assembled, Assemblies, BlockOptions, Bodies, Download, DownloadStep, Piece, Start, Upload, UploadStep,
    blocks_of,
};
use crate::cache_key::operation_key;
use crate::{Counters, Limits, OptionList};

const NOW: Instant = Instant::EPOCH;
const LIFETIME: Duration = Duration::from_secs(247);

/// The options of a request with one more.
fn with(options: &OptionList, number: OptionNumber, block: Block) -> OptionList {
    let mut options = options.clone();
    options.set(number, &block.value());
    options
}

/// Sends a body to the end; what arrived.
fn send(sent: &[u8], exponents: (u8, u8), random: &mut Random) -> Vec<u8> {
    let mut assemblies = Assemblies::new(&Limits::default(), LIFETIME, exponents.1, 1);
    let mut upload = Upload::new(Bytes::copy_from_slice(sent), exponents.0);
    let request = OptionList::new();
    let key = operation_key(Code::PUT, request.view());
    let mut counters = Counters::default();
    loop {
        let (block1, payload) = upload.current();
        let options = with(&request, OptionNumber::BLOCK1, block1);
        assert_eq!(blocks_of(options.view(), &payload).unwrap().block1, Some(block1));
        let mut receive =
            || assemblies.receive(1, &key, block1, options.view(), &payload, &mut counters, NOW);
        if block1.more() && random.chance(1, 4) {
            receive();
        }
        let step = match receive() {
            Assembled::Continue(block) => {
                upload.answered(Code::CONTINUE, with(&request, OptionNumber::BLOCK1, block).view())
            }
            Assembled::Whole { body, block, .. } => {
                let options = with(&request, OptionNumber::BLOCK1, block);
                assert_eq!(upload.answered(Code::CHANGED, options.view()), UploadStep::Done);
                assert_eq!(assemblies.bytes(), 0);
                return body;
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(step, UploadStep::Continue);
    }
}

/// Fetches a body to the end.
fn fetch(sent: &[u8], first: Option<u8>, exponents: (u8, u8), random: &mut Random) -> Vec<u8> {
    let mut bodies = Bodies::new(&Limits::default(), LIFETIME, exponents.1, random);
    let key = operation_key(Code::GET, Options::EMPTY);
    let content =
        || Piece { code: Code::CONTENT, options: OptionList::new(), payload: Bytes::copy_from_slice(sent) };
    let wanted = |block2: Option<Block>| BlockOptions { block2, ..BlockOptions::default() };
    let first = wanted(first.and_then(|exponent| Block::new(0, false, exponent)));
    let piece = bodies.answer(1, &key, content(), &first, 2000, NOW);
    let mut download =
        match Download::start(Code::GET, piece.options.view(), &piece.payload, exponents.0, 1 << 20) {
            Start::Whole => return piece.payload.into(),
            Start::Blocks(download) => download,
            Start::Failed(failure) => panic!("{failure}"),
        };
    loop {
        let next = wanted(Some(download.next()));
        if random.chance(1, 8) {
            bodies.forget(1);
        }
        let kept = bodies.further(1, &key, &next, 2000, NOW);
        let piece = kept.unwrap_or_else(|| bodies.answer(1, &key, content(), &next, 2000, NOW));
        match download.answered(piece.code, piece.options.view(), &piece.payload) {
            DownloadStep::Continue => {}
            DownloadStep::Complete(body) => return body,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn bodies_arrive_whole_in_both_directions() {
    let mut random = Random::from_u64(7959);
    for _ in 0..300 {
        let magnitude = random.below(13);
        let len = random.below(1 << magnitude) as usize;
        let exponents = (random.below(7) as u8, random.below(7) as u8);
        let sent = body(len);
        assert_eq!(send(&sent, exponents, &mut random), sent, "{len} {exponents:?}");
        let first = random.chance(1, 2).then(|| random.below(7) as u8);
        assert_eq!(fetch(&sent, first, exponents, &mut random), sent, "{len} {first:?} {exponents:?}");
    }
}

#[test]
fn lengths_around_a_block_arrive_whole() {
    let mut random = Random::from_u64(1);
    for len in [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65] {
        assert_eq!(send(&body(len), (0, 6), &mut random), body(len));
        assert_eq!(send(&body(len), (2, 0), &mut random), body(len));
        assert_eq!(fetch(&body(len), None, (6, 0), &mut random), body(len));
        assert_eq!(fetch(&body(len), Some(1), (6, 2), &mut random), body(len));
    }
}

/// §3.3 figure 11: a POST of three blocks is answered with four, after an early wish for 64 bytes.
#[test]
fn figure_11_block1_and_block2_in_one_request() {
    let (request_body, response_body) = (body(300), body(250));
    let mut assemblies: Assemblies<u32> = Assemblies::new(&Limits::default(), LIFETIME, 6, 1);
    let mut bodies = Bodies::new(&Limits::default(), LIFETIME, 6, &mut Random::from_u64(1));
    let mut upload = Upload::new(Bytes::from(request_body.clone()), 3);
    let mut path = OptionList::new();
    path.add(OptionNumber::URI_PATH, b"soap");
    let mut counters = Counters::default();

    let early = with(&path, OptionNumber::BLOCK2, block(0, 0, 64));
    let first = loop {
        let (block1, payload) = upload.current();
        let options = with(&early, OptionNumber::BLOCK1, block1);
        let key = operation_key(Code::POST, options.view());
        let asked = blocks_of(options.view(), &payload).unwrap();
        match assemblies.receive(1, &key, block1, options.view(), &payload, &mut counters, NOW) {
            Assembled::Continue(block) => {
                let answer = with(&OptionList::new(), OptionNumber::BLOCK1, block);
                assert_eq!(upload.answered(Code::CONTINUE, answer.view()), UploadStep::Continue);
            }
            Assembled::Whole { body, block, .. } => {
                assert_eq!(body, request_body);
                let response = Piece {
                    code: Code::CHANGED,
                    options: OptionList::new(),
                    payload: Bytes::from(response_body.clone()),
                };
                let mut piece = bodies.answer(1, &key, response, &asked, 1100, NOW);
                piece.options.set(OptionNumber::BLOCK1, &block.value());
                break piece;
            }
            other => panic!("{other:?}"),
        }
    };
    let options = first.options.view();
    assert_eq!(options.block1(), Some(Ok(block(2, 0, 128))));
    assert_eq!(options.block2(), Some(Ok(block(0, 1, 64))));
    assert_eq!(upload.answered(first.code, options), UploadStep::Done);

    let Start::Blocks(mut download) = Download::start(Code::POST, options, &first.payload, 6, 1000) else {
        panic!("no blocks");
    };
    for num in 1..4 {
        assert_eq!(download.next(), block(num, 0, 64));
        // The same method and options, without Block1 and payload.
        let options = with(&path, OptionNumber::BLOCK2, download.next());
        let blocks = blocks_of(options.view(), &[]).unwrap();
        let key = operation_key(Code::POST, options.view());
        let piece = bodies.further(1, &key, &blocks, 1100, NOW).unwrap();
        match download.answered(piece.code, piece.options.view(), &piece.payload) {
            DownloadStep::Continue => assert!(num < 3),
            DownloadStep::Complete(body) => assert_eq!((num, body), (3, response_body.clone())),
            other => panic!("{other:?}"),
        }
    }
}

/// Block options and payloads without sense, from several peers: nothing panics, and memory stays within its bounds.
#[test]
fn senseless_blocks_do_no_harm() {
    let limits = Limits { body: 5000, bodies: 40_000, bodies_per_peer: 3, ..Limits::default() };
    let mut assemblies = Assemblies::new(&limits, LIFETIME, 3, 1);
    let mut random = Random::from_u64(9175);
    let mut bodies = Bodies::new(&limits, LIFETIME, 5, &mut random);
    let mut counters = Counters::default();
    let mut now = NOW;
    let mut download = None;
    for _ in 0..20_000 {
        let peer = random.below(20);
        let any = Block::new(random.below(6) as u32, random.chance(3, 4), random.below(7) as u8).unwrap();
        let len = if random.chance(3, 4) { any.size() } else { random.below(2000) as usize };
        let payload = body(len);
        let mut options = with(&OptionList::new(), OptionNumber::BLOCK2, any);
        options.add(OptionNumber::URI_PATH, &[random.below(5) as u8]);
        let key = operation_key(Code::PUT, options.view());
        assemblies.receive(peer, &key, any, options.view(), &payload, &mut counters, now);
        let wanted = BlockOptions { block2: Some(any), ..BlockOptions::default() };
        let response =
            Piece { code: Code::CONTENT, options: OptionList::new(), payload: Bytes::from(payload.clone()) };
        let room = random.below(1200) as usize;
        let piece = bodies
            .further(peer, &key, &wanted, room, now)
            .unwrap_or_else(|| bodies.answer(peer, &key, response, &wanted, room, now));
        assert!(piece.payload.len() <= 1024);
        assert!(assemblies.bytes() <= 20_000 && bodies.bytes() <= 20_000);
        download = match download.take() {
            None => match Download::start(Code::GET, options.view(), &payload, 6, 5000) {
                Start::Blocks(download) => Some(download),
                _ => None,
            },
            Some(mut download) => match download.answered(Code::CONTENT, options.view(), &payload) {
                DownloadStep::Continue | DownloadStep::Restart => Some(download),
                _ => None,
            },
        };
        assert!(download.as_ref().is_none_or(|download| download.progress().0 <= 5000));
        now += Duration::from_millis(random.below(2000));
        assemblies.tick(&mut counters, now);
        bodies.tick(now);
        let deadlines = [assemblies.next_deadline(), bodies.next_deadline()];
        assert!(deadlines.into_iter().flatten().all(|at| at > now));
    }
    now += LIFETIME;
    assemblies.tick(&mut counters, now);
    bodies.tick(now);
    assert_eq!((assemblies.bytes(), bodies.bytes()), (0, 0));
    assert!(counters.bodies_abandoned > 0);
}
