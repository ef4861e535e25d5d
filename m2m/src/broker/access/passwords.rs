//! The password file: `user:hash` lines, the hash as a PHC string of Argon2.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use thiserror::Error;

/// User names and the hashes of their passwords.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    hashes: BTreeMap<String, Arc<str>>,
}

/// A line of the file that is none.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub(crate) struct InvalidPasswords {
    line: usize,
    problem: &'static str,
}

/// A name that the file's format cannot hold.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("a user name must not be empty, begin with `#`, or hold `:` or control characters")]
pub(crate) struct InvalidUserName;

/// Stands in for users that do not exist, so that the time of an answer does not tell them apart.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Passwords {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidPasswords> {
        let mut hashes = BTreeMap::new();
        for (line, entry) in (1..).zip(text.lines()) {
            let invalid = |problem| InvalidPasswords { line, problem };
            if entry.trim().is_empty() || entry.starts_with('#') {
                continue;
            }
            let (user, hash) = entry.split_once(':').ok_or_else(|| invalid("expected user:hash"))?;
            let hash = hash.trim_end();
            PasswordHash::new(hash)
                .ok()
                .filter(|hash| hash.algorithm.as_str().starts_with("argon2") && hash.hash.is_some())
                .ok_or_else(|| invalid("no Argon2 hash: set the password with `m2m passwd`"))?;
            if hashes.insert(user.to_owned(), hash.into()).is_some() {
                return Err(invalid("the user stands in the file twice"));
            }
        }
        Ok(Self { hashes })
    }

    /// The hash of a user's password, for [`verify`].
    pub(crate) fn hash(&self, user: &str) -> Option<&Arc<str>> {
        self.hashes.get(user)
    }
}

/// Whether the password is the one that was hashed. Takes milliseconds and megabytes, on purpose; just as long when there
/// is no such user.
pub(crate) fn verify(password: &[u8], hash: Option<&str>) -> bool {
    let parsed = PasswordHash::new(hash.unwrap_or(NOBODY));
    let matches = parsed.is_ok_and(|parsed| Argon2::default().verify_password(password, &parsed).is_ok());
    matches && hash.is_some()
}

/// The text of a password file in which the user has this password, or (`None`) is gone. Other lines stay as they are.
pub(crate) fn edit(text: &str, user: &str, hash: Option<&str>) -> Result<String, InvalidUserName> {
    if user.is_empty() || user.starts_with('#') || user.contains(|c: char| c == ':' || c.is_control()) {
        return Err(InvalidUserName);
    }
    let is_users = |line: &&str| line.split_once(':').is_some_and(|(name, _)| name == user);
    let mut edited: String =
        text.lines().filter(|line| !is_users(line)).flat_map(|line| [line, "\n"]).collect();
    edited.extend(hash.map(|hash| format!("{user}:{hash}\n")));
    Ok(edited)
}

/// A salted hash as a PHC string.
pub(crate) fn hash(password: &[u8]) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_in_and_is_known_again() {
        let hashed = hash(b"secret").unwrap();
        let file = edit("# people\nbob:x\n", "alice", Some(&hashed)).unwrap();
        assert_eq!(file, format!("# people\nbob:x\nalice:{hashed}\n"));

        let passwords = Passwords::parse(&file.replace("bob:x\n", "\n")).unwrap();
        let known = passwords.hash("alice").map(AsRef::as_ref);
        assert!(verify(b"secret", known));
        assert!(!verify(b"Secret", known));
        assert!(!verify(b"secret", passwords.hash("bob").map(AsRef::as_ref)));
        assert_ne!(hash(b"secret").unwrap(), hashed, "salted");
    }

    #[test]
    fn a_missing_user_costs_a_whole_hash() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let result = Argon2::default().verify_password(b"", &parsed);
        assert_eq!(
            result,
            Err(argon2::password_hash::Error::PasswordInvalid),
            "computed, not refused for its form"
        );
        assert_eq!(
            parsed.params,
            PasswordHash::new(&hash(b"x").unwrap()).unwrap().params,
            "at the usual cost"
        );
    }

    #[test]
    fn editing_replaces_and_deletes() {
        let file = "a:1\nb:2\n";
        assert_eq!(edit(file, "a", Some("3")).unwrap(), "b:2\na:3\n");
        assert_eq!(edit(file, "a", None).unwrap(), "b:2\n");
        for name in ["", "#x", "a:b", "a\nb"] {
            assert_eq!(edit(file, name, None), Err(InvalidUserName));
        }
    }

    #[test]
    fn errors_name_the_line() {
        let hashed = hash(b"x").unwrap();
        for (file, message) in [
            ("\nalice\n".to_owned(), "line 2: expected user:hash"),
            (
                "alice:$7$101$c2FsdA==$aGFzaA==\n".to_owned(),
                "line 1: no Argon2 hash: set the password with `m2m passwd`",
            ),
            (format!("a:{hashed}\na:{hashed}\n"), "line 2: the user stands in the file twice"),
        ] {
            assert_eq!(Passwords::parse(&file).unwrap_err().to_string(), message);
        }
    }
}
