//! `m2m coap serve`: files, and resources for tests of CoAP clients.

mod demo;
mod engine;
mod files;
mod listen;
mod network;

use alloc::rc::Rc;
use core::fmt;
use core::net::SocketAddr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgAction, ArgGroup, Args};
use coap_core::{Config, EchoPolicy, Endpoint, Limits, Refused, Transmission};
use thiserror::Error;
use tokio::runtime::{Builder, LocalOptions};
use tracing::{info, warn};

use self::demo::Demo;
use self::engine::Engine;
use self::files::Files;
use self::listen::Listen;
use self::network::Network;
use super::transport::{Interface, Socket, Source};
use crate::clock::Clock;
use crate::signals::Signals;
use crate::{fail, log_to_stderr};

pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  ended as asked, by SIGINT or SIGTERM
  1  an address cannot be listened on, the folder cannot be read, or the system refused something
  2  wrong command line";

/// Bodies that may be in the making for all peers together, as a multiple of the largest.
const BODIES: usize = 16;

#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct Arguments {
    /// Serve the files of this folder: GET and Observe, ETag, folders as lists of links. Hidden files and symbolic links are
    /// left out.
    #[arg(value_name = "DIR", group = "what")]
    folder: Option<PathBuf>,
    /// Serve what tests of CoAP clients need: the resources of the ETSI plugtests, and those of libcoap's example server.
    #[arg(long, group = "what")]
    demo: bool,
    /// Let everybody who can reach this server change files: PUT, DELETE, and POST to a folder.
    #[arg(long, requires = "folder")]
    write: bool,
    /// Where to listen; may be given several times. Port 0 is any free one. Default: loopback, port 5683.
    #[arg(long, value_name = "udp://ADDRESS[:PORT]", value_parser = Listen::parse)]
    listen: Vec<Listen>,
    /// Join the groups of all CoAP nodes on this network interface only; may be given several times. Default: on all, as far as
    /// all addresses are listened on.
    #[arg(long, value_name = "INTERFACE", value_parser = listen::interface)]
    multicast: Vec<String>,
    /// Join no group.
    #[arg(long, conflicts_with = "multicast")]
    no_multicast: bool,
    /// Networks whose addresses nobody forges, such as 192.0.2.0/24; may be given several times. Loopback always is one.
    #[arg(long, value_name = "NET", value_parser = Network::parse)]
    trust: Vec<Network>,
    /// The most bytes of an answer for each byte of a request, until a client outside these networks has shown that it
    /// receives (RFC 9175).
    #[arg(long, value_name = "N|off", default_value = "3", value_parser = amplification)]
    amplification: Amplification,
    /// The largest block of a body: 16, 32, 64, 128, 256, 512 or 1024.
    #[arg(long, value_name = "BYTES", default_value = "1024", value_parser = block_size_exponent)]
    block_size: u8,
    /// Messages to a client that may wait for its acknowledgement at the same time (NSTART).
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    nstart: u32,
    /// The largest body, in bytes, and so the largest file. 16 times as much may be on its way at a time.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1024..=1 << 30))]
    max_body: u32,
    /// Clients that are remembered at a time.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: u32,
    /// Observations at a time, of all clients.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_observers: u32,
    /// Say more: -v requests, and counters at the end, -vv every message; the variable `M2M_LOG` filters finer, as in
    /// `m2m=debug`.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Clone, Copy)]
struct Amplification(Option<u32>);

#[derive(Debug, Error)]
enum Error {
    #[error("cannot serve {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("cannot listen on {listen}: {source}{}", hint(.source))]
    Listen { listen: String, source: io::Error },
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    #[error("no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
    #[error("cannot offer the resources: {0}")]
    Resources(#[from] Refused),
}

/// Who asks: the address, and what an answer has to leave with so that it comes from the address that was asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Peer {
    address: SocketAddr,
    socket: usize,
    source: Source,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Serves until a signal ends it.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    log_to_stderr(["info", "m2m=debug,info", "trace"][usize::from(arguments.verbose.min(2))]);
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let ended = runtime.map_err(Error::Start).and_then(|runtime| runtime.block_on(serve(arguments)));
    ended.map_or_else(|problem| fail(&problem, 1), |()| ExitCode::SUCCESS)
}

