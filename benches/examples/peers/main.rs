//! Runs the floor, ours and every peer once, for callgrind to count. `tables` starts it.
#![forbid(unsafe_code)]

mod all;

fn main() -> std::io::Result<()> {
    harness::main(all::cases())
}
