//! What a client may be told.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use mqttsn_codec::QoS;

/// The configuration of a [`Client`](super::Client). Timers and counters have the values that §7.2 recommends.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config<P> {
    /// The client id: 1 to 23 characters are understood everywhere. Default empty, and then to be set.
    pub client_id: String,
    /// Whether every new connection begins without subscriptions and will (§6.3). Default true.
    pub clean_session: bool,
    /// The longest silence in seconds, 0 for no limit (§6.11). Default 60.
    pub keep_alive: u16,
    /// What the gateway publishes when this client is lost.
    pub will: Option<Will>,
    /// Gateways whose addresses are known beforehand, in the order in which to try them.
    pub gateways: Vec<P>,
    /// Whether to look for gateways and to listen for them (§6.1). Default true.
    pub discovery: bool,
    /// Whether to tell other clients where a gateway is. Needs [`addresses`](Self::addresses). Default true.
    pub answer_searches: bool,
    /// How addresses of gateways stand in GWINFO (§5.4.3); without it, a GWINFO with an address is not understood.
    pub addresses: Option<AddressFormat<P>>,
    /// Gateways to keep in mind, those of [`gateways`](Self::gateways) included. Default 8.
    pub max_gateways: usize,
    /// The broadcast radius of SEARCHGW, 0 for the whole network. Default 0.
    pub search_radius: u8,
    /// `T_SEARCHGW`: the longest delay before a SEARCHGW, and the first time to wait for an answer. Default 5 s.
    pub search_delay: Duration,
    /// The longest time between two SEARCHGW; it doubles from [`search_delay`](Self::search_delay) on. Default 5 min.
    pub max_search_interval: Duration,
    /// `T_GWINFO`: the longest delay before a client's GWINFO. Default 5 s.
    pub answer_delay: Duration,
    /// `N_ADV`: so many ADVERTISE missing in a row, and a gateway is forgotten. Default 3.
    pub missed_advertisements: u32,
    /// `T_retry`: how long an answer may take. Default 10 s.
    pub retry_interval: Duration,
    /// `N_retry`: how often a message is sent again before the gateway counts as lost. Default 3.
    pub retries: u32,
    /// `T_WAIT`: how long to be silent towards a gateway that is congested. Default 5 min.
    pub congestion_wait: Duration,
    /// How often something may be put off before it is given up: by congestion, by a topic id that the gateway does
    /// not know any more, or (a message excepted) by the loss of a gateway that did not answer it. Default 3.
    pub max_postponements: u32,
    /// Whether to connect again when a connection is lost: to another gateway first. Default true.
    pub reconnect: bool,
    /// Whether all subscriptions are made again with each new connection, and after sleep. The gateway may have lost
    /// them, and MQTT-SN does not tell; retained messages come again, too. Default true.
    pub resubscribe: bool,
    /// Whether QoS 0 messages wait for a connection. Default true.
    pub queue_qos0: bool,
    /// The largest message that the network carries, in octets (60 for `ZigBee`). Default 1232: IPv6 without
    /// fragmentation.
    pub max_message_size: usize,
    /// Messages that may wait to be sent. Default 64.
    pub max_queued: usize,
    /// Octets that they may have. Default 16 KiB.
    pub max_queued_octets: usize,
    /// SUBSCRIBEs, UNSUBSCRIBEs and registrations that may wait. Default 64.
    pub max_requests: usize,
    /// Subscriptions to keep. Default 64.
    pub max_subscriptions: usize,
    /// Topic ids to keep in each direction. The one that was not used for longest makes room. Default 64.
    pub max_topics: usize,
}

/// A will: what the gateway publishes when the client is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// The topic name.
    pub topic: String,
    /// The message.
    pub message: Vec<u8>,
    /// The QoS.
    pub qos: QoS,
    /// Whether it becomes a retained message.
    pub retain: bool,
}

/// How the address of a gateway is written into GWINFO, and read from there. MQTT-SN leaves it to the network.
#[derive(Debug)]
pub struct AddressFormat<P> {
    /// The octets of an address, 1 to 255 of them.
    pub write: fn(&P) -> Vec<u8>,
    /// The address of the octets, if they are one.
    pub read: fn(&[u8]) -> Option<P>,
}

impl<P> Clone for AddressFormat<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for AddressFormat<P> {}

impl<P> PartialEq for AddressFormat<P> {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::fn_addr_eq(self.write, other.write) && core::ptr::fn_addr_eq(self.read, other.read)
    }
}

impl AddressFormat<SocketAddr> {
    /// UDP: the 4 or 16 octets of the IP address, and 2 of the port.
    pub const SOCKET: Self = Self {
        write: |address| {
            let mut octets = match address.ip() {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            };
            octets.extend_from_slice(&address.port().to_be_bytes());
            octets
        },
        read: |octets| {
            let (ip, port) = octets.split_last_chunk()?;
            let ip: IpAddr = match ip.len() {
                4 => <[u8; 4]>::try_from(ip).ok()?.into(),
                16 => <[u8; 16]>::try_from(ip).ok()?.into(),
                _ => return None,
            };
            Some(SocketAddr::new(ip, u16::from_be_bytes(*port)))
        },
    };
}

impl<P> Default for Config<P> {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            clean_session: true,
            keep_alive: 60,
            will: None,
            gateways: Vec::new(),
            discovery: true,
            answer_searches: true,
            addresses: None,
            max_gateways: 8,
            search_radius: 0,
            search_delay: Duration::from_secs(5),
            max_search_interval: Duration::from_secs(300),
            answer_delay: Duration::from_secs(5),
            missed_advertisements: 3,
            retry_interval: Duration::from_secs(10),
            retries: 3,
            congestion_wait: Duration::from_secs(300),
            max_postponements: 3,
            reconnect: true,
            resubscribe: true,
            queue_qos0: true,
            max_message_size: 1232,
            max_queued: 64,
            max_queued_octets: 16 << 10,
            max_requests: 64,
            max_subscriptions: 64,
            max_topics: 64,
        }
    }
}
