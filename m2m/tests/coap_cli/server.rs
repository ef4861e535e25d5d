//! Servers: one that says what a test tells it to, and `m2m coap serve --demo`.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Stdio};
use std::time::Duration;

use coap_codec::{Code, Message, MessageBuilder, MessageId, MessageType, OptionNumber, Rules};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::m2m;

/// It answers nothing by itself.
pub(crate) struct Scripted {
    socket: UdpSocket,
}

/// A message that has come.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) from: SocketAddr,
    datagram: Vec<u8>,
}

impl Scripted {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { socket }
    }

    /// `coap://127.0.0.1:PORT` and this.
    pub(crate) fn uri(&self, path: &str) -> String {
        format!("coap://{}{path}", self.socket.local_addr().unwrap())
    }

    #[track_caller]
    pub(crate) fn next(&self) -> Arrived {
        let mut buffer = vec![0; 65_535];
        let (len, from) = loop {
            match self.socket.recv_from(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.expect("a message"),
            }
        };
        buffer.truncate(len);
        Arrived { from, datagram: buffer }
    }

    /// Whether nothing comes for a while.
    pub(crate) fn is_silent(&self, span: Duration) -> bool {
        self.socket.set_read_timeout(Some(span)).unwrap();
        let silent = self.socket.recv_from(&mut [0; 1500]).is_err();
        self.socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        silent
    }

    pub(crate) fn send(&self, to: SocketAddr, message: &Message<'_>) {
        let mut buffer = vec![0; message.encoded_len()];
        message.encode_to_slice(&mut buffer).unwrap();
        self.socket.send_to(&buffer, to).unwrap();
    }

    /// A piggybacked response.
    pub(crate) fn answer(
        &self,
        request: &Arrived,
        code: Code,
        options: &[(OptionNumber, &[u8])],
        payload: &[u8],
    ) {
        let asked = request.message();
        self.respond(request, MessageType::Acknowledgement, asked.message_id, code, options, payload);
    }

    /// A response in a message of its own.
    pub(crate) fn respond(
        &self,
        request: &Arrived,
        message_type: MessageType,
        id: MessageId,
        code: Code,
        options: &[(OptionNumber, &[u8])],
        payload: &[u8],
    ) {
        let mut buffer = vec![0; 2048];
        let token = request.message().token;
        let mut builder = MessageBuilder::new(&mut buffer, message_type, code, id, token).unwrap();
        for (number, value) in options {
            builder.option(*number, value).unwrap();
        }
        if !payload.is_empty() {
            builder.payload(payload).unwrap();
        }
        self.socket.send_to(builder.finish().unwrap(), request.from).unwrap();
    }
}

impl Arrived {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::decode(&self.datagram, &Rules { max_token_len: 1000 }).expect("a sound message")
    }

    /// The options by number, values as text.
    pub(crate) fn options(&self) -> Vec<(u16, String)> {
        let text = |value: &[u8]| value.escape_ascii().to_string();
        self.message().options.iter().map(|option| (option.number.get(), text(option.value))).collect()
    }
}

/// `m2m coap serve --demo`, ended when the test ends.
pub(crate) struct Demo {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Demo {
    pub(crate) fn start() -> Self {
        Self::with(&["--listen", "udp://127.0.0.1:0"])
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        let mut command = m2m();
        command.args(["coap", "serve", "--demo", "-v"]).args(arguments).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended without listening");
            if let Some((_, address)) = line.trim_end().split_once("listening on udp://") {
                break address.parse().unwrap();
            }
        };
        std::thread::spawn(move || log.lines().for_each(drop));
        Self { child, address }
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("coap://127.0.0.1:{}{path}", self.address.port())
    }

    /// It falls silent.
    pub(crate) fn stop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
