//! The gateway inside `m2m broker`: no socket between the two.

use alloc::rc::Rc;
use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use clap::Args;
use mqttsn_core::gateway::{Config, Upstream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;

use super::arguments::{ModeArgument, NetworkArguments, first_line};
use super::engine::Engine;
use super::stream::Broker;
use super::{Error, announce, join, listen, named};
use crate::broker;
use crate::sn::address::{Endpoint, group};

/// How long the gateway may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// What `m2m broker` takes for its gateway.
#[derive(Args, Clone, Debug)]
pub(crate) struct BesideArguments {
    /// Serve MQTT-SN clients, too, and listen for them there; may be given several times.
    #[arg(long, value_name = "udp://ADDRESS[:PORT]", value_parser = Endpoint::parse)]
    sn: Vec<Endpoint>,
    /// MQTT-SN: one session at the broker for each client, or one for all.
    #[arg(long, value_enum, value_name = "MODE", default_value = "transparent", requires = "sn")]
    sn_mode: ModeArgument,
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

/// A gateway that runs.
pub(crate) struct Beside {
    engine: Rc<Engine>,
    serving: Vec<JoinHandle<()>>,
}

impl BesideArguments {
    /// Nothing, if there is nowhere to listen.
    pub(crate) fn wanted(self) -> Option<Self> {
        (!self.sn.is_empty()).then_some(self)
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
        let network = NetworkArguments::inside(self.sn_mode, self.sn_multicast, self.sn_predefined.clone());
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

impl Beside {
    /// Takes leave of its clients.
    pub(crate) async fn stop(self) {
        self.serving.iter().for_each(JoinHandle::abort);
        _ = timeout(FAREWELL, self.engine.shut_down()).await;
        self.engine.report();
    }
}