async fn serve(arguments: Arguments) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let clock = Clock::start();
    let now = clock.now();

    let mut endpoint = Endpoint::new(config(&arguments), seed);
    let with_root = arguments.folder.is_none();
    let demo = arguments.demo.then(|| Demo::new(&mut endpoint, with_root, now)).transpose()?;
    let files = match &arguments.folder {
        Some(folder) => Some(open(folder, &arguments, &mut endpoint)?),
        None => None,
    };
    let sockets = sockets(&arguments)?;
    let engine = Rc::new(Engine::new(clock, sockets, arguments.trust, endpoint, demo, files));
    engine.start();
    signals.next().await;
    engine.report();
    info!("ended");
    Ok(())
}

fn config(arguments: &Arguments) -> Config {
    let body = arguments.max_body as usize;
    let limits = Limits {
        peers: arguments.max_clients as usize,
        observers: arguments.max_observers as usize,
        body,
        bodies: body.saturating_mul(BODIES),
        ..Limits::default()
    };
    Config {
        transmission: Transmission { nstart: arguments.nstart, ..Transmission::default() },
        limits,
        block_size_exponent: arguments.block_size,
        echo: EchoPolicy { amplification: arguments.amplification.0, ..EchoPolicy::default() },
        ..Config::default()
    }
}

fn open(folder: &Path, arguments: &Arguments, endpoint: &mut Endpoint<Peer>) -> Result<Files, Error> {
    let files = Files::open(folder, arguments.write, arguments.max_body as usize, endpoint);
    let files = files.map_err(|source| Error::Folder { folder: folder.to_owned(), source })?;
    info!("serving {} and {} files and folders in it", folder.display(), files.len());
    if arguments.write {
        warn!("everybody who can reach this server may change these files");
    }
    Ok(files)
}

/// Opens the sockets and says where, in lines that begin with `listening on`.
fn sockets(arguments: &Arguments) -> Result<Vec<Socket>, Error> {
    let mut sockets = Vec::new();
    if arguments.listen.is_empty() {
        for listen in Listen::loopback() {
            match listen.open() {
                Ok(opened) => sockets.extend(opened),
                Err(source) if source.kind() == io::ErrorKind::AddrNotAvailable => {
                    warn!("{listen}: {source}");
                }
                Err(source) => return Err(refused(&listen, source)),
            }
        }
    }
    for listen in &arguments.listen {
        sockets.extend(listen.open().map_err(|source| refused(listen, source))?);
    }
    let wildcards = sockets.iter().filter(|socket| socket.local_addr().ip().is_unspecified());
    let mut joined = 0;
    if !arguments.no_multicast {
        for socket in wildcards {
            joined += join(socket, &arguments.multicast)?;
        }
    }
    // Who waits for these lines may ask the groups at once.
    for socket in &sockets {
        info!("listening on udp://{}", socket.local_addr());
    }
    if arguments.listen.is_empty() {
        info!("only clients on this machine can reach it; for others: --listen udp://[::]");
    }
    if joined > 0 {
        info!("member of the groups of all CoAP nodes");
    } else if !arguments.multicast.is_empty() {
        warn!("member of no group: that needs --listen udp://0.0.0.0 or udp://[::]");
    }
    Ok(sockets)
}

/// On how many interfaces it could be done.
fn join(socket: &Socket, interfaces: &[String]) -> io::Result<usize> {
    if interfaces.is_empty() {
        return socket.join_all_coap_nodes();
    }
    let mut joined = 0;
    for interface in Interface::all()?.iter().filter(|interface| interfaces.contains(&interface.name)) {
        joined += usize::from(socket.join(interface));
    }
    Ok(joined)
}

fn refused(listen: &Listen, source: io::Error) -> Error {
    Error::Listen { listen: listen.to_string(), source }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another program, perhaps another server, uses this port",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges",
        io::ErrorKind::AddrNotAvailable => "; this machine does not have that address",
        _ => "",
    }
}

fn amplification(text: &str) -> Result<Amplification, &'static str> {
    match text.parse() {
        Ok(0) | Err(_) if text != "off" => Err("expected a number above 0, or off"),
        most => Ok(Amplification(most.ok())),
    }
}

fn block_size_exponent(text: &str) -> Result<u8, &'static str> {
    let sizes = (0..=6).map(|exponent| (exponent, (16_u32 << exponent).to_string()));
    let found = sizes.into_iter().find(|(_, size)| size == text);
    found.map(|(exponent, _)| exponent).ok_or("expected 16, 32, 64, 128, 256, 512 or 1024")
}
