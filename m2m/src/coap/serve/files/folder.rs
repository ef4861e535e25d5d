//! A folder of the file system and what is in it, without a way out.
//!
//! Every step of a path is opened from the folder before it, symbolic links are never followed, and only regular files and
//! folders exist. So nothing outside can be reached, whatever happens to the folder in the meantime.

use core::time::Duration;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    Access, AtFlags, Dev, Dir, FileType, Mode, OFlags, Stat, accessat, fchmod, fstat, openat, renameat,
    statat, unlinkat,
};
use rustix::io::Errno;
use thiserror::Error;

use super::name::FilePath;

/// What there is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File { size: u64 },
    Folder,
}

/// What changes whenever a file does, if it changes later than a step of the file system's clock. Nobody can set these times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: Dev,
    inode: i128,
    size: i128,
    /// Nanoseconds since 1970 (`st_ctim`).
    changed: i128,
}

/// Why something cannot be done.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("there is no such file")]
    NotFound,
    #[error("the file system does not allow it")]
    Forbidden,
    #[error("it is a folder")]
    IsFolder,
    #[error("it is larger than this server transfers")]
    TooLarge,
    #[error("there is no room for it")]
    Full,
    #[error("{0}")]
    System(io::Error),
}

/// Ignored bits of a new file's mode are the process's umask.
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);
const PERMISSIONS: Mode = Mode::from_raw_mode(0o777);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

pub(super) struct Folder {
    root: OwnedFd,
}

/// A folder that something is done in.
enum Opened<'a> {
    Root(&'a OwnedFd),
    Below(OwnedFd),
}

impl AsFd for Opened<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(folder) => folder.as_fd(),
            Self::Below(folder) => folder.as_fd(),
        }
    }
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { root: rustix::fs::open(path, FOLDER, Mode::empty())? })
    }

    pub(super) fn kind(&self, path: &FilePath) -> Result<Kind, Problem> {
        let Some((folder, name)) = path.split_last() else { return Ok(Kind::Folder) };
        kind(&statat(self.folder(&folder)?, name, AtFlags::SYMLINK_NOFOLLOW)?).ok_or(Problem::NotFound)
    }

    /// What tells whether a file is as before.
    pub(super) fn stamp(&self, path: &FilePath) -> Result<Stamp, Problem> {
        let (folder, name) = path.split_last().ok_or(Problem::IsFolder)?;
        let stat = statat(self.folder(&folder)?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        regular(kind(&stat))?;
        Ok(Stamp::of(&stat))
    }

    /// The whole of a file, with its stamp before it was read.
    pub(super) fn read(&self, path: &FilePath, limit: usize) -> Result<(Vec<u8>, Stamp), Problem> {
        let (folder, name) = path.split_last().ok_or(Problem::IsFolder)?;
        let folder = self.folder(&folder)?;
        // Looked at before it is opened: opening alone does something to devices and pipes.
        regular(kind(&statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?))?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = openat(&folder, name, flags, Mode::empty())?;
        let stat = fstat(&file)?;
        let size = regular(kind(&stat))?;
        let limit = limit as u64;
        if size > limit {
            return Err(Problem::TooLarge);
        }
        let mut content = Vec::with_capacity(size as usize + 1);
        File::from(file).take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit { Err(Problem::TooLarge) } else { Ok((content, Stamp::of(&stat))) }
    }

    /// What is in a folder and can be served, by name.
    pub(super) fn list(&self, path: &FilePath) -> Result<Vec<(FilePath, Kind)>, Problem> {
        let folder = self.folder(path)?;
        let mut found = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let child = entry.file_name().to_str().ok().and_then(|name| path.child(name));
            let Some(child) = child else { continue };
            // One that vanishes meanwhile, or that nobody may look at, is not there.
            let stat = statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW);
            found.extend(stat.ok().and_then(|stat| Some((child, kind(&stat)?))));
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }

    /// Puts a file in the place of what is there, all at once: whoever reads it sees the old one or the new one.
    pub(super) fn write(&self, path: &FilePath, content: &[u8]) -> Result<(), Problem> {
        let (folder, name) = path.split_last().ok_or(Problem::IsFolder)?;
        let folder = self.folder(&folder)?;
        let mode = mode_of_replaced(&folder, name)?;
        let temporary = temporary_name()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&folder, temporary.as_str(), flags, NEW_FILE)?;
        let written = fill(file, content, mode)
            .and_then(|()| Ok(renameat(&folder, temporary.as_str(), &folder, name)?));
        if written.is_err() {
            _ = unlinkat(&folder, temporary.as_str(), AtFlags::empty());
        }
        written
    }

    pub(super) fn remove(&self, path: &FilePath) -> Result<(), Problem> {
        let (folder, name) = path.split_last().ok_or(Problem::IsFolder)?;
        let folder = self.folder(&folder)?;
        regular(kind(&statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?))?;
        Ok(unlinkat(&folder, name, AtFlags::empty())?)
    }

    fn folder(&self, path: &FilePath) -> Result<Opened<'_>, Problem> {
        let mut folder = Opened::Root(&self.root);
        for name in path.names() {
            folder = Opened::Below(openat(&folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?);
        }
        Ok(folder)
    }
}

impl Stamp {
    fn of(stat: &Stat) -> Self {
        const SECOND: i128 = 1_000_000_000;
        Self {
            device: stat.st_dev,
            inode: stat.st_ino.into(),
            size: stat.st_size.into(),
            changed: i128::from(stat.st_ctime) * SECOND + i128::from(stat.st_ctime_nsec),
        }
    }

