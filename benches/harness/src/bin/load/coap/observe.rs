//! A resource that changes as soon as all its observers know what it is.

use core::time::Duration;
use std::io::{self, ErrorKind};

use coap_codec::{Code, MessageType, OptionNumber};
use mio::{Events, Poll, Token};

use super::client::{Buffer, Client};
use super::{NAME, WARM_UP, body, put};
use crate::measure::{self, PATIENCE, measure};
use crate::process::Process;
use crate::report::Figure;

struct Load {
    poll: Poll,
    observers: Vec<Observer>,
    /// Changes the resource.
    writer: Client,
    changes: u64,
    /// In the measurement.
    notifications: u64,
}

struct Observer {
    client: Client,
    /// The latest change that it knows of.
    knows: u64,
}

/// So many clients observe the resource.
pub(super) fn run(server: &Process, observers: usize, length: Duration) -> io::Result<Vec<Figure>> {
    let mut writer = Client::open(server.port())?;
    put(&mut writer, &body(1))?;
    let poll = Poll::new()?;
    let observers: Vec<_> =
        (0..observers).map(|number| observe(server, &poll, number)).collect::<io::Result<_>>()?;
    writer.register(poll.registry(), Token(observers.len()))?;
    let mut load = Load { poll, observers, writer, changes: 0, notifications: 0 };
    let measured = measure(&mut load, server, WARM_UP, length)?;
    let sent = load.notifications as f64 / measured.done.max(1) as f64;
    let mut figures =
        measured.figures("CPU s per million observers informed", "thousand observers informed/s");
    figures.push(Figure::new("notifications for each", sent, 2));
    Ok(figures)
}

fn observe(server: &Process, poll: &Poll, number: usize) -> io::Result<Observer> {
    let mut client = Client::open(server.port())?;
    client.request(Code::GET, &[(OptionNumber::OBSERVE, &[]), (OptionNumber::URI_PATH, NAME)], &[])?;
    if client.response(&mut [0; _])?.options.observe().is_none() {
        return Err(io::Error::other("it cannot be observed"));
    }
    client.register(poll.registry(), Token(number))?;
    Ok(Observer { client, knows: 0 })
}

impl measure::Load for Load {
    fn done(&self) -> u64 {
        self.changes * self.observers.len() as u64
    }

    fn begin(&mut self) {
        self.notifications = 0;
    }

    /// Changes the resource, and waits until everybody knows.
    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        self.changes += 1;
        let content = format!("{:064}", self.changes);
        self.writer.request(Code::PUT, &[(OptionNumber::URI_PATH, NAME)], content.as_bytes())?;
        let (mut ignorant, mut answered) = (self.observers.len(), false);
        while ignorant > 0 || !answered {
            self.poll.poll(events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err(io::Error::new(ErrorKind::TimedOut, format!("{ignorant} were not notified")));
            }
            for event in &*events {
                match self.observers.get_mut(event.token().0) {
                    None => answered |= self.writer.response(&mut [0; _]).is_ok(),
                    Some(observer) => {
                        let before = observer.knows;
                        self.notifications += observer.take_all(content.as_bytes(), self.changes)?;
                        ignorant -= usize::from(observer.knows != before);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Observer {
    /// Takes what has come, acknowledges it, and returns how much it was.
    fn take_all(&mut self, content: &[u8], change: u64) -> io::Result<u64> {
        let mut buffer: Buffer = [0; _];
        let mut count = 0;
        loop {
            let message = match self.client.receive(&mut buffer) {
                Ok(message) => message,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(count),
                Err(error) => return Err(error),
            };
            if !self.client.is_for_last(&message) || message.code != Code::CONTENT {
                return Err(io::Error::other("something else came than a notification"));
            }
            if message.message_type == MessageType::Confirmable {
                self.client.acknowledge(message.message_id)?;
            }
            if message.payload == content {
                self.knows = change;
            }
            count += 1;
        }
    }
}
