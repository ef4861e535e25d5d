//! The command line of `m2m gateway`.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use mqtt_codec::ProtocolVersion;
use mqttsn_core::gateway::{
    Advertise, Config, DropPolicy, MinusOnePolicy, Mode, Predefined, QueueConfig, StrangerLimits, Upstream,
};
use serde::Deserialize;

use super::Error;
use super::predefined;
use crate::client::url::{Server, Url};
use crate::sn::address::{Endpoint, group};

/// What `m2m gateway` takes.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The MQTT broker. Several are tried in turn, as those of a cluster. Default: loopback, port 1883.
    #[arg(long, value_name = "mqtt://HOST[:PORT]", value_parser = broker)]
    pub(super) broker: Vec<Url>,
    /// Where to listen; may be given several times. Port 0 is any free one. Default: loopback, port 1885.
    #[arg(long, value_name = "udp://ADDRESS[:PORT]", value_parser = Endpoint::parse)]
    pub(super) listen: Vec<Endpoint>,
    #[command(flatten)]
    pub(super) network: NetworkArguments,
    #[command(flatten)]
    upstream: UpstreamArguments,
    #[command(flatten)]
    limits: LimitArguments,
    /// Serve Prometheus metrics at http://ADDRESS:PORT/metrics.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) metrics: Option<SocketAddr>,
    /// Say more: -v clients, and counters at the end, -vv every message; the variable `M2M_LOG` filters finer, as in
    /// `m2m=debug`.
    #[arg(short, long, action = ArgAction::Count)]
    pub(super) verbose: u8,
}

/// How the gateway serves clients.
#[derive(Args, Debug)]
pub(crate) struct NetworkArguments {
    /// One MQTT connection for each client, or one for all.
    #[arg(long, value_enum, default_value = "transparent")]
    mode: ModeArgument,
    /// The group, or the broadcast address, in which clients look for gateways. Default port 1883.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = group)]
    pub(super) multicast: Option<SocketAddr>,
    /// Be a member of the group on this network interface only.
    #[arg(long, value_name = "NAME", requires = "multicast")]
    pub(super) interface: Option<String>,
    /// Say every so many seconds that the gateway is there (ADVERTISE), to the group and behind forwarders; 0 for never.
    /// Default: 900 with --multicast, never without.
    #[arg(long, value_name = "SECONDS")]
    advertise: Option<u16>,
    /// The number of this gateway in its network (`GwId`).
    #[arg(long, value_name = "N", default_value_t = 1)]
    gateway_id: u8,
    /// Topic ids that clients need not register: lines of ClientId (or *), TopicName, TopicId, with commas between.
    #[arg(long, value_name = "FILE")]
    predefined: Option<PathBuf>,
    /// Who may publish at QoS -1.
    #[arg(long, value_enum, value_name = "WHO", default_value = "anyone")]
    qos_minus_one: MinusOneArgument,
    /// Understand RSMB's extension of QoS -1: a topic name in front of the data.
    #[arg(long)]
    rsmb_qos_minus_one: bool,
}

/// The connections to the broker.
#[derive(Args, Debug)]
struct UpstreamArguments {
    /// The user name of all connections to the broker.
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// The password; other users of this machine can see it.
    #[arg(short = 'P', long, value_name = "PASSWORD", conflicts_with = "password_file")]
    password: Option<String>,
    /// The password is the first line of this file.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The client identifier of the gateway's own connection: the one of all clients (aggregating), or that of QoS -1.
    /// Default: mqttsn-gateway, the name of the machine, and the port.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    client_id: String,
    /// What goes before the identifiers of clients (transparent).
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    client_id_prefix: String,
    /// The version of MQTT: 5, or 311. The gateway goes on with 3.1.1 where the broker knows no MQTT 5.
    #[arg(long, value_name = "VERSION", default_value = "5", value_parser = version)]
    mqtt_version: ProtocolVersion,
    /// The keep alive of connections to the broker, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    keep_alive: u16,
}

