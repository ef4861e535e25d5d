//! A broker as a process: started on a port of its own, asked for its costs, ended by its own id.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::clock;

/// A broker that can be started.
pub(crate) struct Candidate {
    pub(crate) name: String,
    command: Vec<String>,
}

/// One that runs, until it is dropped.
pub(crate) struct Broker {
    process: Child,
    port: u16,
    files: TempDir,
}

/// What the broker says, beside its configuration.
const LOG: &str = "log";

/// No limit that the load would meet, no log, and no waiting for more to send.
const MOSQUITTO: &str = "\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_type error
max_inflight_messages 100
max_queued_messages 0
set_tcp_nodelay true
";

impl Candidate {
    /// `m2m`, `mosquitto` or `NAME=COMMAND`; in the command, `{port}` and `{mosquitto.conf}` stand for what they say.
    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        let (name, command) = match text {
            "m2m" => (text, m2m_command()?),
            "mosquitto" => (text, "mosquitto -c {mosquitto.conf}".to_owned()),
            _ => text.split_once('=').map(|(name, command)| (name, command.to_owned())).ok_or_else(|| {
                io::Error::other(format!("{text}: neither m2m, mosquitto nor NAME=COMMAND"))
            })?,
        };
        Ok(Self { name: name.to_owned(), command: command.split_whitespace().map(str::to_owned).collect() })
    }
}

/// The program that was built beside this one.
fn m2m_command() -> io::Result<String> {
    let program = std::env::current_exe()?.with_file_name("m2m");
    if !program.exists() {
        return Err(io::Error::other("m2m is not built: cargo build --release -p m2m"));
    }
    Ok(format!("{} broker --listen tcp://127.0.0.1:{{port}}", program.display()))
}

impl Broker {
    /// Starts it and waits until it takes connections.
    pub(crate) fn start(candidate: &Candidate) -> io::Result<Self> {
        let port = free_port()?;
        let files = tempfile::tempdir()?;
        let configuration = files.path().join("mosquitto.conf");
        fs::write(&configuration, MOSQUITTO.replace("{port}", &port.to_string()))?;
        let mut words = candidate.command.iter().map(|word| fill(word, port, &configuration));
        let program = words.next().ok_or_else(|| io::Error::other("an empty command"))?;
        // Debian keeps daemons where a user's PATH does not look.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let process = Command::new(&program)
            .args(words)
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(files.path().join(LOG))?)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
        let mut broker = Self { process, port, files };
        broker.wait_until_ready()?;
        Ok(broker)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Processor time of all its threads so far, to a hundredth of a second.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        const TICKS_PER_SECOND: u64 = 100;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The second field is the program's name in parentheses; utime and stime are the 14th and 15th.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks: u64 =
            fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let kibibytes =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        kibibytes
            .and_then(|number| number.parse::<u64>().ok())
            .map(|number| number * 1024)
            .ok_or_else(|| io::Error::other("no VmRSS in /proc"))
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let started = clock::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if let Some(status) = self.process.try_wait()? {
                let log = fs::read_to_string(self.files.path().join(LOG)).unwrap_or_default();
                return Err(io::Error::other(format!("ended at once: {status}\n{log}")));
            }
            if started.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "takes no connection"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Neither can fail for a child that has not been waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn fill(word: &str, port: u16, mosquitto: &Path) -> String {
    word.replace("{port}", &port.to_string()).replace("{mosquitto.conf}", &mosquitto.to_string_lossy())
}
