//! One CoAP client: confirmable requests in datagrams of its own, one at a time.

use core::time::Duration;
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use coap_codec::{Code, Message, MessageBuilder, MessageId, MessageType, OptionNumber, Rules};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::process::connected;

/// Room for any datagram that an answer is.
pub(super) type Buffer = [u8; 2048];

/// How long an answer may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Client {
    socket: UdpSocket,
    message_id: u16,
    token: u32,
}

impl Client {
    pub(super) fn open(port: u16) -> io::Result<Self> {
        Ok(Self { socket: connected(port, PATIENCE)?, message_id: 0, token: 0 })
    }

    /// From here on nothing blocks, and `registry` says when something has come.
    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.set_nonblocking(true)?;
        registry.register(&mut SourceFd(&self.socket.as_raw_fd()), token, Interest::READABLE)
    }

    /// Sends a request, with the next message id and token.
    pub(super) fn request(
        &mut self,
        method: Code,
        options: &[(OptionNumber, &[u8])],
        payload: &[u8],
    ) -> io::Result<()> {
        self.message_id = self.message_id.wrapping_add(1);
        self.token = self.token.wrapping_add(1);
        let (id, token) = (MessageId::new(self.message_id), self.token.to_be_bytes());
        let mut buffer: Buffer = [0; _];
        let mut builder = MessageBuilder::new(&mut buffer, MessageType::Confirmable, method, id, &token)
            .map_err(io::Error::other)?;
        for (number, value) in options {
            builder.option(*number, value).map_err(io::Error::other)?;
        }
        builder.payload(payload).map_err(io::Error::other)?;
        self.socket.send(builder.finish().map_err(io::Error::other)?).map(drop)
    }

    /// Asks whether there is a CoAP endpoint at all.
    pub(super) fn ping(&self) -> io::Result<()> {
        let ping = Message::empty(MessageType::Confirmable, MessageId::new(0));
        self.send(&ping)?;
        self.receive(&mut [0; _]).map(drop)
    }

    /// Acknowledges a message of the server.
    pub(super) fn acknowledge(&self, id: MessageId) -> io::Result<()> {
        self.send(&Message::empty(MessageType::Acknowledgement, id))
    }

    pub(super) fn receive<'b>(&self, buffer: &'b mut Buffer) -> io::Result<Message<'b>> {
        let len = self.socket.recv(buffer)?;
        Message::decode(&buffer[..len], &Rules::DEFAULT).map_err(io::Error::other)
    }

    /// The answer to the last request, which has to ride on the acknowledgement and to be a success.
    pub(super) fn response<'b>(&self, buffer: &'b mut Buffer) -> io::Result<Message<'b>> {
        let message = self.receive(buffer)?;
        let wanted = (MessageType::Acknowledgement, self.message_id);
        if (message.message_type, message.message_id.get()) != wanted || !self.is_for_last(&message) {
            return Err(io::Error::other("something else came than the answer"));
        }
        if !message.code.is_success() {
            return Err(io::Error::other(format!("answered {}", message.code)));
        }
        Ok(message)
    }

    /// Whether it has the token of the last request.
    pub(super) fn is_for_last(&self, message: &Message<'_>) -> bool {
        message.token == self.token.to_be_bytes()
    }

    fn send(&self, message: &Message<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        message.encode(&mut bytes).map_err(io::Error::other)?;
        self.socket.send(&bytes).map(drop)
    }
}
