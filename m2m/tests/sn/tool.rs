//! Programs that run beside a test, ended when the test ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::m2m;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running `m2m` that listens.
pub(crate) struct Program {
    child: Child,
    log: BufReader<ChildStderr>,
    /// What it listens on, in the order of its log.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Program {
    /// Returns when it listens on so many addresses.
    pub(crate) fn start(arguments: &[&str], listening: usize) -> Self {
        let mut child = m2m().args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut program = Self { child, log, addresses: Vec::new() };
        for _ in 0..listening {
            program.wait_for_listening();
        }
        program
    }

    /// Returns when it listens on one more address.
    pub(crate) fn wait_for_listening(&mut self) {
        let line = self.wait_for_log("listening on ");
        let (_, address) = line.rsplit_once("://").unwrap();
        self.addresses.push(address.parse().unwrap());
    }

    /// Where it says that its metrics are, which it has not said yet.
    pub(crate) fn metrics_address(&mut self) -> String {
        let line = self.wait_for_log("metrics on http://");
        line.rsplit_once("http://").unwrap().1.trim_end_matches("/metrics").to_owned()
    }

    pub(crate) fn broker() -> Self {
        Self::start(&["broker", "--listen", "tcp://127.0.0.1:0"], 1)
    }

    /// In front of a broker at this port, with a connection to it.
    pub(crate) fn gateway(broker: &str, arguments: &[&str]) -> Self {
        let broker = format!("mqtt://127.0.0.1:{broker}");
        let own = ["gateway", "--broker", &broker, "--listen", "udp://127.0.0.1:0"];
        let mut gateway = Self::start(&[&own[..], arguments].concat(), 1);
        gateway.wait_for_log("connected to the broker");
        gateway
    }

    /// Of the last address that it listens on.
    pub(crate) fn port(&self) -> String {
        self.addresses.last().unwrap().port().to_string()
    }

    /// The next line of the log that contains the text.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended without saying `{text}`");
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Ends it with SIGTERM.
    pub(crate) fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if thread::panicking() {
            let mut rest = String::new();
            _ = self.log.read_to_string(&mut rest);
            _ = writeln!(std::io::stderr(), "the rest of a log:\n{rest}");
        }
    }
}

/// The page at such an address.
pub(crate) fn metrics_page(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: m2m\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// What a command printed: exit code, standard output, standard error.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// `m2m sn` with these arguments, toward a gateway at this port.
pub(crate) fn sn(command: &str, port: &str, arguments: &[&str]) -> Command {
    let mut tool = m2m();
    tool.args(["sn", command, "-p", port]).args(arguments);
    tool
}

#[track_caller]
pub(crate) fn publish(port: &str, arguments: &[&str]) {
    assert_eq!(
        run(&mut sn("pub", port, arguments)),
        (Some(0), String::new(), String::new()),
        "{arguments:?}"
    );
}

/// `m2m pub` at the broker.
#[track_caller]
pub(crate) fn publish_at_broker(port: &str, arguments: &[&str]) {
    let (code, _, problem) = run(m2m().args(["pub", "-p", port]).args(arguments));
    assert_eq!((code, problem.as_str()), (Some(0), ""), "{arguments:?}");
}

/// Somebody who prints lines: a subscriber.
pub(crate) struct Reader {
    child: Child,
    lines: Receiver<String>,
    _stderr: Option<JoinHandle<String>>,
}

impl Reader {
    /// `m2m sn sub` or `sleep` with its subscriptions made.
    pub(crate) fn sn(command: &str, port: &str, arguments: &[&str]) -> Self {
        Self::spawn(sn(command, port, arguments).arg("-d"), Some("Subscribed"))
    }

    /// Returns when the text has stood on standard error, if that is wanted.
    pub(crate) fn spawn(command: &mut Command, until: Option<&str>) -> Self {
        let stderr = if until.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut rest = None;
        if let Some(text) = until {
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            let mut line = String::new();
            while !line.contains(text) {
                line.clear();
                assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended without saying `{text}`");
            }
            rest = Some(thread::spawn(move || {
                let mut text = String::new();
                _ = stderr.read_to_string(&mut text);
                text
            }));
        }
        Self { child, lines, _stderr: rest }
    }

    /// A subscriber to everything at a broker, which prints topic, QoS and payload.
    pub(crate) fn watch(command: &mut Command, broker: &str) -> Self {
        command.args(["-p", broker, "-q", "2", "-t", "#", "-F", "%t %q %p"]);
        let reader = Self::spawn(command, None);
        let start = Instant::now();
        loop {
            publish_at_broker(broker, &["-t", "probe", "-m", ""]);
            match reader.lines.recv_timeout(Duration::from_millis(200)) {
                Ok(_) => return reader,
                Err(_) => assert!(start.elapsed() < PATIENCE, "nobody watches"),
            }
        }
    }

    /// The same, with `m2m sub`.
    pub(crate) fn m2m(broker: &str) -> Self {
        Self::watch(m2m().arg("sub"), broker)
    }

    /// Asserts that these lines come next.
    #[track_caller]
    pub(crate) fn expect(&self, expected: &[&str]) {
        for expected in expected {
            let line = loop {
                match self.lines.recv_timeout(PATIENCE) {
                    Ok(line) if line.starts_with("probe ") => {}
                    Ok(line) => break line,
                    Err(RecvTimeoutError::Timeout) => panic!("`{expected}` does not come"),
                    Err(RecvTimeoutError::Disconnected) => panic!("it ended before `{expected}`"),
                }
            };
            assert_eq!(line, *expected);
        }
    }

    /// Asserts that it ends by itself, with success and nothing more to say.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        assert!(self.child.wait().unwrap().success());
        assert_eq!(self.lines.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    }

    /// Without leave.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// mosquitto on a free port.
pub(crate) struct Mosquitto {
    child: Child,
    pub(crate) port: String,
    _folder: TempDir,
}

impl Mosquitto {
    pub(crate) fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mosquitto.conf");
        fs::write(&file, format!("listener {port} 127.0.0.1\nallow_anonymous true\n")).unwrap();
        let path = env::var("PATH").unwrap_or_default();
        let mut command = Command::new("mosquitto");
        command.env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin")).arg("-c").arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let broker = Self { child: command.spawn().unwrap(), port, _folder: folder };
        let start = Instant::now();
        while TcpStream::connect(format!("127.0.0.1:{}", broker.port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "mosquitto does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        broker
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A program of the Python environment.
pub(crate) fn python_tool(name: &str) -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python =
        env::var_os("M2M_PYTHON").map_or_else(|| workspace.join(".ci/venv/bin/python"), PathBuf::from);
    let mut command = Command::new(python.with_file_name(name));
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    command
}

/// A file with predefined topics: 1 is `pre/one`.
pub(crate) fn predefined(folder: &TempDir) -> String {
    let path = folder.path().join("predefined");
    fs::write(&path, "# ClientId, TopicName, TopicId\n*, pre/one, 1\n").unwrap();
    path.to_str().unwrap().to_owned()
}

impl Reader {
    /// Asserts that one line comes that ends so, and that it is the last.
    #[track_caller]
    pub(crate) fn expect_end_with(&mut self, end: &str) {
        let line = self.lines.recv_timeout(PATIENCE).unwrap();
        assert!(line.ends_with(end), "{line}");
        self.expect_end();
    }
}
