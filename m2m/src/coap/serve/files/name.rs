//! Names of files, as paths of resources have them.

use core::fmt;
use std::path::{Component, Path};

/// The longest name that a Uri-Path option can hold, and that file systems have.
const MAX_NAME: usize = 255;

/// Where a file is within the folder that is served: names that are all fit to be served. Empty for the folder itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FilePath(Vec<String>);

impl FilePath {
    /// From the Uri-Path options of a request, and whether they say that it is a folder, by a slash at the end. `None` if no
    /// file that is served can have this path.
    pub(super) fn from_segments<'a>(segments: impl Iterator<Item = &'a [u8]>) -> Option<(Self, bool)> {
        let mut names: Vec<_> = segments.collect();
        let slash = names.pop_if(|last| last.is_empty()).is_some();
        let names: Option<_> =
            names.into_iter().map(|name| served(core::str::from_utf8(name).ok()?)).collect();
        Some((Self(names?), slash))
    }

    /// From a path of the file system, relative to the folder.
    pub(super) fn from_path(path: &Path) -> Option<Self> {
        let name = |component: Component<'_>| match component {
            Component::Normal(name) => served(name.to_str()?),
            _ => None,
        };
        path.components().map(name).collect::<Option<_>>().map(Self)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The folder that it is in, and its name there; `None` for the folder that is served.
    pub(super) fn split_last(&self) -> Option<(Self, &str)> {
        self.0.split_last().map(|(name, folder)| (Self(folder.to_vec()), name.as_str()))
    }

    /// A file in this folder. The name must be fit to be served.
    pub(super) fn child(&self, name: &str) -> Option<Self> {
        let name = served(name)?;
        Some(Self(self.0.iter().cloned().chain([name]).collect()))
    }

    pub(super) fn is_below(&self, folder: &Self) -> bool {
        self.0.len() > folder.0.len() && self.0.starts_with(&folder.0)
    }

    /// How deep it is.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }
}

/// Whether a file of this name is served. Hidden ones are not, which goes for `.`, `..` and files being written, too.
fn served(name: &str) -> Option<String> {
    let fit =
        !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('.') && !name.contains(['/', '\0']);
    fit.then(|| name.to_owned())
}

/// As the path of a URI reference, from the slash in front.
impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|name| {
            f.write_str("/")?;
            name.bytes().try_for_each(|byte| write_encoded(f, byte))
        })
    }
}

/// One byte of `pchar` (RFC 3986 §3.3), or what stands for it.
fn write_encoded(f: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
    if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
        write!(f, "{}", char::from(byte))
    } else {
        write!(f, "%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(segments: &[&str]) -> Option<(String, bool)> {
        let (path, slash) = FilePath::from_segments(segments.iter().map(|segment| segment.as_bytes()))?;
        Some((path.to_string(), slash))
    }

    #[test]
    fn what_can_leave_the_folder_or_is_hidden_is_no_path() {
        for segments in
            [&[".."][..], &["a", "..", "b"], &["."], &[".m2m-1.tmp"], &["a/b"], &["a\0"], &["", "a"]]
        {
            assert_eq!(path(segments), None, "{segments:?}");
        }
        assert_eq!(FilePath::from_segments([&[0xff][..]].into_iter()), None);
        assert_eq!(path(&[&"a".repeat(256)]), None);
        assert_eq!(FilePath::from_path(Path::new("a/../b")), None);
        assert_eq!(FilePath::from_path(Path::new("/a")), None);
    }

    #[test]
    fn paths_are_shown_as_uris_have_them() {
        assert_eq!(path(&[]), Some(("/".to_owned(), false)));
        assert_eq!(path(&[""]), Some(("/".to_owned(), true)));
        assert_eq!(path(&["a", "b", ""]), Some(("/a/b".to_owned(), true)));
        assert_eq!(path(&["a b", "ü>"]), Some(("/a%20b/%C3%BC%3E".to_owned(), false)));
    }
}
