//! The options that `m2m pub` and `m2m sub` share, named as mosquitto's clients name them.

use core::time::Duration;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::{ArgAction, Args};
use machine::Random;
use mqtt_codec::{MAX_PACKET_SIZE, ProtocolVersion, QoS};
use mqtt_core::client::{Config, Will};
use mqtt_core::{Authentication, PropertyBuffer};
use topic_match::TopicName;

use super::failure::Failure;
use super::properties::Properties;
use super::url::{PORT, Server, Url};

/// Where to connect, and as whom.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people know")]
pub(crate) struct ConnectionArguments {
    /// The broker's name or address [default: localhost].
    #[arg(short = 'h', long, value_name = "NAME")]
    host: Option<String>,
    /// Its TCP port [default: 1883].
    #[arg(short, long)]
    port: Option<u16>,
    /// Host, port, user, password and topic at once.
    #[arg(short = 'L', long, value_name = "mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC", conflicts_with_all = ["host", "port"])]
    url: Option<String>,
    /// The user name.
    #[arg(short, long)]
    username: Option<String>,
    /// The password; other users of this machine can see it.
    #[arg(short = 'P', long = "pw", value_name = "PASSWORD")]
    password: Option<OsString>,
    /// The client identifier [default: a random one; with MQTT 5 the broker's choice].
    #[arg(short, long, conflicts_with = "id_prefix")]
    id: Option<String>,
    /// A client identifier of this and the number of the process.
    #[arg(short = 'I', long, value_name = "PREFIX")]
    id_prefix: Option<String>,
    /// The longest silence in seconds, 0 for any.
    #[arg(short, long = "keepalive", value_name = "SECONDS", default_value_t = 60)]
    keep_alive: u16,
    /// The version of MQTT: mqttv31, mqttv311, mqttv5, or 31, 311, 5 [default: 311; 5 with -D and -x].
    #[arg(short = 'V', long = "protocol-version", value_name = "VERSION", value_parser = version)]
    version: Option<ProtocolVersion>,
    /// Keep the session on the broker, and go on with it the next time; needs -i.
    #[arg(short = 'c', long = "disable-clean-session")]
    keep_session: bool,
    /// How long the broker keeps the session after the connection; -1 for ever. Implies -V 5 [default: -1 with -c, 0 without].
    #[arg(short = 'x', long, value_name = "SECONDS", value_parser = expiry, allow_hyphen_values = true)]
    session_expiry: Option<u32>,
    /// Messages that may be unacknowledged on their way to the broker.
    #[arg(short = 'M', long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    max_inflight: u16,
    /// Where the broker publishes a message when this client vanishes.
    #[arg(long, value_name = "TOPIC", value_parser = topic_name)]
    will_topic: Option<String>,
    /// That message [default: empty].
    #[arg(long, value_name = "MESSAGE", requires = "will_topic")]
    will_payload: Option<OsString>,
    /// Its QoS.
    #[arg(long, value_name = "0|1|2", value_parser = qos, default_value = "0", hide_default_value = true)]
    will_qos: QoS,
    /// Make it a retained message.
    #[arg(long, requires = "will_topic")]
    will_retain: bool,
    /// A property for a packet: connect, will, publish, subscribe, unsubscribe or disconnect; its name as in the standard with
    /// `-` for spaces; its value (user-property: name and value). Implies -V 5.
    #[arg(short = 'D', long = "property", value_names = ["COMMAND", "NAME", "VALUE"], num_args = 3..=4, action = ArgAction::Append)]
    properties: Vec<String>,
    /// Say on standard error what happens on the connection.
    #[arg(short, long)]
    pub(crate) debug: bool,
    /// Say nothing of what goes wrong; the exit code still does.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Show this.
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// What the shared options come to.
pub(crate) struct Connection {
    pub(crate) server: Server,
    pub(crate) config: Config,
    pub(crate) properties: Properties,
    /// The topic of the URL.
    pub(crate) topic: Option<String>,
    pub(crate) quiet: bool,
}

impl ConnectionArguments {
    /// # Errors
    /// [`Failure::Usage`] for options that do not fit together.
    pub(crate) fn connection(self) -> Result<Connection, Failure> {
        let properties = Properties::parse(&self.properties).map_err(Failure::usage)?;
        let url = self
            .url
            .as_deref()
            .map(|text| Url::parse(text).map_err(|error| Failure::usage(format_args!("-L {text}: {error}"))));
        let Url { server, username, password, topic } = url.unwrap_or_else(|| Ok(self.without_url()))?;
        let version = self.version();
        let config = Config {
            version,
            client_id: self.client_id(version)?,
            clean_start: !self.keep_session,
            session_expiry: self.session_expiry.unwrap_or(if self.keep_session { u32::MAX } else { 0 }),
            keep_alive: self.keep_alive,
            username: self.username.clone().or(username),
            password: self.password.clone().map(OsString::into_vec).or(password.map(String::into_bytes)),
            will: self.will(&properties).map(Box::new),
            max_inflight: self.max_inflight,
            max_packet_size: MAX_PACKET_SIZE,
            topic_alias_maximum: 0,
            connect_timeout: CONNECT_TIMEOUT,
            subscription_identifiers: false,
            ..Config::default()
        };
        let config = with_properties(config, &properties.connect);
        self.check(&config)?;
        Ok(Connection { server, config, properties, topic, quiet: self.quiet })
    }

