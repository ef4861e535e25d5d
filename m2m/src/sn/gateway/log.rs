//! What a person hears of a gateway.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::ReasonCode;
use mqtt_core::client::DisconnectReason;
use mqttsn_core::gateway::{Address, Event};
use tracing::{debug, info, warn};

use super::Peer;
use super::engine::State;
use super::stream::Broker;

impl State {
    pub(super) fn log(&mut self, event: Event<Peer>, broker: &Broker, now: Instant) {
        match event {
            Event::Connected { client_id, address } => {
                debug!(%client_id, address = %At(&address), "connected");
            }
            Event::Refused { address, return_code } => {
                debug!(address = %At(&address), "refused: {return_code}");
            }
            Event::Moved { client_id, address } => debug!(%client_id, address = %At(&address), "moved"),
            Event::Asleep { client_id, duration } => debug!(%client_id, "asleep for {duration} s"),
            Event::Disconnected { client_id } => debug!(%client_id, "disconnected"),
            Event::Lost { client_id } => debug!(%client_id, "lost"),
            Event::UpstreamConnected { client_id: None } => info!("connected to the broker"),
            Event::UpstreamConnected { client_id: Some(client_id) } => {
                debug!(%client_id, "connected to the broker");
            }
            Event::UpstreamDisconnected { client_id, reason, retry_at } => {
                self.log_end(client_id.as_ref(), reason, retry_at, broker, now);
            }
        }
    }

    fn log_end(
        &mut self,
        client_id: Option<&Arc<str>>,
        reason: DisconnectReason,
        retry_at: Option<Instant>,
        broker: &Broker,
        now: Instant,
    ) {
        if reason == DisconnectReason::Requested {
            return;
        }
        let why = match (reason, self.problem.take()) {
            (DisconnectReason::TransportClosed, Some(problem))
                if problem.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                problem.to_string()
            }
            (DisconnectReason::TransportClosed, _) => "it closed the connection".to_owned(),
            (DisconnectReason::Refused(reason), _) => format!("it refuses: {reason}{}", remedy(reason)),
            (DisconnectReason::Server(reason), _) => format!("it says: {reason}"),
            (DisconnectReason::ConnectTimeout, _) => "no answer".to_owned(),
            (DisconnectReason::PingTimeout, _) => "it is silent".to_owned(),
            (DisconnectReason::Stalled, _) => "it takes nothing".to_owned(),
            (DisconnectReason::InvalidConfig(problem), _) => problem.to_string(),
            (DisconnectReason::Malformed(problem), _) => format!("it does not speak MQTT: {problem}"),
            (DisconnectReason::Violation(problem), _) => format!("it breaks the rules of MQTT: {problem}"),
            (DisconnectReason::Requested, _) => return,
        };
        if matches!(reason, DisconnectReason::ConnectTimeout) || is_of_this_server(reason) {
            broker.refuses();
        }
        let wait = retry_at.map(|at| (at - now).max(Duration::from_millis(100)));
        let next = wait.map(|wait| format!("; trying again in {wait:.1?}")).unwrap_or_default();
        match client_id {
            None if reason == DisconnectReason::Refused(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION) => {
                info!("the broker knows no MQTT 5; going on with MQTT 3.1.1");
            }
            None => warn!("no connection to the broker ({broker}): {why}{next}"),
            // The gateway's own connection tells of what concerns all.
            Some(client_id)
                if matches!(reason, DisconnectReason::Refused(_) | DisconnectReason::Server(_)) =>
            {
                info!(%client_id, "no connection to the broker: {why}{next}");
            }
            Some(client_id) => debug!(%client_id, "no connection to the broker: {why}{next}"),
        }
    }
}

/// Whether another server may say something else.
fn is_of_this_server(reason: DisconnectReason) -> bool {
    let (DisconnectReason::Refused(reason) | DisconnectReason::Server(reason)) = reason else { return false };
    matches!(
        reason,
        ReasonCode::SERVER_UNAVAILABLE | ReasonCode::SERVER_BUSY | ReasonCode::SERVER_SHUTTING_DOWN
    )
}

fn remedy(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::NOT_AUTHORIZED => {
            " (--username and --password-file say who the gateway is)"
        }
        _ => "",
    }
}

struct At<'a>(&'a Address<Peer>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.peer.fmt(f)?;
        let Some(node) = &self.0.node else { return Ok(()) };
        f.write_str(" node ")?;
        node.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