    /// Whether the last change is longer ago than `age`, at this Unix time.
    pub(super) fn is_older(&self, now: Duration, age: Duration) -> bool {
        let nanoseconds = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
        nanoseconds(now).saturating_sub(self.changed) > nanoseconds(age)
    }
}

/// `None` for what is not served: symbolic links, pipes, devices, sockets.
fn kind(stat: &Stat) -> Option<Kind> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Some(Kind::File { size: u64::try_from(stat.st_size).unwrap_or(0) }),
        FileType::Directory => Some(Kind::Folder),
        _ => None,
    }
}

/// The size of a file.
fn regular(kind: Option<Kind>) -> Result<u64, Problem> {
    match kind {
        Some(Kind::File { size }) => Ok(size),
        Some(Kind::Folder) => Err(Problem::IsFolder),
        None => Err(Problem::NotFound),
    }
}

/// The permissions of the file to be replaced, which must allow it; `None` if there is no file.
fn mode_of_replaced(folder: &Opened<'_>, name: &str) -> Result<Option<Mode>, Problem> {
    let stat = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match kind(&stat) {
        Some(Kind::File { .. }) => {
            accessat(folder, name, Access::WRITE_OK, AtFlags::empty())?;
            Ok(Some(Mode::from_raw_mode(stat.st_mode) & PERMISSIONS))
        }
        Some(Kind::Folder) => Err(Problem::IsFolder),
        None => Err(Problem::Forbidden),
    }
}

/// A hidden name, so that it is never served.
fn temporary_name() -> Result<String, Problem> {
    let number = getrandom::u64().map_err(|error| Problem::System(io::Error::other(error)))?;
    Ok(format!(".m2m-{number:016x}.tmp"))
}

/// On the disk, too: what was answered with a success survives a loss of power.
fn fill(file: OwnedFd, content: &[u8], mode: Option<Mode>) -> Result<(), Problem> {
    if let Some(mode) = mode {
        fchmod(&file, mode)?;
    }
    let mut file = File::from(file);
    file.write_all(content)?;
    Ok(file.sync_all()?)
}

impl From<Errno> for Problem {
    fn from(error: Errno) -> Self {
        match error {
            // A symbolic link is LOOP, with FreeBSD MLINK; a pipe that nobody writes to is NXIO.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::NAMETOOLONG => {
                Self::NotFound
            }
            Errno::ACCESS | Errno::PERM | Errno::ROFS => Self::Forbidden,
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Self::Full,
            Errno::ISDIR => Self::IsFolder,
            other => Self::System(other.into()),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(errno) => errno.into(),
            None => Self::System(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn path(text: &str) -> FilePath {
        FilePath::from_path(Path::new(text)).unwrap()
    }

    fn read(folder: &Folder, name: &str) -> Result<Vec<u8>, Problem> {
        folder.read(&path(name), 1000).map(|(content, _)| content)
    }

    #[test]
    fn symbolic_links_lead_nowhere() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("secret"), "x").unwrap();
        let root = outer.path().join("served");
        fs::create_dir(&root).unwrap();
        symlink("../secret", root.join("link")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("gone", root.join("dangling")).unwrap();
        let folder = Folder::open(&root).unwrap();
        for name in ["link", "up/secret", "dangling"] {
            assert!(matches!(read(&folder, name), Err(Problem::NotFound)), "{name}");
            assert!(matches!(folder.kind(&path(name)), Err(Problem::NotFound)), "{name}");
        }
        for name in ["link", "dangling"] {
            assert!(matches!(folder.write(&path(name), b"y"), Err(Problem::Forbidden)), "{name}");
            assert!(matches!(folder.remove(&path(name)), Err(Problem::NotFound)), "{name}");
        }
        assert!(matches!(folder.write(&path("up/secret"), b"y"), Err(Problem::NotFound)));
        assert_eq!(fs::read(outer.path().join("secret")).unwrap(), b"x");
        assert_eq!(folder.list(&FilePath::default()).unwrap(), []);
    }

    #[test]
    fn a_write_leaves_nothing_but_the_file_and_keeps_its_permissions() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        folder.write(&path("a"), b"1").unwrap();
        fs::set_permissions(root.path().join("a"), fs::Permissions::from_mode(0o640)).unwrap();
        folder.write(&path("a"), b"22").unwrap();
        assert_eq!(read(&folder, "a").unwrap(), b"22");
        assert_eq!(fs::metadata(root.path().join("a")).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(matches!(folder.write(&path("b/c"), b"1"), Err(Problem::NotFound)));
        fs::create_dir(root.path().join("d")).unwrap();
        assert!(matches!(folder.write(&path("d"), b"1"), Err(Problem::IsFolder)));
        let mut left: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a", "d"]);
    }

    #[test]
    fn files_above_the_limit_and_what_is_no_file_are_not_read() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("large"), [0; 1001]).unwrap();
        fs::write(root.path().join("fits"), [0; 1000]).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, root.path().join("pipe"), FileType::Fifo, NEW_FILE, 0).unwrap();
        let folder = Folder::open(root.path()).unwrap();
        assert!(matches!(read(&folder, "large"), Err(Problem::TooLarge)));
        assert_eq!(read(&folder, "fits").unwrap().len(), 1000);
        assert!(matches!(read(&folder, "pipe"), Err(Problem::NotFound)));
        assert!(matches!(folder.read(&FilePath::default(), 1000), Err(Problem::IsFolder)));
    }
}