    /// What a URL would have said.
    fn without_url(&self) -> Url {
        let host = self.host.clone().unwrap_or_else(|| "localhost".to_owned());
        let server = Server { host, port: self.port.unwrap_or(PORT) };
        Url { server, username: None, password: None, topic: None }
    }

    fn version(&self) -> ProtocolVersion {
        let needs_5 = !self.properties.is_empty() || self.session_expiry.is_some();
        if needs_5 { ProtocolVersion::V5 } else { self.version.unwrap_or(ProtocolVersion::V3_1_1) }
    }

    /// Without a wish, MQTT 5 servers give one; older ones are not sure to, and those of 3.1 want at most 23 characters.
    fn client_id(&self, version: ProtocolVersion) -> Result<String, Failure> {
        Ok(match (&self.id, &self.id_prefix) {
            (Some(id), _) => id.clone(),
            (None, Some(prefix)) => format!("{prefix}{}", std::process::id()),
            (None, None) if version == ProtocolVersion::V5 => String::new(),
            (None, None) => format!("m2m-{:016x}", random()?.next_u64()),
        })
    }

    /// What would be of no use.
    fn check(&self, config: &Config) -> Result<(), Failure> {
        let name_missing = config.username.is_none() && config.password.is_some();
        if name_missing && config.version < ProtocolVersion::V5 {
            return Err(Failure::usage("a password needs a user name: add -u, or -V 5, which does without"));
        }
        let keeps = !config.clean_start || config.session_expiry == u32::MAX;
        if keeps && self.id.as_deref().is_none_or(str::is_empty) {
            return Err(Failure::usage("a session that is kept needs a client identifier: add -i"));
        }
        Ok(())
    }

    fn will(&self, properties: &Properties) -> Option<Will> {
        let topic = self.will_topic.clone()?;
        Some(Will {
            topic,
            payload: self.will_payload.as_deref().map(OsStrExt::as_bytes).unwrap_or_default().to_vec(),
            qos: self.will_qos,
            retain: self.will_retain,
            properties: properties.will.clone(),
        })
    }
}

/// Opening a connection may be slow; a person has time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Moves what the client takes care of itself to where it does.
fn with_properties(mut config: Config, properties: &PropertyBuffer) -> Config {
    use mqtt_codec::Property as P;

    let mut others = Vec::new();
    let mut data = None;
    for property in &properties.get() {
        match property {
            P::SessionExpiryInterval(seconds) => config.session_expiry = seconds,
            P::ReceiveMaximum(maximum) => config.receive_maximum = maximum.get(),
            P::MaximumPacketSize(size) => config.max_packet_size = size.get().min(MAX_PACKET_SIZE),
            P::TopicAliasMaximum(maximum) => config.topic_alias_maximum = maximum,
            P::AuthenticationMethod(method) => {
                let authentication = Authentication { method: method.to_owned(), data: None };
                config.authentication = Some(Box::new(authentication));
            }
            P::AuthenticationData(bytes) => data = Some(bytes.to_vec()),
            other => others.push(other),
        }
    }
    if let Some(authentication) = &mut config.authentication {
        authentication.data = data;
    }
    // They were in a buffer before.
    config.connect_properties = PropertyBuffer::new(others).unwrap_or_default();
    config
}

/// Seeded with entropy.
pub(crate) fn random() -> Result<Random, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::Other(format!("no randomness: {error}")))?;
    Ok(Random::from_seed(seed))
}

/// For clap: a QoS.
pub(crate) fn qos(text: &str) -> Result<QoS, &'static str> {
    text.parse().ok().and_then(QoS::new).ok_or("expected 0, 1 or 2")
}

/// For clap: a topic name.
pub(crate) fn topic_name(text: &str) -> Result<String, String> {
    match TopicName::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("not a topic name to publish to: {error}")),
    }
}

/// For clap: a time in seconds, with a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<ProtocolVersion, &'static str> {
    match text {
        "mqttv31" | "31" => Ok(ProtocolVersion::V3_1),
        "mqttv311" | "311" => Ok(ProtocolVersion::V3_1_1),
        "mqttv5" | "5" => Ok(ProtocolVersion::V5),
        _ => Err("expected mqttv31, mqttv311, mqttv5, 31, 311 or 5"),
    }
}

fn expiry(text: &str) -> Result<u32, &'static str> {
    match text {
        "-1" | "∞" => Ok(u32::MAX),
        _ => text.parse().map_err(|_| "expected 0 to 4294967295 seconds, or -1 for ever"),
    }
}
