//! The broker on plain sockets and one thread: `cargo run -p mqtt-core --example one_thread -- 127.0.0.1:1883`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime};

use machine::Instant;
use mqtt_core::{Action, Broker, Config, ConnectionId, Input};

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1883".into());
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    // A real host takes the seed from the operating system's entropy.
    serve(&listener, &mut Broker::new(Config::default(), [0; 32], now()), || true);
    Ok(())
}

/// Serves clients while `go_on` says so: without a poller, by a look at every socket once a millisecond.
pub fn serve(listener: &TcpListener, broker: &mut Broker, go_on: impl Fn() -> bool) {
    let mut sockets: BTreeMap<ConnectionId, (TcpStream, Vec<u8>)> = BTreeMap::new();
    let mut buffer = [0; 4096];
    while go_on() {
        while let Ok((socket, _)) = listener.accept() {
            if let (Ok(()), Ok(connection)) = (socket.set_nonblocking(true), broker.open(now())) {
                sockets.insert(connection, (socket, Vec::new()));
            }
        }
        broker.handle(Input::Tick, now());
        let mut ended = Vec::new();
        for (&connection, (socket, unread)) in &mut sockets {
            if unread.is_empty() {
                match socket.read(&mut buffer) {
                    Ok(0) => ended.push(connection),
                    // An error that is none of "try later" shows as an end the next time.
                    read => unread.extend_from_slice(&buffer[..read.unwrap_or(0)]),
                }
            }
            let taken = broker.handle(Input::Bytes { connection, bytes: unread }, now());
            unread.drain(..taken);
            let output: Vec<u8> = broker.output(connection).flatten().copied().collect();
            let bytes = socket.write(&output).unwrap_or(0);
            broker.handle(Input::Sent { connection, bytes }, now());
        }
        while let Some(action) = broker.poll_action() {
            if let Action::Close { connection, .. } = action {
                ended.push(connection);
            }
        }
        for connection in ended {
            sockets.remove(&connection);
            broker.handle(Input::Closed { connection }, now());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[expect(clippy::disallowed_methods, reason = "a host asks the clock")]
fn now() -> Instant {
    Instant::EPOCH + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
