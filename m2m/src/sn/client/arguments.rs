//! The options that the commands share, named as mqtt-sn-tools name them.

use core::net::SocketAddr;
use core::time::Duration;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::{ArgAction, Args};
use mqttsn_codec::{MAX_WIRELESS_NODE_ID, QoS, ShortTopic, SubscribeTopic, TopicId};
use mqttsn_core::client::{AddressFormat, Config, PublishTopic, Will};
use topic_match::TopicFilter;

use super::failure::Failure;
use crate::client::seconds;
use crate::sn::address::{PORT, group, resolve};

/// Where the gateway is, and who asks it.
#[derive(Args, Debug)]
pub(crate) struct ConnectionArguments {
    /// The gateway's name or address [default: 127.0.0.1].
    #[arg(short = 'h', long, value_name = "NAME", conflicts_with = "multicast")]
    host: Option<String>,
    /// Its UDP port.
    #[arg(short, long, default_value_t = PORT)]
    port: u16,
    /// Look for a gateway in this group, or by the broadcast address [port: 1883].
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = group)]
    multicast: Option<SocketAddr>,
    /// Look on this network interface only.
    #[arg(long, value_name = "NAME", requires = "multicast")]
    interface: Option<String>,
    /// The client identifier [default: m2m- and the number of the process].
    #[arg(short, long)]
    id: Option<String>,
    /// The longest silence in seconds, 0 for any.
    #[arg(short, long = "keepalive", value_name = "SECONDS", default_value_t = 60)]
    keep_alive: u16,
    /// The UDP port to send from [default: any].
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    cport: u16,
    /// Speak as from behind a forwarder, which wraps what it sends.
    #[arg(long)]
    fe: bool,
    /// The wireless node id there [default: the number of the process].
    #[arg(long, value_name = "ID", requires = "fe")]
    wlnid: Option<String>,
    /// Where the gateway publishes a message when this client vanishes.
    #[arg(long, value_name = "TOPIC")]
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
    /// How long an answer may take (`T_retry`), in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    retry: Duration,
    /// How often a message is sent again (`N_retry`).
    #[arg(long, value_name = "TIMES", default_value_t = 3)]
    retries: u32,
    /// The largest datagram, in octets.
    #[arg(long, value_name = "OCTETS", default_value_t = 1400, value_parser = clap::value_parser!(u16).range(16..=65_507))]
    max_message_size: u16,
    /// Say on standard error what happens; twice: every datagram.
    #[arg(short, long, action = ArgAction::Count)]
    pub(super) debug: u8,
    /// Show this.
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// What the shared options come to.
pub(crate) struct Connection {
    pub(crate) config: Config<SocketAddr>,
    pub(crate) multicast: Option<SocketAddr>,
    pub(crate) interface: Option<String>,
    pub(crate) cport: u16,
    /// The wireless node id, if a forwarder is to be played.
    pub(crate) node: Option<Vec<u8>>,
}

impl ConnectionArguments {
    /// # Errors
    /// When the host has no address, or the wireless node id cannot be one.
    pub(crate) fn connection(self, clean_session: bool) -> Result<Connection, Failure> {
        let process = std::process::id();
        let node = self.fe.then(|| self.wlnid.unwrap_or_else(|| process.to_string()).into_bytes());
        if node.as_ref().is_some_and(|node| node.is_empty() || node.len() > MAX_WIRELESS_NODE_ID) {
            return Err(Failure::usage("--wlnid: a wireless node id has 1 to 252 octets"));
        }
        if !clean_session && self.id.is_none() {
            return Err(Failure::usage("a session that is kept needs a client identifier: add -i"));
        }
        let gateways = match self.multicast {
            Some(_) => Vec::new(),
            None => addresses(self.host.as_deref().unwrap_or("127.0.0.1"), self.port)?,
        };
        let will = self.will_topic.map(|topic| Will {
            topic,
            message: self.will_payload.as_deref().map(OsStrExt::as_bytes).unwrap_or_default().to_vec(),
            qos: self.will_qos,
            retain: self.will_retain,
        });
        let config = Config {
            client_id: self.id.unwrap_or_else(|| format!("m2m-{process}")),
            clean_session,
            keep_alive: self.keep_alive,
            will,
            gateways,
            discovery: self.multicast.is_some(),
            answer_searches: false,
            addresses: Some(AddressFormat::SOCKET),
            // A person waits; and there are not thousands that look at once.
            search_delay: Duration::from_millis(500),
            retry_interval: self.retry,
            retries: self.retries,
            max_message_size: self.max_message_size.into(),
            ..Config::default()
        };
        Ok(Connection {
            config,
            multicast: self.multicast,
            interface: self.interface,
            cport: self.cport,
            node,
        })
    }
}

