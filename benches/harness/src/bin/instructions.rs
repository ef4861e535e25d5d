//! Runs everything of ours once, for callgrind to count; with `flat`, what grows in numbers. `tables` starts it.
#![forbid(unsafe_code)]

fn main() -> std::io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(harness::flat::THEME) {
        harness::main(harness::flat::cases())
    } else {
        harness::main(harness::cases::ours())
    }
}
