//! Clients that read a resource, each its next block as soon as it has the one before.

use core::time::Duration;
use std::io;
use std::time::Instant;

use coap_codec::{Block, Code, OptionNumber};
use mio::{Events, Poll, Token};

use super::client::{Buffer, Client};
use super::{BLOCK_SIZE, NAME, SZX, WARM_UP, body, put};
use crate::clock;
use crate::measure::{self, PATIENCE, measure};
use crate::process::Process;
use crate::report::Figure;

pub(super) struct Load {
    poll: Poll,
    readers: Vec<Reader>,
    body: Vec<u8>,
    answers: u64,
    latencies: Vec<Duration>,
}

struct Reader {
    client: Client,
    /// Where in the body the block begins that was asked for.
    offset: usize,
    asked: Instant,
}

/// So many clients read a body of so many bytes.
pub(super) fn run(
    server: &Process,
    clients: usize,
    size: usize,
    length: Duration,
) -> io::Result<Vec<Figure>> {
    let body = body(size);
    put(&mut Client::open(server.port())?, &body)?;
    let poll = Poll::new()?;
    let mut readers = Vec::new();
    for number in 0..clients {
        let client = Client::open(server.port())?;
        client.register(poll.registry(), Token(number))?;
        readers.push(Reader { client, offset: 0, asked: clock::now() });
    }
    let mut load = Load { poll, readers, body, answers: 0, latencies: Vec::new() };
    load.readers.iter_mut().try_for_each(Reader::ask)?;
    let measured = measure(&mut load, server, WARM_UP, length)?;
    if clients == 1 {
        return Ok(Figure::latencies(load.latencies));
    }
    let mut figures = measured.figures("CPU s per million requests", "thousand requests/s");
    figures.push(Figure::resident(server.resident()?));
    Ok(figures)
}

impl measure::Load for Load {
    fn done(&self) -> u64 {
        self.answers
    }

    fn begin(&mut self) {
        self.latencies.clear();
    }

    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        self.poll.poll(events, Some(PATIENCE))?;
        for event in &*events {
            let reader = &mut self.readers[event.token().0];
            reader.take_answer(&self.body)?;
            self.answers += 1;
            self.latencies.push(reader.asked.elapsed());
            reader.ask()?;
        }
        Ok(())
    }
}

impl Reader {
    fn ask(&mut self) -> io::Result<()> {
        self.asked = clock::now();
        let number = (self.offset / BLOCK_SIZE) as u32;
        let block =
            Block::new(number, false, SZX).ok_or_else(|| io::Error::other("too many blocks"))?.value();
        let block = (OptionNumber::BLOCK2, block.as_bytes());
        let options = [(OptionNumber::URI_PATH, NAME), block];
        let count = if number == 0 { 1 } else { 2 };
        self.client.request(Code::GET, &options[..count], &[])
    }

    /// The answer has to be this part of the body, and to say whether there is more.
    fn take_answer(&mut self, body: &[u8]) -> io::Result<()> {
        let mut buffer: Buffer = [0; _];
        let answer = self.client.response(&mut buffer)?;
        let block = answer.options.block2().transpose().map_err(io::Error::other)?;
        let (offset, more) = block.map_or((0, false), |block| (block.offset(), block.more()));
        let end = offset + answer.payload.len();
        let is_right = offset == self.offset && body.get(offset..end) == Some(answer.payload);
        if answer.code != Code::CONTENT || !is_right || more != (end < body.len()) {
            return Err(io::Error::other("answered with something else than the content"));
        }
        self.offset = if more { end } else { 0 };
        Ok(())
    }
}
