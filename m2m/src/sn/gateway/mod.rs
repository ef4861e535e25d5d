//! `m2m gateway`: the gateway state machine on UDP sockets, in front of an MQTT broker.

mod arguments;
mod beside;
mod engine;
mod log;
mod metrics;
mod predefined;
mod stream;
mod upstream;

use alloc::rc::Rc;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use mqttsn_core::gateway::{Config, Mode};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;
use tracing::{info, warn};

pub(crate) use self::arguments::Arguments;
use self::arguments::NetworkArguments;
pub(crate) use self::beside::{Beside, BesideArguments, BesideDocument, InvalidSn};
use self::engine::Engine;
use self::predefined::InvalidPredefined;
use self::stream::{Broker, Servers};
use crate::coap::transport::{Socket, Source};
use crate::signals::Signals;
use crate::sn::address::Endpoint;
use crate::sn::group::Group;
use crate::{fail, log_to_stderr};

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    ended by a signal
  1    an address cannot be listened on, or the system refused something
  2    wrong command line
  3    the file of predefined topics or of the password was refused
  130  ended at once by a second signal";

/// How long the broker may take to say good-bye when the gateway ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why the gateway could not run.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Predefined(#[from] InvalidPredefined),
    #[error("cannot read {}: {source}", path.display())]
    Password { path: PathBuf, source: io::Error },
    #[error("cannot listen on {listen}: {source}{}", hint(.source))]
    Listen { listen: String, source: io::Error },
    #[error("cannot be a member of {group}: {source}{}", hint(.source))]
    Group { group: SocketAddr, source: io::Error },
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    #[error("no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
}

impl Error {
    /// Whether what was configured is at fault.
    pub(crate) fn is_of_the_configuration(&self) -> bool {
        matches!(self, Self::Predefined(_) | Self::Password { .. })
    }
}

/// Who sends datagrams: the address, and what an answer has to leave with so that it comes from the address that was
/// asked.
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

/// Runs a gateway until a signal ends it.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    log_to_stderr(["info", "m2m=debug,info", "trace"][usize::from(arguments.verbose.min(2))]);
    let config = match arguments.config() {
        Ok(config) => config,
        Err(problem) => return fail(&problem, 3),
    };
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let ended = runtime.map_err(Error::Start).and_then(|runtime| runtime.block_on(serve(arguments, config)));
    match ended {
        Ok(code) => code,
        Err(problem) => fail(&problem, 1),
    }
}

async fn serve(arguments: &Arguments, config: Config) -> Result<ExitCode, Error> {
    let mut signals = Signals::new()?;
    let mut seed = [0; 8];
    getrandom::fill(&mut seed)?;
    let servers = Servers::new(arguments.servers(), config.upstream.connect_timeout);
    let broker = Broker::Remote(servers);
    let sockets = listen(&arguments.listen)?;
    let NetworkArguments { multicast, interface, .. } = &arguments.network;
    let metrics = match arguments.metrics {
        Some(address) => Some(listen_for_metrics(address).await?),
        None => None,
    };
    let group = multicast.map(|group| join(group, interface.as_deref())).transpose()?;
    let config = named(config, &sockets);
    announce(&config, &broker);
    let engine = Engine::new(config, broker, sockets, group, u64::from_le_bytes(seed));
    let serving = engine.start();
    if let Some(listener) = metrics {
        let engine = Rc::clone(&engine);
        spawn_local(crate::metrics::serve(listener, move || {
            [engine.metrics(), crate::metrics::render_process()].concat()
        }));
    }
    signals.next().await;
    info!("ending; a second signal ends at once");
    serving.iter().for_each(tokio::task::JoinHandle::abort);
    let code = tokio::select! {
        ended = tokio::time::timeout(FAREWELL, engine.shut_down()) => {
            if ended.is_err() {
                warn!("the broker did not take leave");
            }
            ExitCode::SUCCESS
        }
        () = signals.next() => ExitCode::from(130),
    };
    engine.report();
    Ok(code)
}

/// With a client identifier of its own: two gateways with the same would drive each other from the broker.
fn named(mut config: Config, sockets: &[Socket]) -> Config {
    if config.upstream.client_id.is_empty() {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let port = sockets.first().map_or(0, |socket| socket.local_addr().port());
        config.upstream.client_id = format!("mqttsn-gateway-{}-{port}", host.trim());
    }
    config
}

fn announce(config: &Config, broker: &Broker) {
    let mode = match config.mode {
        Mode::Transparent => "a connection for each client",
        Mode::Aggregating => "one connection for all clients",
    };
    let topics = config.predefined.len();
    info!("gateway {} to {broker}: {mode}, {topics} predefined topics", config.gateway_id);
}

/// Opens the sockets and says where, in lines that begin with `listening on`.
pub(crate) fn listen(endpoints: &[Endpoint]) -> Result<Vec<Socket>, Error> {
    let mut sockets = Vec::new();
    let refused = |endpoint: &Endpoint, source| Error::Listen { listen: endpoint.to_string(), source };
    if endpoints.is_empty() {
        for text in ["udp://127.0.0.1", "udp://[::1]"] {
            let endpoint = Endpoint::parse(text).expect("written in the form that is parsed");
            match open(&endpoint) {
                Ok(opened) => sockets.extend(opened),
                Err(source) if source.kind() == io::ErrorKind::AddrNotAvailable => {
                    warn!("{endpoint}: {source}");
                }
                Err(source) => return Err(refused(&endpoint, source)),
            }
        }
    }
    for endpoint in endpoints {
        sockets.extend(open(endpoint).map_err(|source| refused(endpoint, source))?);
    }
    for socket in &sockets {
        info!("listening on udp://{}", socket.local_addr());
    }
    if endpoints.is_empty() {
        info!("only clients on this machine can reach it; for others: --listen udp://[::]");
    }
    Ok(sockets)
}

async fn listen_for_metrics(address: SocketAddr) -> Result<TcpListener, Error> {
    let listening = crate::metrics::listen(address).await;
    listening.map_err(|source| Error::Listen { listen: format!("http://{address}"), source })
}

fn open(endpoint: &Endpoint) -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for &address in &endpoint.addresses {
        sockets.extend(Socket::listen(address)?);
    }
    Ok(sockets)
}

/// Becomes a member of the group.
pub(crate) fn join(group: SocketAddr, interface: Option<&str>) -> Result<Group, Error> {
    let joined = Group::open(group, interface).map_err(|source| Error::Group { group, source })?;
    info!("clients find it by {group}");
    Ok(joined)
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another program, perhaps another gateway, uses this port",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges",
        io::ErrorKind::AddrNotAvailable => "; this machine does not have that address",
        _ => "",
    }
}
