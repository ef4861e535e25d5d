//! Measures and writes the data.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;

use harness::{cases, flat};

use crate::callgrind;
use crate::data::{self, Figure, Flat};
use crate::programs::{PROFILES, build, compiler, figures};

pub(crate) fn ours() -> Result<(), Box<dyn Error>> {
    let [release, library] = PROFILES.map(|profile| build(profile, "--bin", "instructions"));
    let (release, library) = (release?, library?);
    let rows = joined([
        callgrind::count(&release, "")?,
        callgrind::count(&library, "")?,
        own_allocations(),
        figures(Command::new(&release).arg("time"))?,
    ])?;
    data::write("ours.tsv", &compiler()?, &rows)
}

pub(crate) fn peers() -> Result<(), Box<dyn Error>> {
    let [release, library] = PROFILES.map(|profile| build(profile, "--example", "peers"));
    let (release, library) = (release?, library?);
    let rows = joined([
        callgrind::count(&release, "")?,
        callgrind::count(&library, "")?,
        figures(&mut Command::new(build("library", "--example", "peer_allocations")?))?,
        figures(Command::new(&release).arg("time"))?,
    ])?;
    data::write("peers.tsv", &compiler()?, &rows)
}

pub(crate) fn flat() -> Result<(), Box<dyn Error>> {
    let program = build("release", "--bin", "instructions")?;
    let mut rows = Vec::new();
    for (key, instructions) in callgrind::count(&program, flat::THEME)? {
        let mut cells = key.split('\t').skip(1);
        let (Some(kind), Some(size)) = (cells.next(), cells.next()) else { return Err("not a size".into()) };
        let size = size.parse()?;
        let held = allocation_counter::measure(|| std::mem::forget(flat::grown(kind, size)));
        let bytes = held.bytes_current as f64 / f64::from(size);
        rows.push(Flat { kind: kind.to_owned(), size, bytes, instructions });
    }
    data::write_flat(&rows)
}

/// Allocations of our cases, counted in this process.
pub(crate) fn own_allocations() -> Vec<(String, f64)> {
    let count = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
    cases::ours().map(|mut case| (case.key(), harness::allocations(&mut case, count))).collect()
}

/// Instructions in both profiles, allocations and times of the same cases; the order is the first one's.
fn joined(columns: [Vec<(String, f64)>; 4]) -> Result<Vec<Figure>, Box<dyn Error>> {
    let [release, library, allocations, nanoseconds] = columns;
    let [library, allocations, nanoseconds] =
        [library, allocations, nanoseconds].map(|column| column.into_iter().collect::<BTreeMap<_, _>>());
    let row = |(key, release): (String, f64)| {
        Ok(Figure {
            release,
            library: *library.get(&key).ok_or_else(|| format!("not in both profiles: {key}"))?,
            allocations: *allocations.get(&key).ok_or_else(|| format!("no allocations: {key}"))?,
            nanoseconds: nanoseconds.get(&key).copied().unwrap_or_default(),
            ..Figure::of_key(&key)?
        })
    };
    release.into_iter().map(row).collect()
}
