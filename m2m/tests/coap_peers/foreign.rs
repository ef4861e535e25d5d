//! Other people's programs, ended when the test ends.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server.
pub(crate) struct Foreign {
    child: Child,
    pub(crate) port: u16,
}

impl Foreign {
    /// libcoap's example server.
    pub(crate) fn libcoap(arguments: &[&str]) -> Self {
        Self::start(|port| {
            let mut command = Command::new("coap-server-notls");
            command.args(["-p", port]).args(arguments);
            command
        })
    }

    /// A server of ours that is made with aiocoap, CoAPthon3 or node-coap.
    pub(crate) fn script(name: &str, address: &str, arguments: &[&str]) -> Self {
        Self::start(|port| {
            let mut command = interpreter(name);
            command.args([address, port]).args(arguments);
            command
        })
    }

    /// A server that is told a free port: another one where somebody else was faster to take it.
    pub(crate) fn start(command: impl Fn(&str) -> Command) -> Self {
        let attempt = || Self::listening_at(free_port(), &command);
        attempt().or_else(|_| attempt()).or_else(|_| attempt()).unwrap_or_else(|ended| panic!("{ended}"))
    }

    fn listening_at(port: u16, command: impl Fn(&str) -> Command) -> Result<Self, String> {
        let mut command = command(&port.to_string());
        // Our scripts end when their standard input does, however this process ends.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut foreign = Self { child: command.spawn().expect("the peer is installed"), port };
        let start = Instant::now();
        while !listens(port) {
            if foreign.child.try_wait().unwrap().is_some() {
                return Err(format!("{command:?} has ended"));
            }
            assert!(start.elapsed() < PATIENCE, "{command:?} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(foreign)
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("coap://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A client that goes on until it is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// Waits until it has printed this line.
    #[track_caller]
    pub(crate) fn prints(&self, wanted: &str) {
        let mut printed = Vec::new();
        while printed.last().is_none_or(|line| line != wanted) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => printed.push(line),
                Err(end) => panic!("`{wanted}` is not in {printed:#?}: {end}"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs a client to its end, and returns what it printed.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the peer is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {stderr}\n{stdout}");
    stdout.into_owned()
}

/// A script beside these tests, and what runs it.
pub(crate) fn interpreter(script: &str) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/coap_peers").join(script);
    let mut command = if path.extension() == Some(OsStr::new("py")) { python() } else { node() };
    command.arg(path);
    command
}

/// A program of the virtual environment.
pub(crate) fn python_program(name: &str) -> Command {
    let mut command = python();
    command.arg(python_path().with_file_name(name));
    command
}

pub(crate) fn node_module(path: &str) -> Command {
    let mut command = node();
    command.arg(node_modules().join(path));
    command
}

fn python() -> Command {
    let mut command = Command::new(python_path());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn node() -> Command {
    let mut command = Command::new("node");
    command.env("M2M_NODE_MODULES", node_modules());
    command
}

fn python_path() -> PathBuf {
    tool("M2M_PYTHON", ".ci/venv/bin/python")
}

fn node_modules() -> PathBuf {
    tool("M2M_NODE_MODULES", ".ci/node/node_modules")
}

fn tool(variable: impl AsRef<OsStr>, default: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::env::var_os(variable).map_or_else(|| workspace.join(default), PathBuf::from)
}

/// Below the ports that the system gives to sockets which do not ask for one: nobody else takes it before the server does.
/// libcoap's server listens on TCP, too.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = std::process::id().wrapping_mul(37) as u16;
    loop {
        let port = 20_000 + own.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if UdpSocket::bind(("0.0.0.0", port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// Whether there is a UDP socket with this port. Asking it would change what it does: libcoap's `-l` counts datagrams.
fn listens(port: u16) -> bool {
    let place = format!(":{port:04X}");
    let has = |table: &str| {
        let sockets = fs::read_to_string(table).unwrap_or_default();
        // In the second column is the local address.
        sockets
            .lines()
            .any(|socket| socket.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&place)))
    };
    has("/proc/net/udp") || has("/proc/net/udp6")
}
