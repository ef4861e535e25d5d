//! The gate: what we do must not take more instructions, or allocations, than the committed table says.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{Write, stdout};

use crate::programs::{build, compiler};
use crate::{callgrind, data, measure, readme};

/// Rises up to this part of a figure are let pass.
const TOLERANCE: f64 = 0.02;
/// And up to this many instructions, of which the smallest cases have 40.
const SLACK: f64 = 1.0;
const WHAT_TO_DO: &str = "`cargo tables hot 'CASE'` shows where the instructions are. Where the price is worth it, or where \
     a case is new, commit what `cargo tables write ours` makes, and say why.";

pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    let (built_by, committed) = data::read("ours.tsv")?;
    let program = build("release", "--bin", "instructions")?;
    let counted = callgrind::count(&program, "")?;
    let mut complaints = changes(&committed, &counted, &measure::own_allocations())?;
    let compiler = compiler()?;
    if compiler != built_by && !complaints.is_empty() {
        writeln!(
            stdout(),
            "{complaints}This is {compiler}, and the table was made with {built_by}: not held against anybody."
        )?;
        complaints.clear();
    }
    if readme::is_stale()? {
        complaints += "README.md is not what `cargo tables write readme` makes of data/.\n";
    }
    if complaints.is_empty() {
        Ok(writeln!(
            stdout(),
            "{} cases take no more instructions and allocations than the table says.",
            counted.len()
        )?)
    } else {
        Err(format!("{complaints}{WHAT_TO_DO}").into())
    }
}

/// What got worse, is not in the table or not measured any more, a line each.
fn changes(
    committed: &[data::Figure],
    counted: &[(String, f64)],
    allocations: &[(String, f64)],
) -> Result<String, Box<dyn Error>> {
    let mut complaints = String::new();
    let mut known: BTreeMap<_, _> = committed.iter().map(|figure| (figure.key(), figure)).collect();
    let allocations: BTreeMap<_, _> = allocations.iter().cloned().collect();
    for (key, now) in counted {
        let name = key.replace('\t', ", ");
        let Some(before) = known.remove(key) else {
            writeln!(complaints, "{name}: {now:.1} instructions, not in the table")?;
            continue;
        };
        let rise = now - before.release;
        if rise > before.release * TOLERANCE && rise > SLACK {
            let percent = rise / before.release * 100.0;
            writeln!(
                complaints,
                "{name}: {:.1} instructions before, {now:.1} now (+{percent:.1} %)",
                before.release
            )?;
        }
        let allocated = allocations.get(key).copied().unwrap_or_default();
        if allocated > before.allocations + 0.011 {
            writeln!(complaints, "{name}: {:.2} allocations before, {allocated:.2} now", before.allocations)?;
        }
    }
    for key in known.into_keys() {
        writeln!(complaints, "{}: in the table, but not measured any more", key.replace('\t', ", "))?;
    }
    Ok(complaints)
}