/// Those of a host, of one family: IPv4 if it has any.
pub(super) fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let all = resolve(host, port).map_err(|error| Failure::Other(format!("{host}: {error}")))?;
    let has_v4 = all.iter().any(SocketAddr::is_ipv4);
    Ok(all.into_iter().filter(|address| address.is_ipv4() == has_v4).collect())
}

/// What a message or a subscription is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Name(String),
    Short(ShortTopic),
    Predefined(TopicId),
}

impl Topic {
    /// Two octets are a short topic name, unless they are a filter.
    pub(crate) fn named(name: &str) -> Self {
        let wildcard = TopicFilter::new(name).is_ok_and(TopicFilter::has_wildcard);
        match ShortTopic::new(name) {
            Some(short) if !wildcard => Self::Short(short),
            _ => Self::Name(name.to_owned()),
        }
    }

    pub(crate) fn publish(&self) -> PublishTopic<'_> {
        match self {
            Self::Name(name) => PublishTopic::Name(name),
            Self::Short(name) => PublishTopic::Short(*name),
            Self::Predefined(id) => PublishTopic::Predefined(*id),
        }
    }

    pub(crate) fn subscribe(&self) -> SubscribeTopic<'_> {
        match self {
            Self::Name(name) => SubscribeTopic::Name(name),
            Self::Short(name) => SubscribeTopic::Short(*name),
            Self::Predefined(id) => SubscribeTopic::Predefined(*id),
        }
    }
}

impl core::fmt::Display for Topic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Short(name) => f.write_str(name.as_str().unwrap_or("?")),
            Self::Predefined(id) => write!(f, "predefined topic {id}"),
        }
    }
}

/// For clap: a QoS with a connection.
pub(crate) fn qos(text: &str) -> Result<QoS, &'static str> {
    text.parse().ok().and_then(QoS::new).ok_or("expected 0, 1 or 2")
}

/// For clap: a topic id.
pub(crate) fn topic_id(text: &str) -> Result<TopicId, &'static str> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number.and_then(TopicId::new).ok_or("expected 1 to 65534")
}

/// The octets of an argument.
pub(super) fn octets(text: OsString) -> Vec<u8> {
    text.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_octets_are_a_short_topic_name_unless_they_are_a_filter() {
        assert_eq!(Topic::named("ab"), Topic::Short(ShortTopic(*b"ab")));
        for name in ["a", "abc", "+/", "/#", "é/"] {
            assert_eq!(Topic::named(name), Topic::Name(name.to_owned()), "{name}");
        }
        assert_eq!(Topic::named("é"), Topic::Short(ShortTopic("é".as_bytes().try_into().unwrap())));
    }

    #[test]
    fn topic_ids_are_decimal_or_hexadecimal() {
        assert_eq!(topic_id("10").unwrap().get(), 10);
        assert_eq!(topic_id("0x10").unwrap().get(), 16);
        for text in ["0", "65535", "0xffff", "x", ""] {
            assert!(topic_id(text).is_err(), "{text}");
        }
    }
}
