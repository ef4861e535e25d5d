//! The gateway inside `m2m broker`: no socket between the two.

use alloc::rc::Rc;
use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use clap::Args;
use mqttsn_core::gateway::{Config, Upstream};
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;

use super::arguments::{ModeArgument, NetworkArguments, first_line};
use super::engine::Engine;
use super::stream::Broker;
use super::{Error, announce, join, listen, named};
use crate::broker;
use crate::sn::address::{Endpoint, InvalidAddress, group};

/// How long the gateway may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// What `m2m broker` takes for its gateway.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(crate) struct BesideArguments {
    /// Serve MQTT-SN clients, too, and listen for them there; may be given several times.
    #[arg(long, value_name = "udp://ADDRESS[:PORT]", value_parser = Endpoint::parse)]
    sn: Vec<Endpoint>,
    /// MQTT-SN: one session at the broker for each client, or one for all. Default: transparent.
    #[arg(long, value_enum, value_name = "MODE", requires = "sn")]
    sn_mode: Option<ModeArgument>,
    /// MQTT-SN: the group, or the broadcast address, in which clients look for gateways.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = group, requires = "sn")]
    sn_multicast: Option<SocketAddr>,
    /// MQTT-SN: topic ids that clients need not register, as for `m2m gateway`.
    #[arg(long, value_name = "FILE", requires = "sn")]
    sn_predefined: Option<PathBuf>,
    /// MQTT-SN: who the clients are for password file and ACL.
    #[arg(long, value_name = "NAME", requires = "sn")]
    sn_username: Option<String>,
    /// MQTT-SN: the password of that user is the first line of this file.
    #[arg(long, value_name = "FILE", requires = "sn_username")]
    sn_password_file: Option<PathBuf>,
}

/// The same in the configuration file, under `[sn]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BesideDocument {
    listen: Vec<String>,
    mode: ModeArgument,
    multicast: Option<String>,
    predefined: Option<PathBuf>,
    username: Option<String>,
    password_file: Option<PathBuf>,
}

/// What is no address in the configuration file.
#[derive(Debug, thiserror::Error)]
#[error("[sn] {text}: {source}")]
pub(crate) struct InvalidSn {
    text: String,
    source: InvalidAddress,
}

/// A gateway that runs.
pub(crate) struct Beside {
    engine: Rc<Engine>,
    serving: Vec<JoinHandle<()>>,
}

impl BesideArguments {
    /// With what the file says where the command line says nothing. There is no gateway if there is nowhere to listen.
    pub(crate) fn or(self, file: &BesideDocument) -> Result<Option<Self>, InvalidSn> {
        let invalid = |text: &str| {
            let text = text.to_owned();
            |source| InvalidSn { text, source }
        };
        let listen = file.listen.iter().map(|text| Endpoint::parse(text).map_err(invalid(text)));
        let listen = listen.collect::<Result<_, _>>()?;
        let multicast = file.multicast.as_deref().map(|text| group(text).map_err(invalid(text)));
        let both = Self {
            sn: if self.sn.is_empty() { listen } else { self.sn },
            sn_mode: self.sn_mode.or(Some(file.mode)),
            sn_multicast: self.sn_multicast.or(multicast.transpose()?),
            sn_predefined: self.sn_predefined.or_else(|| file.predefined.clone()),
            sn_username: self.sn_username.or_else(|| file.username.clone()),
            sn_password_file: self.sn_password_file.or_else(|| file.password_file.clone()),
        };
        Ok((!both.sn.is_empty()).then_some(both))
    }

    /// Starts the gateway. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When a file that is named cannot be used, or an address cannot be listened on.
    pub(crate) fn start(&self, broker: Rc<broker::Engine>) -> Result<Beside, Error> {
        let config = self.config()?;
        let sockets = listen(&self.sn)?;
        let group = self.sn_multicast.map(|group| join(group, None)).transpose()?;
        if !self.sn.iter().all(Endpoint::is_loopback) {
            warn!(
                "MQTT-SN knows no passwords: everybody who can reach this machine may publish and subscribe"
            );
        }
        let broker = Broker::Inside(broker);
        let config = named(config, &sockets);
        announce(&config, &broker);
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        let engine = Engine::new(config, broker, sockets, group, u64::from_le_bytes(seed));
        let serving = engine.start();
        Ok(Beside { engine, serving })
    }

    fn config(&self) -> Result<Config, Error> {
        let mode = self.sn_mode.unwrap_or_default();
        let network = NetworkArguments::inside(mode, self.sn_multicast, self.sn_predefined.clone());
        let password = self.sn_password_file.as_deref().map(first_line).transpose()?;
        let upstream = Upstream {
            username: self.sn_username.clone(),
            password: password.map(String::into_bytes),
            client_id: String::new(),
            ..Upstream::default()
        };
        Ok(Config { upstream, ..network.config()? })
    }
}

impl BesideDocument {
    /// The files that it names.
    pub(crate) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.predefined.iter_mut().chain(&mut self.password_file)
    }
}

impl Beside {
    /// What renders its part of the page of metrics.
    pub(crate) fn metrics(&self) -> impl Fn() -> String + use<> {
        let engine = Rc::clone(&self.engine);
        move || engine.metrics()
    }

    /// Takes leave of its clients.
    pub(crate) async fn stop(self) {
        self.serving.iter().for_each(JoinHandle::abort);
        _ = timeout(FAREWELL, self.engine.shut_down()).await;
        self.engine.report();
    }
}
