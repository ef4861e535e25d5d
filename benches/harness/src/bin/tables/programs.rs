//! Builds the programs that are measured, and runs them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// How code is built: as our own programs are, or as a user of a library has it who sets no profile.
pub(crate) const PROFILES: [&str; 2] = ["release", "library"];

/// Builds a binary of this package or an example of `benches`; returns where it is.
pub(crate) fn build(profile: &str, kind: &str, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let (package, folder) = if kind == "--example" { ("benches", "examples") } else { ("harness", "") };
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", package, "--profile", profile, kind, name]);
    run(&mut command)?;
    // This program lies in the folder of its own profile, in the same target folder.
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    Ok(target.join(profile).join(folder).join(name))
}

/// Runs to a good end.
pub(crate) fn run(command: &mut Command) -> Result<Output, Box<dyn Error>> {
    let output = command
        .stderr(std::process::Stdio::piped())
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// What a program writes of its cases: key, a tab, a number.
pub(crate) fn figures(command: &mut Command) -> Result<Vec<(String, f64)>, Box<dyn Error>> {
    let output = String::from_utf8(run(command)?.stdout)?;
    let figure = |line: &str| {
        let (key, number) = line.rsplit_once('\t').ok_or_else(|| format!("no figure: {line}"))?;
        Ok((key.to_owned(), number.parse()?))
    };
    output.lines().map(figure).collect()
}

/// The compiler, on which every figure depends.
pub(crate) fn compiler() -> Result<String, Box<dyn Error>> {
    let version = String::from_utf8(run(Command::new("rustc").arg("--version"))?.stdout)?;
    Ok(version.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}
