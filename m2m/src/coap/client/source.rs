//! What is sent, from files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::failure::Failure;

/// The longest body: 2^20 blocks of 1024 bytes (RFC 7959 §2.2).
const MAX_PAYLOAD: u64 = 1 << 30;

/// All of a file; `-` is standard input.
pub(super) fn read_payload(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        return read_all(io::stdin().lock(), "standard input");
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::cannot_read(&name, &error))?;
    read_all(file, &name)
}

fn read_all(input: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_PAYLOAD + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::cannot_read(name, &error))?;
    if bytes.len() as u64 > MAX_PAYLOAD {
        return Err(Failure::Other(format!("{name} is longer than 1 GiB, the most that blocks can carry")));
    }
    Ok(bytes)
}
