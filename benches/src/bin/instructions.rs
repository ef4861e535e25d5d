//! Runs everything of ours once, for callgrind to count; with `flat`, what grows in numbers. `tables` starts it.
#![forbid(unsafe_code)]

fn main() -> std::io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(benches::flat::THEME) {
        benches::main(benches::flat::cases())
    } else {
        benches::main(benches::cases::ours())
    }
}
