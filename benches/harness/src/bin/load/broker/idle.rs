//! What connections cost that carry no messages.

use std::io;

use mqtt_codec::ProtocolVersion;

use crate::mqtt::Connection;
use crate::process::Process;
use crate::report::Figure;

/// How often each connection pings.
const ROUNDS: usize = 3;

/// Connects so many clients, which then ping, one after the other.
pub(crate) fn idle(broker: &Process, count: usize) -> io::Result<Vec<Figure>> {
    let (resident, cpu) = (broker.resident()?, broker.cpu()?);
    let mut connections = (0..count).map(|number| open(broker, number)).collect::<io::Result<Vec<_>>>()?;
    let (grown, connected) = (broker.resident()?.saturating_sub(resident), broker.cpu()?);
    for _ in 0..ROUNDS {
        connections.iter_mut().try_for_each(Connection::ping)?;
    }
    let pings = broker.cpu()?.saturating_sub(connected);
    Ok(vec![
        Figure::new("resident bytes per connection", grown as f64 / count as f64, 0),
        Figure::cpu("CPU µs per connect", connected.saturating_sub(cpu), count as u64),
        Figure::cpu("CPU µs per ping", pings, (ROUNDS * count) as u64),
    ])
}

/// Connects so many clients, each after the one before has gone.
pub(crate) fn come_and_go(broker: &Process, count: usize) -> io::Result<Vec<Figure>> {
    let cpu = broker.cpu()?;
    for number in 0..count {
        open(broker, number)?.close()?;
    }
    let cpu = broker.cpu()?.saturating_sub(cpu);
    Ok(vec![Figure::cpu("CPU µs per connect and disconnect", cpu, count as u64)])
}

fn open(broker: &Process, number: usize) -> io::Result<Connection> {
    Connection::open(broker.port(), &format!("load-{number}"), ProtocolVersion::V3_1_1, 0)
}
