//! Writes the seeds of every libFuzzer target into a folder, one folder in it for each:
//! `cargo run -p fuzz --example seeds -- verify/fuzz/libfuzzer/corpus`.
#![allow(clippy::print_stderr, reason = "a program for people")]

use std::path::PathBuf;
use std::{env, fs, io};

use fuzz::targets::TARGETS;

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("Say into which folder.");
        std::process::exit(2);
    };
    for target in TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
