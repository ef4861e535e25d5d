//! `m2m passwd`: sets and deletes passwords in a password file.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use thiserror::Error;

use crate::broker::passwords;

/// Why the password file was not changed.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    #[error("cannot read the password: {0}")]
    Input(#[from] io::Error),
    #[error("the passwords differ")]
    Differ,
    #[error("an empty password is none")]
    Empty,
    #[error("there is no user {0} in the file")]
    NoUser(String),
    #[error(transparent)]
    Name(#[from] passwords::InvalidUserName),
    #[error("cannot hash the password: {0}")]
    Hash(argon2::password_hash::Error),
}

/// Sets the password of a user, asked for at the terminal or read from standard input. Creates the file.
pub(crate) fn set(path: &Path, user: &str) -> Result<(), Error> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other.map_err(|source| of(path, source))?,
    };
    passwords::edit(&text, user, None)?; // a bad name is told before anything is asked
    let password = ask()?;
    let hash = passwords::hash(password.as_bytes()).map_err(Error::Hash)?;
    replace(path, &passwords::edit(&text, user, Some(&hash))?)
}

/// Deletes a user.
pub(crate) fn delete(path: &Path, user: &str) -> Result<(), Error> {
    let text = fs::read_to_string(path).map_err(|source| of(path, source))?;
    let edited = passwords::edit(&text, user, None)?;
    if edited.lines().count() == text.lines().count() {
        return Err(Error::NoUser(user.to_owned()));
    }
    replace(path, &edited)
}

fn ask() -> Result<String, Error> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line()
            .and_then(|password| if password.is_empty() { Err(Error::Empty) } else { Ok(password) });
    }
    let password = prompt("Password: ")?;
    match prompt("Again: ")? {
        _ if password.is_empty() => Err(Error::Empty),
        again if again == password => Ok(password),
        _ => Err(Error::Differ),
    }
}

/// Asks at the terminal, which does not show what is typed.
fn prompt(text: &str) -> Result<String, Error> {
    let (stdin, mut stderr) = (io::stdin(), io::stderr());
    stderr.write_all(text.as_bytes())?;
    let shown = tcgetattr(&stdin).map_err(io::Error::from)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).map_err(io::Error::from)?;
    let typed = line();
    tcsetattr(&stdin, OptionalActions::Flush, &shown).map_err(io::Error::from)?;
    stderr.write_all(b"\n")?;
    typed
}

fn line() -> Result<String, Error> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Puts the whole text in place of the file at once, so that a broker that reads it sees the old or the new one. A new
/// file is for its owner alone; an old one keeps its rights.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let mode = fs::metadata(path).map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|source| {
        _ = fs::remove_file(&temporary);
        of(path, source)
    })
}

fn of(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.display().to_string(), source }
}
