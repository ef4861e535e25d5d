//! What goes into a gateway and what comes out.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;
use machine::Instant;
use mqtt_core::client::DisconnectReason;
use mqttsn_codec::ReturnCode;

/// A connection to the MQTT server; never reused for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpstreamId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// Where a client is: a peer of the transport, or a node behind a forwarder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address<P> {
    /// The peer that datagrams go to: the client, or its forwarder.
    pub peer: P,
    /// The wireless node id, if there is a forwarder.
    pub node: Option<Arc<[u8]>>,
}

/// What happened outside of the gateway.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, P> {
    /// A datagram arrived.
    Datagram {
        /// From whom.
        from: P,
        /// What.
        bytes: &'a [u8],
        /// Whether it was sent to all (broadcast or multicast). A SEARCHGW is answered in the way it came.
        broadcast: bool,
    },
    /// The connection that [`Action::Open`] asked for is open.
    Opened(UpstreamId),
    /// Bytes arrived on a connection, in order. All are taken.
    Bytes {
        /// The connection.
        upstream: UpstreamId,
        /// What arrived.
        bytes: &'a [u8],
    },
    /// So many bytes of a connection's output have left.
    Sent {
        /// The connection.
        upstream: UpstreamId,
        /// How many.
        bytes: usize,
    },
    /// The connection has ended, whoever ended it, or could not be opened. Each [`Action::Open`] ends with this.
    Closed(UpstreamId),
    /// Time has passed.
    Tick,
}

/// What the host shall do, or may want to know. In order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action<P> {
    /// Send a datagram.
    Send {
        /// To whom.
        to: P,
        /// What.
        datagram: Bytes,
    },
    /// Send a datagram to all, as far as the radius says.
    Broadcast {
        /// The broadcast radius, in hops; 0 for the whole network.
        radius: u8,
        /// What.
        datagram: Bytes,
    },
    /// Open a connection to the MQTT server, and say [`Input::Opened`] or [`Input::Closed`].
    Open {
        /// Its number from now on.
        upstream: UpstreamId,
        /// The server, if it is not the configured one: the server has named another (MQTT 5 §4.11).
        server: Option<Box<str>>,
    },
    /// There is output: write [`Gateway::output`](super::Gateway::output) and say [`Input::Sent`]. Said once, and again only
    /// after all of it has left.
    Output(UpstreamId),
    /// Write what output there is, close the connection, and say [`Input::Closed`].
    Close(UpstreamId),
    /// Something to log.
    Event(Event<P>),
}

/// What a person may want to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<P> {
    /// A client is connected.
    Connected {
        /// Its client identifier.
        client_id: Arc<str>,
        /// Where it is.
        address: Address<P>,
    },
    /// A client was not let in.
    Refused {
        /// Where it is.
        address: Address<P>,
        /// What it was told.
        return_code: ReturnCode,
    },
    /// A client is at another address now.
    Moved {
        /// Its client identifier.
        client_id: Arc<str>,
        /// Where it is.
        address: Address<P>,
    },
    /// A client went to sleep.
    Asleep {
        /// Its client identifier.
        client_id: Arc<str>,
        /// For so many seconds at the most.
        duration: u16,
    },
    /// A client took leave, or was asked to connect again.
    Disconnected {
        /// Its client identifier.
        client_id: Arc<str>,
    },
    /// A client has been silent for too long.
    Lost {
        /// Its client identifier.
        client_id: Arc<str>,
    },
    /// The MQTT server let a connection in.
    UpstreamConnected {
        /// The client it belongs to; `None` for the gateway's own.
        client_id: Option<Arc<str>>,
    },
    /// A connection to the MQTT server is over, or was not made.
    UpstreamDisconnected {
        /// The client it belongs to; `None` for the gateway's own.
        client_id: Option<Arc<str>>,
        /// Why.
        reason: DisconnectReason,
        /// When the next attempt is made, if one is.
        retry_at: Option<Instant>,
    },
}
