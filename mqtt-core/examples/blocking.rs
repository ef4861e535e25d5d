//! The client on a blocking socket: `cargo run -p mqtt-core --example blocking -- 127.0.0.1:1883` shows `example/#`.

use std::io::{ErrorKind, Read, Write, stdout};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use machine::Instant;
use mqtt_codec::{Properties, QoS, SubscriptionOptions};
use mqtt_core::client::{Action, Client, Config, Input};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1883".into()).parse()?;
    let mut client = Client::new(Config::default(), 1, now());
    client.subscribe(
        &[("example/#", SubscriptionOptions::qos(QoS::AtLeastOnce))],
        Properties::NONE,
        now(),
    )?;
    client.connect(now());
    run(&mut client, server, |_, action| _ = writeln!(stdout(), "{action:?}"));
    Ok(())
}

/// Drives a client, through time-outs and reconnections, until it wants no connection any more.
pub fn run(client: &mut Client, server: SocketAddr, mut show: impl FnMut(&mut Client, Action)) {
    let (mut socket, mut buffer): (Option<TcpStream>, _) = (None, [0; 4096]);
    loop {
        while let Some(action) = client.poll_action() {
            match action {
                Action::Open { .. } => {
                    socket = TcpStream::connect_timeout(&server, Duration::from_secs(5)).ok();
                    socket = socket.filter(|to| to.set_write_timeout(Some(Duration::from_secs(5))).is_ok());
                    client.handle(if socket.is_some() { Input::Opened } else { Input::Closed }, now());
                }
                Action::Output => {
                    let bytes: Vec<u8> = client.output().flatten().copied().collect();
                    // The next read shows that the connection has ended.
                    let end = |to: &mut TcpStream| to.shutdown(Shutdown::Both);
                    _ = socket.as_mut().map(|to| to.write_all(&bytes).or_else(|_| end(to)));
                    client.handle(Input::Sent(bytes.len()), now());
                }
                Action::Close => _ = socket.as_ref().map(|socket| socket.shutdown(Shutdown::Both)),
                other => show(client, other),
            }
        }
        // Never zero: that would be no time-out at all.
        let wait = client.next_deadline().map(|deadline| (deadline - now()).max(Duration::from_millis(1)));
        let input = match (&mut socket, wait) {
            (Some(from), wait) => match from.set_read_timeout(wait).and_then(|()| from.read(&mut buffer)) {
                Ok(bytes @ 1..) => Input::Bytes(&buffer[..bytes]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Input::Tick,
                _ => Input::Closed,
            },
            (None, Some(wait)) => {
                std::thread::sleep(wait);
                Input::Tick
            }
            (None, None) => return,
        };
        socket = socket.filter(|_| !matches!(input, Input::Closed));
        client.handle(input, now());
    }
}

#[expect(clippy::disallowed_methods, reason = "a host asks the clock")]
fn now() -> Instant {
    Instant::EPOCH + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
