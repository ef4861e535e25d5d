//! A running server, and a client that says exactly what a test wants.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use coap_codec::{Block, Code, Message, MessageId, MessageType, OptionNumber, Options, Rules};
use coap_core::OptionList;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::m2m;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// `m2m coap serve`, ended when the test ends.
pub(crate) struct Server {
    child: Child,
    log: BufReader<ChildStderr>,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Serves a folder on any free port of 127.0.0.1.
    pub(crate) fn of(folder: &Path, arguments: &[&str]) -> Self {
        let folder = folder.to_str().unwrap();
        Self::with(&[&[folder, "--listen", "udp://127.0.0.1:0"], arguments].concat())
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        let mut command = m2m();
        let mut child =
            command.args(["coap", "serve", "-v"]).args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut server = Self { child, log, address: SocketAddr::from(([0; 4], 0)) };
        let line = server.wait_for_log("listening on udp://");
        server.address = line.rsplit_once("://").unwrap().1.parse().unwrap();
        server
    }

    /// The next line of the log that contains the text.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the server ended without saying `{text}`");
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
        }
    }

    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::of(self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if thread::panicking() {
            let mut rest = String::new();
            _ = self.log.read_to_string(&mut rest);
            _ = writeln!(std::io::stderr(), "log of the server:\n{rest}");
        }
    }
}

/// Sends requests in CON and takes what comes.
pub(crate) struct Client {
    socket: UdpSocket,
    next: u16,
}

/// A message that has come.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) message_type: MessageType,
    pub(crate) id: MessageId,
    pub(crate) code: Code,
    pub(crate) token: Vec<u8>,
    pub(crate) options: OptionList,
    pub(crate) payload: Vec<u8>,
}

/// A request to be made.
pub(crate) struct Ask {
    code: Code,
    options: OptionList,
    payload: Vec<u8>,
}

pub(crate) fn get(path: &str) -> Ask {
    ask(Code::GET, path)
}

/// A path like those in URIs, without escapes.
pub(crate) fn ask(code: Code, path: &str) -> Ask {
    let mut options = OptionList::new();
    let path = path.strip_prefix('/').unwrap_or(path);
    for segment in path.split('/').filter(|_| !path.is_empty()) {
        options.add(OptionNumber::URI_PATH, segment.as_bytes());
    }
    Ask { code, options, payload: Vec::new() }
}

/// With segments that a URI may not have.
pub(crate) fn ask_segments(code: Code, segments: &[&[u8]]) -> Ask {
    let mut ask = ask(code, "");
    for segment in segments {
        ask.options.add(OptionNumber::URI_PATH, segment);
    }
    ask
}

impl Ask {
    pub(crate) fn with(mut self, number: OptionNumber, value: &[u8]) -> Self {
        self.options.add(number, value);
        self
    }

    pub(crate) fn with_uint(mut self, number: OptionNumber, value: u64) -> Self {
        self.options.add_uint(number, value);
        self
    }

    pub(crate) fn payload(mut self, payload: impl AsRef<[u8]>) -> Self {
        self.payload = payload.as_ref().into();
        self
    }
}

impl Client {
    pub(crate) fn of(server: SocketAddr) -> Self {
        let local = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(local).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, next: 1 }
    }

    pub(crate) fn send(&mut self, ask: &Ask) -> u16 {
        let id = self.next;
        self.next += 1;
        let message = Message {
            message_type: MessageType::Confirmable,
            code: ask.code,
            message_id: MessageId::new(id),
            token: &id.to_be_bytes(),
            options: ask.options.view(),
            payload: &ask.payload,
        };
        self.send_message(&message);
        id
    }

    fn send_message(&self, message: &Message<'_>) {
        let mut datagram = Vec::new();
        message.encode(&mut datagram).unwrap();
        self.socket.send(&datagram).unwrap();
    }

    /// The piggybacked answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, ask: &Ask) -> Came {
        let id = self.send(ask);
        let answer = self.next();
        assert_eq!((answer.message_type, answer.id.get()), (MessageType::Acknowledgement, id), "{answer:?}");
        assert_eq!(answer.token, id.to_be_bytes());
        answer
    }

    /// The code of the answer.
    #[track_caller]
    pub(crate) fn code(&mut self, ask: &Ask) -> Code {
        self.ask(ask).code
    }

    /// What comes next, acknowledged if it wants to be.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Came {
        self.next_within(PATIENCE).expect("a message")
    }

    pub(crate) fn next_within(&mut self, patience: Duration) -> Option<Came> {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = vec![0; 65_535];
        let len = loop {
            match self.socket.recv(&mut buffer) {
                Ok(len) => break len,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        };
        let message = Message::decode(&buffer[..len], &Rules::default()).expect("a sound message");
        if message.message_type == MessageType::Confirmable {
            self.send_message(&Message {
                message_type: MessageType::Acknowledgement,
                code: Code::EMPTY,
                message_id: message.message_id,
                token: &[],
                options: Options::EMPTY,
                payload: &[],
            });
        }
        Some(Came {
            message_type: message.message_type,
            id: message.message_id,
            code: message.code,
            token: message.token.into(),
            options: OptionList::from(message.options),
            payload: message.payload.into(),
        })
    }

    /// The next message with this code, past notifications of states in between.
    #[track_caller]
    pub(crate) fn next_that(&mut self, is_it: impl Fn(&Came) -> bool) -> Came {
        loop {
            let came = self.next();
            if is_it(&came) {
                return came;
            }
        }
    }

    /// A whole body in blocks of this size exponent, or of the smaller one that the server has.
    #[track_caller]
    pub(crate) fn body(&mut self, path: &str, mut exponent: u8) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let num = (body.len() >> (exponent + 4)) as u32;
            let block = Block::new(num, false, exponent).unwrap();
            let answer = self.ask(&get(path).with(OptionNumber::BLOCK2, &block.value()));
            assert_eq!(answer.code, Code::CONTENT);
            body.extend(&answer.payload);
            let block = answer.options().block2().unwrap().unwrap();
            if !block.more() {
                return body;
            }
            exponent = block.size_exponent();
        }
    }
}

impl Came {
    pub(crate) fn options(&self) -> Options<'_> {
        self.options.view()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).unwrap()
    }

    pub(crate) fn etag(&self) -> Vec<u8> {
        self.options().etag().expect("an entity-tag").into()
    }
}
