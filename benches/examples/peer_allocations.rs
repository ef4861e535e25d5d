//! Counts what the peers allocate. The counter costs instructions, so that this is a program of its own.
#![forbid(unsafe_code)]

use std::io::{Write, stdout};

#[path = "peers/all/mod.rs"]
mod all;

fn main() -> std::io::Result<()> {
    for mut case in all::cases() {
        let count = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
        let allocations = harness::allocations(&mut case, count);
        writeln!(stdout(), "{}\t{allocations}", case.key())?;
    }
    Ok(())
}
