//! `m2m broker`: the broker state machine on TCP sockets.

mod access;
mod actions;
mod config;
mod connection;
mod descriptors;
mod engine;
mod listener;
mod local;
mod memory;
mod metrics;
mod output;
mod signals;

use alloc::rc::Rc;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;
use tracing::{error, info, warn};

pub(crate) use self::access::passwords;
use self::config::Settings;
pub(crate) use self::config::{InvalidConfig, Options};
pub(crate) use self::engine::Engine;
use self::engine::readable;
use self::listener::{Endpoint, accept};
pub(crate) use self::local::LocalClient;
use self::signals::{Request, Signals};
use crate::sn::gateway;

/// How long clients may take to go when the broker ends.
const DRAIN: Duration = Duration::from_secs(6);
/// Threads that check passwords: each check takes a core and 19 MiB while it lasts.
const LOGIN_THREADS: usize = 2;

/// How the broker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All clients were taken leave of, or had their time to go.
    Drained,
    /// A second signal did not leave them the time.
    AtOnce,
}

/// Why the broker could not run.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    #[error("cannot listen on {endpoint}: {source}{}", hint(.source))]
    Listen { endpoint: String, source: io::Error },
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    #[error("no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
}

impl Error {
    /// Whether what was configured is at fault.
    pub(crate) fn is_of_the_configuration(&self) -> bool {
        match self {
            Self::Config(_) => true,
            Self::Gateway(problem) => problem.is_of_the_configuration(),
            Self::Listen { .. } | Self::Start(_) | Self::Entropy(_) => false,
        }
    }
}

/// What stays as it was at the start.
struct Bound {
    endpoints: Vec<Endpoint>,
    metrics: Option<SocketAddr>,
    gateway: Option<gateway::BesideArguments>,
}

/// Runs a broker until a signal ends it.
pub(crate) fn run(options: &Options) -> Result<Ended, Error> {
    let settings = Settings::load(options)?;
    descriptors::allow_for(settings.broker.max_connections);
    memory::keep();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .event_interval(1) // one turn of the engine serves all connections that are ready: look for more after each
        .max_blocking_threads(LOGIN_THREADS)
        .build_local(LocalOptions::default())?;
    runtime.block_on(serve(options, settings))
}

async fn serve(options: &Options, settings: Settings) -> Result<Ended, Error> {
    let mut signals = Signals::new()?;
    let listeners = listen(&settings)?;
    let metrics = match settings.metrics {
        Some(address) => Some(listen_for_metrics(address).await?),
        None => None,
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;

    let bound = Bound { endpoints: settings.endpoints, metrics: settings.metrics, gateway: settings.gateway };
    let engine = Engine::start(settings.broker, settings.access, seed)?;
    let beside = match &bound.gateway {
        Some(arguments) => Some(arguments.start(Rc::clone(&engine))?),
        None => None,
    };
    let mut accepting = Vec::new();
    for listener in listeners {
        accepting.push(spawn_local(accept(readable(listener)?, Rc::clone(&engine))));
    }
    if let Some(listener) = metrics {
        let engine = Rc::clone(&engine);
        let gateway = beside.as_ref().map(gateway::Beside::metrics);
        spawn_local(crate::metrics::serve(listener, move || {
            let gateway = gateway.as_ref().map(|render| render()).unwrap_or_default();
            [engine.metrics(), gateway, crate::metrics::render_process()].concat()
        }));
    }

    while signals.next().await == Request::Reload {
        reload(options, &engine, &bound);
    }
    accepting.iter().for_each(tokio::task::JoinHandle::abort);
    if let Some(gateway) = beside {
        gateway.stop().await;
    }
    Ok(drain(&engine, &mut signals).await)
}

/// Opens the sockets and says where, in lines that begin with `listening on`.
fn listen(settings: &Settings) -> Result<Vec<mio::net::TcpListener>, Error> {
    if settings.endpoints.is_empty() {
        return listen_on_loopback();
    }
    let mut listeners = Vec::new();
    for endpoint in &settings.endpoints {
        listeners.extend(endpoint.listen().map_err(|source| refused(endpoint, source))?);
    }
    announce(&listeners)?;
    if !settings.access.allow_anonymous && settings.access.passwords.is_none() {
        warn!(
            "no client can connect: set a password file (--password-file), or allow_anonymous in the configuration"
        );
    }
    if settings.access.passwords.is_none()
        && settings.access.acl.as_ref().is_some_and(access::Acl::names_users)
    {
        warn!(
            "the ACL file has rules for users, but without a password file anybody can claim to be one of them"
        );
    }
    Ok(listeners)
}

/// Without options: IPv4 and IPv6, or the one of them that the machine has.
fn listen_on_loopback() -> Result<Vec<mio::net::TcpListener>, Error> {
    let mut listeners = Vec::new();
    for endpoint in Endpoint::loopback() {
        match endpoint.listen() {
            Ok(opened) => listeners.extend(opened),
            Err(source) if source.kind() == io::ErrorKind::AddrNotAvailable => warn!("{endpoint}: {source}"),
            Err(source) => return Err(refused(&endpoint, source)),
        }
    }
    announce(&listeners)?;
    info!(
        "only clients on this machine can connect; for others: \
         m2m broker --listen tcp://0.0.0.0:1883 --password-file FILE, or [::] for IPv6 and, on most systems, IPv4"
    );
    Ok(listeners)
}

fn announce(listeners: &[mio::net::TcpListener]) -> io::Result<()> {
    for listener in listeners {
        info!("listening on tcp://{}", listener.local_addr()?);
    }
    Ok(())
}

async fn listen_for_metrics(address: SocketAddr) -> Result<TcpListener, Error> {
    let listening = crate::metrics::listen(address).await;
    listening.map_err(|source| Error::Listen { endpoint: format!("http://{address}"), source })
}

fn refused(endpoint: &Endpoint, source: io::Error) -> Error {
    Error::Listen { endpoint: endpoint.to_string(), source }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another program, perhaps another broker, uses this port",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges",
        io::ErrorKind::AddrNotAvailable => "; this machine does not have that address",
        _ => "",
    }
}

/// Reads the configuration, the password file and the ACL file again. When one of them is bad, all stays as it was.
fn reload(options: &Options, engine: &Rc<Engine>, bound: &Bound) {
    match Settings::load(options) {
        Ok(settings) => {
            if settings.endpoints != bound.endpoints || settings.metrics != bound.metrics {
                warn!("addresses to listen on change only at the next start");
            }
            if settings.gateway != bound.gateway {
                warn!("the MQTT-SN gateway changes only at the next start");
            }
            engine.reconfigure(settings.broker, settings.access);
            info!("configuration read again");
        }
        Err(problem) => error!("the configuration stays as it was: {problem}"),
    }
}

async fn drain(engine: &Rc<Engine>, signals: &mut Signals) -> Ended {
    info!(connections = engine.connections(), "ending; a second signal ends at once");
    tokio::select! {
        result = tokio::time::timeout(DRAIN, engine.shut_down()) => {
            if result.is_err() {
                warn!(connections = engine.connections(), "clients that did not go are left");
            }
            Ended::Drained
        }
        () = signals.stop() => Ended::AtOnce,
    }
}
