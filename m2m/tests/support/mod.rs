//! `m2m`, and a running `m2m broker`, ended when the test ends.
#![allow(dead_code, reason = "every test binary uses a part")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

pub(crate) struct Broker {
    child: Child,
    log: BufReader<ChildStderr>,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) metrics: Option<SocketAddr>,
}

pub(crate) fn m2m() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_m2m"));
    command.env_remove("M2M_LOG").stdin(Stdio::null());
    command
}

/// Writes to a program's standard input and closes it. A program that ends before it has read is judged by how it ends.
#[track_caller]
pub(crate) fn feed(child: &mut Child, input: &[u8]) {
    match child.stdin.take().unwrap().write_all(input) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        result => result.unwrap(),
    }
}

/// Sets a user's password with `m2m passwd`, and returns its exit code.
#[track_caller]
pub(crate) fn passwd(file: &Path, user: &str, password: &str) -> i32 {
    let mut child = m2m().arg("passwd").arg(file).arg(user).stdin(Stdio::piped()).spawn().unwrap();
    feed(&mut child, format!("{password}\n").as_bytes());
    child.wait().unwrap().code().unwrap()
}

impl Broker {
    /// On any free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        Self::with(&["--listen", "tcp://127.0.0.1:0"])
    }

    /// With these arguments, which make it listen on free ports.
    pub(crate) fn with<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        let asked = |name: &str| arguments.iter().filter(|argument| argument.as_ref() == name).count();
        let lines = asked("--listen").max(1) + asked("--metrics");
        let mut child = m2m().arg("broker").args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut broker = Self { child, log, addresses: Vec::new(), metrics: None };
        for _ in 0..lines {
            let line = broker.wait_for_log(" on ");
            let (what, address) = line.rsplit_once("://").unwrap();
            let address = address.trim_end_matches("/metrics").parse().unwrap();
            if what.ends_with("http") {
                broker.metrics = Some(address);
            } else {
                broker.addresses.push(address);
            }
        }
        broker
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) fn port(&self) -> String {
        self.address().port().to_string()
    }

    /// The next line of the log that contains the text.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the broker ended without saying `{text}`");
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Connection { stream }
    }

    /// A counter or gauge of the metrics page.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let page = self.metrics_page();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {page}")).parse().unwrap()
    }

    pub(crate) fn metrics_page(&self) -> String {
        let mut stream = TcpStream::connect(self.metrics.unwrap()).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: m2m\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if thread::panicking() {
            let mut rest = String::new();
            _ = self.log.read_to_string(&mut rest);
            _ = writeln!(std::io::stderr(), "log of the broker:\n{rest}");
        }
    }
}

/// A client that speaks in bytes.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
}

impl Connection {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Asserts what comes next.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        self.stream.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, expected);
    }

    /// The next packet: its first byte and its body.
    pub(crate) fn packet(&mut self) -> (u8, Vec<u8>) {
        let [first] = self.read();
        let (mut length, mut shift) = (0, 0);
        loop {
            let [byte] = self.read();
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (first, body)
    }

    /// Asserts that the broker has closed the connection.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, []);
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// MQTT 5 CONNECT with Clean Start; the answer is not read.
    pub(crate) fn send_connect(&mut self, client_id: &str, login: Option<(&str, &str)>) {
        let flags = if login.is_some() { 0xc2 } else { 0x02 };
        let mut body = [&[0, 4], &b"MQTT"[..], &[5, flags, 0, 60, 0]].concat();
        let login = login.into_iter().flat_map(|(user, password)| [user, password]);
        for text in [client_id].into_iter().chain(login) {
            body.extend(string(text));
        }
        self.send_packet(0x10, &body);
    }

    /// Connects, and asserts that CONNACK has this reason code.
    #[track_caller]
    pub(crate) fn connect(&mut self, client_id: &str, login: Option<(&str, &str)>, reason: u8) {
        self.send_connect(client_id, login);
        let (first, body) = self.packet();
        assert_eq!((first, body[1]), (0x20, reason));
    }

    /// SUBSCRIBE at QoS 0 with packet identifier 1, and the reason code of SUBACK.
    #[track_caller]
    pub(crate) fn subscribe(&mut self, filter: &str) -> u8 {
        self.send_packet(0x82, &[&[0, 1, 0], &string(filter)[..], &[0]].concat());
        let (first, body) = self.packet();
        assert_eq!((first, &body[..3]), (0x90, &[0, 1, 0][..]));
        body[3]
    }

    /// PUBLISH at QoS 0.
    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8]) {
        self.send_packet(0x30, &[&string(topic)[..], &[0], payload].concat());
    }

    /// PUBLISH at QoS 1 with packet identifier 1, and the reason code of PUBACK.
    #[track_caller]
    pub(crate) fn publish_acknowledged(&mut self, topic: &str, payload: &[u8]) -> u8 {
        self.send_packet(0x32, &[&string(topic)[..], &[0, 1, 0], payload].concat());
        let (first, body) = self.packet();
        assert_eq!((first, &body[..2]), (0x40, &[0, 1][..]));
        body.get(2).copied().unwrap_or(0)
    }

    /// Asserts that a PUBLISH at QoS 0 comes.
    #[track_caller]
    pub(crate) fn expect_publish(&mut self, topic: &str, payload: &[u8]) {
        assert_eq!(self.packet(), (0x30, [&string(topic)[..], &[0], payload].concat()));
    }

    /// Asserts that nothing has been sent before the answer to a PINGREQ.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        self.send(&[0xc0, 0]);
        self.expect(&[0xd0, 0]);
    }

    fn send_packet(&mut self, first: u8, body: &[u8]) {
        let mut packet = vec![first];
        let mut length = body.len();
        while length >= 0x80 {
            packet.push(length as u8 | 0x80);
            length >>= 7;
        }
        packet.push(length as u8);
        packet.extend(body);
        self.send(&packet);
    }
}

fn string(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}
