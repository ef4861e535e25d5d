//! CoAP servers.

mod client;
pub(crate) mod floor;
mod get;
mod observe;

use core::time::Duration;
use std::io;

use clap::Args;
use coap_codec::{Block, Code, OptionNumber};

use self::client::Client;
use crate::compare::{Options, compare};
use crate::process::{Candidate, Process};
use crate::report::Figure;

/// Loads CoAP servers.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A server that takes a PUT to `/load`: `m2m`, `libcoap`, `NAME=COMMAND` with `{port}` where the port goes, or `floor`,
    /// which only receives and sends, for bodies of one block (`--only B,`).
    #[arg(long = "server", value_name = "SERVER", default_values = ["m2m", "libcoap"])]
    servers: Vec<String>,
    #[command(flatten)]
    options: Options,
}

const KNOWN: &[(&str, &str)] = &[
    ("floor", "{load} floor {port}"),
    ("m2m", "{m2m} coap serve {folder} --write --no-multicast --listen udp://127.0.0.1:{port}"),
    ("libcoap", "coap-server-notls -A 127.0.0.1 -p {port} -d 10"),
];

/// What clients do at `/load`.
enum Scenario {
    /// So many clients read so many bytes, again and again.
    Get { clients: usize, size: usize },
    /// So many clients observe.
    Observe(usize),
}

const SCENARIOS: &[(&str, Scenario)] = &[
    ("GET 64 B, 64 clients", Scenario::Get { clients: 64, size: 64 }),
    ("GET 1 KiB, 64 clients", Scenario::Get { clients: 64, size: 1 << 10 }),
    ("GET 64 KiB in blocks, 16 clients", Scenario::Get { clients: 16, size: 64 << 10 }),
    ("GET 64 B, one in flight", Scenario::Get { clients: 1, size: 64 }),
    ("100 observers, 64 B", Scenario::Observe(100)),
];

/// The only resource that is asked for.
const NAME: &[u8] = b"load";
/// The exponent of the largest block, and its size.
const SZX: u8 = 6;
const BLOCK_SIZE: usize = 1024;
/// Load before the measurement begins: until a file is no longer taken for one that is being written.
const WARM_UP: Duration = Duration::from_secs(4);

pub(crate) fn run(arguments: &Arguments) -> io::Result<()> {
    let candidates = Candidate::parse_all(&arguments.servers, KNOWN)?;
    compare(&arguments.options, &candidates, SCENARIOS, measure)
}

fn measure(candidate: &Candidate, scenario: &'static Scenario, length: Duration) -> io::Result<Vec<Figure>> {
    let server = Process::start(candidate, &[], |port| Client::open(port)?.ping())?;
    match scenario {
        Scenario::Get { clients, size } => get::run(&server, *clients, *size, length),
        Scenario::Observe(observers) => observe::run(&server, *observers, length),
    }
}

/// Puts a body there, in blocks if it is larger than one.
fn put(client: &mut Client, body: &[u8]) -> io::Result<()> {
    let count = body.len().div_ceil(BLOCK_SIZE);
    for (number, part) in body.chunks(BLOCK_SIZE).enumerate() {
        let block = Block::new(number as u32, number + 1 < count, SZX)
            .ok_or_else(|| io::Error::other("too many blocks"))?
            .value();
        let options = [(OptionNumber::URI_PATH, NAME), (OptionNumber::BLOCK1, block.as_bytes())];
        client.request(Code::PUT, if count == 1 { &options[..1] } else { &options }, part)?;
        client.response(&mut [0; _])?;
    }
    Ok(())
}

fn body(len: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(len).collect()
}
