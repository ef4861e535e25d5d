//! The client on a blocking UDP socket: `cargo run -p mqttsn-core --example blocking_sensor -- 127.0.0.1:1885` subscribes
//! to `example/#`, says hello there, and shows what happens.

use std::io::{ErrorKind, Write, stdout};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime};

use machine::Instant;
use mqttsn_codec::{QoS, SubscribeTopic};
use mqttsn_core::client::{Action, Client, Config, Input, Publication, PublishTopic};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let gateway: SocketAddr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1885".into()).parse()?;
    let config = Config {
        client_id: format!("example-{}", std::process::id()),
        gateways: vec![gateway],
        discovery: false, // no multicast here
        ..Config::default()
    };
    let mut client = Client::new(config, 1, now());
    client.subscribe(SubscribeTopic::Name("example/#"), QoS::AtLeastOnce, now())?;
    let topic = PublishTopic::Name("example/hello");
    client.publish(&Publication { topic, qos: QoS::ExactlyOnce, retain: false, data: b"hello" }, now())?;
    client.connect(now())?;
    let socket = UdpSocket::bind(if gateway.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
    run(&mut client, &socket, |_, action| _ = writeln!(stdout(), "{action:?}"))
}

/// Drives a client, through retransmissions and lost gateways, until it has nothing to wait for.
///
/// # Errors
/// Those of the socket, but for gateways that are not there.
pub fn run(
    client: &mut Client<SocketAddr>,
    socket: &UdpSocket,
    mut show: impl FnMut(&mut Client<SocketAddr>, Action<SocketAddr>),
) -> Result<(), Box<dyn core::error::Error>> {
    let mut buffer = [0; 2048];
    loop {
        while let Some(action) = client.poll_action() {
            match action {
                // A datagram that cannot leave is a datagram that is lost.
                Action::Send { to, datagram } => _ = socket.send_to(&datagram, to),
                other => show(client, other),
            }
        }
        let Some(deadline) = client.next_deadline() else { return Ok(()) };
        // Never zero: that would be no time-out at all.
        socket.set_read_timeout(Some((deadline - now()).max(Duration::from_millis(1))))?;
        match socket.recv_from(&mut buffer) {
            Ok((len, from)) => client.handle(Input::Datagram { from, datagram: &buffer[..len] }, now()),
            Err(error) if is_harmless(error.kind()) => client.handle(Input::Tick, now()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A time-out, or a gateway that is not there (yet).
fn is_harmless(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused)
}

#[expect(clippy::disallowed_methods, reason = "a host asks the clock")]
fn now() -> Instant {
    Instant::EPOCH + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
