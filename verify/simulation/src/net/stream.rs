//! Connections for byte streams: latency, fragmentation, limited buffers, and cuts at any byte in either direction.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::{Instant, Random};

use super::Weather;
use super::pipe::Pipe;
use crate::agenda::Agenda;

/// A connection of the network; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(u32);

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that made the connection.
    Dialled,
    /// The one that accepted it.
    Accepted,
}

/// What a side of a connection notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants to connect: always at [`Side::Accepted`].
    Opened(LinkId),
    /// There is something to [`peek`](Network::peek).
    Readable(LinkId, Side),
    /// There is room again after a write that was not taken whole.
    Writable(LinkId, Side),
    /// The connection is over for this side. What it has not read is lost.
    Closed(LinkId, Side),
}

/// All connections.
#[derive(Debug)]
pub struct Network {
    weather: Weather,
    random: Random,
    links: BTreeMap<LinkId, Link>,
    agenda: Agenda<Event>,
    dialled: u32,
}

#[derive(Debug)]
struct Link {
    /// By the side that reads.
    pipes: [Pipe; 2],
    /// Sides that have not been told of the end.
    open: [bool; 2],
    /// No bytes travel any more.
    dead: bool,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Dialled => Self::Accepted,
            Self::Accepted => Self::Dialled,
        }
    }
}

impl Network {
    /// No connections.
    pub fn new(weather: Weather, random: Random) -> Self {
        Self { weather, random, links: BTreeMap::new(), agenda: Agenda::default(), dialled: 0 }
    }

    /// Makes a connection: the dialling side may write at once, the other one hears of it later.
    pub fn dial(&mut self, now: Instant) -> LinkId {
        let id = LinkId(self.dialled);
        self.dialled += 1;
        let mut pipes = [Pipe::default(), Pipe::default()];
        if self.random.chance(self.weather.cut_per_mille, 1000) {
            let decides = &mut pipes[self.random.below(2) as usize];
            decides.lifetime = Some(1 + self.random.below(self.weather.cut_within));
        }
        self.links.insert(id, Link { pipes, open: [true; 2], dead: false });
        let at = now + self.latency();
        self.agenda.schedule(at, Event::Opened(id));
        id
    }

    /// Writes; returns how many bytes were taken. If not all, [`Event::Writable`] follows.
    pub fn write<'a>(
        &mut self,
        id: LinkId,
        side: Side,
        chunks: impl IntoIterator<Item = &'a [u8]>,
        now: Instant,
    ) -> usize {
        let earliest = now + self.latency();
        let Some(link) = self.links.get_mut(&id).filter(|link| link.open[side as usize]) else { return 0 };
        let pipe = &mut link.pipes[side.other() as usize];
        let room = self.weather.buffer.saturating_sub(pipe.len());
        let mut bytes: Vec<u8> = chunks.into_iter().flatten().take(room + 1).copied().collect();
        pipe.full = bytes.len() > room;
        bytes.truncate(room);
        if link.dead {
            // The side has not heard of it: its bytes go nowhere.
            return bytes.len();
        }
        let taken = bytes.len();
        let mut arrival = earliest.max(pipe.last_arrival().unwrap_or(earliest));
        while !bytes.is_empty() {
            let in_pieces = self.random.chance(self.weather.pieces_per_mille, 1000);
            let piece =
                if in_pieces { 1 + self.random.below(bytes.len() as u64) as usize } else { bytes.len() };
            let rest = bytes.split_off(piece);
            pipe.send(arrival, bytes);
            self.agenda.schedule(arrival, Event::Readable(id, side.other()));
            bytes = rest;
            arrival += self.random.between(Duration::ZERO, self.weather.latency.0);
        }
        taken
    }

    /// What has arrived and was not read.
    pub fn peek(&self, id: LinkId, side: Side) -> &[u8] {
        self.links.get(&id).map_or(&[], |link| link.pipes[side as usize].unread())
    }

    /// Takes so many of the bytes that have arrived.
    pub fn read(&mut self, id: LinkId, side: Side, bytes: usize, now: Instant) {
        let at = now + self.latency();
        let Some(link) = self.links.get_mut(&id) else { return };
        let pipe = &mut link.pipes[side as usize];
        pipe.read(bytes);
        if pipe.full && bytes > 0 {
            pipe.full = false;
            self.agenda.schedule(at, Event::Writable(id, side.other()));
        }
    }

    /// Ends a connection in good order: what this side wrote still arrives, then the other side hears of the end. This side
    /// hears nothing more.
    pub fn close(&mut self, id: LinkId, side: Side, now: Instant) {
        let at = now + self.latency();
        let Some(link) = self.links.get_mut(&id) else { return };
        link.open[side as usize] = false;
        let at = at.max(link.pipes[side.other() as usize].last_arrival().unwrap_or(at));
        self.agenda.schedule(at, Event::Closed(id, side.other()));
    }

    /// Ends a connection at once: all that is in flight is lost, and each side hears of it in its own time.
    pub fn cut(&mut self, id: LinkId, now: Instant) {
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.dead) else { return };
        link.dead = true;
        for (pipe, side) in link.pipes.iter_mut().zip([Side::Dialled, Side::Accepted]) {
            pipe.lose();
            let at = now + self.random.between(Duration::ZERO, self.weather.notice);
            self.agenda.schedule(at, Event::Closed(id, side));
        }
    }

    /// Ends all connections at once.
    pub fn cut_all(&mut self, now: Instant) {
        let links: Vec<_> = self.links.keys().copied().collect();
        for id in links {
            self.cut(id, now);
        }
    }

    /// The weather changes, and no connection that was to be cut will be.
    pub fn calm(&mut self, weather: Weather) {
        self.weather = weather;
        self.links.values_mut().flat_map(|link| &mut link.pipes).for_each(|pipe| pipe.lifetime = None);
    }

    /// When something happens next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.agenda.next_deadline()
    }

    /// What has happened.
    pub fn poll(&mut self, now: Instant) -> Option<Event> {
        loop {
            let event = self.agenda.pop(now)?;
            if self.happens(event, now) {
                return Some(event);
            }
        }
    }

    /// Whether anybody notices.
    fn happens(&mut self, event: Event, now: Instant) -> bool {
        let (Event::Opened(id) | Event::Readable(id, _) | Event::Writable(id, _) | Event::Closed(id, _)) =
            event;
        let Some(link) = self.links.get_mut(&id) else { return false };
        match event {
            Event::Opened(_) => link.open[Side::Accepted as usize],
            Event::Writable(_, side) => link.open[side as usize],
            Event::Readable(_, side) => {
                if link.pipes[side as usize].arrive(now) {
                    self.cut(id, now);
                    return self.links[&id].open[side as usize];
                }
                link.open[side as usize] && !link.pipes[side as usize].unread().is_empty()
            }
            Event::Closed(_, side) => {
                let noticed = std::mem::take(&mut link.open[side as usize]);
                if link.open == [false; 2] {
                    self.links.remove(&id);
                }
                noticed
            }
        }
    }

    fn latency(&mut self) -> Duration {
        let (least, most) = self.weather.latency;
        self.random.between(least, most)
    }
}