/// What clients may use, and what becomes of what they do not fetch.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct LimitArguments {
    /// Clients known at a time, connected or not.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: u32,
    /// The longest client identifier, in octets.
    #[arg(long, value_name = "OCTETS", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    max_client_id: u16,
    /// Let in clients that leave their identifier empty: they are known by their address.
    #[arg(long)]
    assign_client_ids: bool,
    /// A PINGREQ with a client identifier moves that client to the address it comes from. Anybody can send one.
    #[arg(long)]
    rebind_on_ping: bool,
    /// How long the session of a client that is gone is kept, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 604_800)]
    session_expiry: u32,
    /// How long a client may be silent that asks for no keep alive, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..))]
    idle_ceiling: u32,
    /// When a message is sent again that a client did not answer (`T_retry`), in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = crate::client::seconds)]
    retry: Duration,
    /// How often (`N_retry`).
    #[arg(long, value_name = "TIMES", default_value_t = 4)]
    retries: u8,
    /// The largest message that the network carries to a client, in octets; what is larger is dropped.
    #[arg(long, value_name = "OCTETS", default_value_t = 1400, value_parser = clap::value_parser!(u16).range(16..))]
    max_message_size: u16,
    /// Topic ids of one client.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    max_topics: u16,
    /// Let clients publish to topics that begin with $.
    #[arg(long)]
    publish_to_dollar: bool,
    /// Messages that wait for one client.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    queue_messages: u16,
    /// Their bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10)]
    queue_bytes: u32,
    /// What gives way when a client's queue is full.
    #[arg(long, value_enum, value_name = "WHICH", default_value = "oldest")]
    queue_drop: DropArgument,
    /// Keep no QoS 0 messages for clients that are asleep.
    #[arg(long)]
    no_qos0_asleep: bool,
    /// Bytes that wait for all clients together.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_buffered: u32,
    /// Answers per second to addresses without a connection, in all.
    #[arg(long, value_name = "N", default_value_t = 200)]
    stranger_answers: u32,
    /// QoS -1 messages per second, in all; a single address may send a fiftieth of them.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    stranger_messages: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeArgument {
    #[default]
    Transparent,
    Aggregating,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MinusOneArgument {
    Off,
    Connected,
    Anyone,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DropArgument {
    Oldest,
    Newest,
    Qos0First,
}

impl Arguments {
    /// The brokers, in the order in which to try them.
    pub(super) fn servers(&self) -> Vec<Server> {
        if self.broker.is_empty() {
            return vec![Server { host: "127.0.0.1".to_owned(), port: crate::client::url::PORT }];
        }
        self.broker.iter().map(|url| url.server.clone()).collect()
    }

    /// # Errors
    /// When a file that is named cannot be used.
    pub(super) fn config(&self) -> Result<Config, Error> {
        let mut config = self.limits.apply(self.network.config()?);
        config.upstream = self.upstream.apply(self.broker.first())?;
        Ok(config)
    }
}

impl NetworkArguments {
    /// Those of a gateway inside a broker.
    pub(super) fn inside(
        mode: ModeArgument,
        multicast: Option<SocketAddr>,
        predefined: Option<PathBuf>,
    ) -> Self {
        Self {
            mode,
            multicast,
            interface: None,
            advertise: None,
            gateway_id: 1,
            predefined,
            qos_minus_one: MinusOneArgument::Anyone,
            rsmb_qos_minus_one: false,
        }
    }

    /// # Errors
    /// When a file that is named cannot be used.
    pub(super) fn config(&self) -> Result<Config, Error> {
        let predefined = self.predefined.as_deref().map(predefined::read).transpose()?;
        let interval = self.advertise.unwrap_or(if self.multicast.is_some() { 900 } else { 0 });
        Ok(Config {
            mode: match self.mode {
                ModeArgument::Transparent => Mode::Transparent,
                ModeArgument::Aggregating => Mode::Aggregating,
            },
            gateway_id: self.gateway_id,
            predefined: predefined.unwrap_or_else(Predefined::default),
            advertise: (interval > 0).then_some(Advertise { interval, ..Advertise::default() }),
            qos_minus_one: match self.qos_minus_one {
                MinusOneArgument::Off => MinusOnePolicy::Off,
                MinusOneArgument::Connected => MinusOnePolicy::Connected,
                MinusOneArgument::Anyone => MinusOnePolicy::Anyone,
            },
            rsmb_qos_minus_one: self.rsmb_qos_minus_one,
            ..Config::default()
        })
    }
}

impl UpstreamArguments {
    fn apply(&self, broker: Option<&Url>) -> Result<Upstream, Error> {
        let password = match &self.password_file {
            Some(path) => Some(first_line(path)?),
            None => self.password.clone().or_else(|| broker?.password.clone()),
        };
        Ok(Upstream {
            version: self.mqtt_version,
            client_id: self.client_id.clone(),
            client_id_prefix: self.client_id_prefix.clone(),
            username: self.username.clone().or_else(|| broker?.username.clone()),
            password: password.map(String::into_bytes),
            keep_alive: self.keep_alive,
            ..Upstream::default()
        })
    }
}

impl LimitArguments {
    fn apply(&self, config: Config) -> Config {
        Config {
            max_clients: self.max_clients,
            max_client_id: self.max_client_id,
            assign_client_ids: self.assign_client_ids,
            rebind_on_ping: self.rebind_on_ping,
            session_expiry: Duration::from_secs(self.session_expiry.into()),
            idle_ceiling: Duration::from_secs(self.idle_ceiling.into()),
            retry: self.retry.max(Duration::from_millis(10)),
            retries: self.retries,
            max_message_size: self.max_message_size,
            max_topics: self.max_topics,
            publish_to_dollar: self.publish_to_dollar,
            queue: QueueConfig {
                messages: self.queue_messages,
                bytes: self.queue_bytes,
                policy: match self.queue_drop {
                    DropArgument::Oldest => DropPolicy::Oldest,
                    DropArgument::Newest => DropPolicy::Newest,
                    DropArgument::Qos0First => DropPolicy::QoS0First,
                },
                qos0_asleep: !self.no_qos0_asleep,
            },
            max_buffered: self.max_buffered as usize,
            strangers: StrangerLimits {
                answers: self.stranger_answers,
                messages: self.stranger_messages,
                messages_each: self.stranger_messages.div_ceil(50),
                ..StrangerLimits::default()
            },
            ..config
        }
    }
}

/// The password of a file: its first line.
pub(super) fn first_line(path: &std::path::Path) -> Result<String, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::Password { path: path.to_owned(), source })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// For clap: `mqtt://[user[:password]@]host[:port]`.
fn broker(text: &str) -> Result<Url, String> {
    // What is missing to the URL of a topic is the topic.
    let url = format!("{}/-", text.trim_end_matches('/'));
    Url::parse(&url).map_err(|error| error.to_string().replace("[:port]/topic", "[:port]"))
}

fn version(text: &str) -> Result<ProtocolVersion, &'static str> {
    match text {
        "5" | "mqttv5" => Ok(ProtocolVersion::V5),
        "311" | "mqttv311" => Ok(ProtocolVersion::V3_1_1),
        _ => Err("expected 5 or 311"),
    }
}
