//! A program as a process: started on a port of its own, asked for its costs, ended by its own id.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::clock;

/// A program that can be started.
pub(crate) struct Candidate {
    pub(crate) name: String,
    command: String,
}

/// What stands for something in a command or a configuration: `{port}` for the port, and so on.
pub(crate) type Variables<'a> = [(&'a str, &'a str)];

/// One that runs, until it is dropped.
pub(crate) struct Process {
    child: Child,
    port: u16,
    files: TempDir,
}

/// Configurations, to be filled in and put where `{NAME}` then stands for.
const CONFIGURATIONS: &[(&str, &str)] = &[
    ("mosquitto.conf", include_str!("../../../../data/load/mosquitto.conf.in")),
    ("rumqttd.toml", include_str!("../../../../data/load/rumqttd.toml.in")),
];
/// What the program says.
const LOG: &str = "log";

impl Candidate {
    /// The name of a known program, or `NAME=COMMAND`.
    pub(crate) fn parse(text: &str, known: &[(&str, &str)]) -> io::Result<Self> {
        let known = known.iter().copied().find(|(name, _)| *name == text);
        let (name, command) = known
            .or_else(|| text.split_once('='))
            .ok_or_else(|| io::Error::other(format!("{text}: neither a known name nor NAME=COMMAND")))?;
        Ok(Self { name: name.to_owned(), command: command.to_owned() })
    }

    pub(crate) fn parse_all(texts: &[String], known: &[(&str, &str)]) -> io::Result<Vec<Self>> {
        texts.iter().map(|text| Self::parse(text, known)).collect()
    }
}

impl Process {
    /// Starts it and waits until `ready` says that something answers at its port.
    pub(crate) fn start(
        candidate: &Candidate,
        variables: &Variables<'_>,
        ready: impl Fn(u16) -> io::Result<()>,
    ) -> io::Result<Self> {
        let port = free_port()?;
        let files = tempfile::tempdir()?;
        fs::create_dir(files.path().join("folder"))?;
        let path = |name: &str| files.path().join(name).to_string_lossy().into_owned();
        let (number, m2m) = (port.to_string(), m2m()?);
        let load = std::env::current_exe()?.to_string_lossy().into_owned();
        let common = [("port", number.as_str()), ("folder", &path("folder")), ("m2m", &m2m), ("load", &load)];
        let fill = |text: &str| {
            let variables = common.iter().chain(variables);
            variables.fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        for (name, text) in CONFIGURATIONS {
            fs::write(files.path().join(name), fill(text))?;
        }
        let mut words =
            candidate.command.split_whitespace().map(|word| {
                let configurations = CONFIGURATIONS.iter();
                fill(&configurations.fold(word.to_owned(), |word, (name, _)| {
                    word.replace(&format!("{{{name}}}"), &path(name))
                }))
            });
        let program = words.next().ok_or_else(|| io::Error::other("an empty command"))?;
        let log = File::create(files.path().join(LOG))?;
        let child = Command::new(&program)
            .args(words)
            // Debian keeps daemons where a user's PATH does not look.
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
        let mut process = Self { child, port, files };
        process.wait_until(ready)?;
        Ok(process)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Processor time of all its threads so far, as the scheduler counts it.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread that has just ended is not there.
            let Ok(statistics) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            let first = statistics.split_whitespace().next().and_then(|field| field.parse::<u64>().ok());
            nanoseconds += first.ok_or_else(|| io::Error::other("no processor time in schedstat"))?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kibibytes =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        kibibytes
            .and_then(|number| number.parse::<u64>().ok())
            .map(|number| number * 1024)
            .ok_or_else(|| io::Error::other("no VmRSS in /proc"))
    }

    fn wait_until(&mut self, ready: impl Fn(u16) -> io::Result<()>) -> io::Result<()> {
        let started = clock::now();
        while let Err(error) = ready(self.port) {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.files.path().join(LOG)).unwrap_or_default();
                return Err(io::Error::other(format!("ended at once: {status}\n{log}")));
            }
            if started.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::new(error.kind(), format!("does not get ready: {error}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Neither can fail for a child that has not been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A UDP socket that speaks with this port of loopback alone, and waits so long for what it reads.
pub(crate) fn connected(port: u16, patience: Duration) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(patience))?;
    Ok(socket)
}

/// The program that was built beside this one.
fn m2m() -> io::Result<String> {
    let program = std::env::current_exe()?.with_file_name("m2m");
    if !program.exists() {
        return Err(io::Error::other("m2m is not built: cargo build --release -p m2m"));
    }
    Ok(program.to_string_lossy().into_owned())
}

/// One that is free for TCP and for UDP.
fn free_port() -> io::Result<u16> {
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
}
