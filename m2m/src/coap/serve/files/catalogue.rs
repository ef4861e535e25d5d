//! Which files have a resource, and when it has changed.

use alloc::collections::{BTreeMap, BTreeSet};

use coap_codec::{Code, ContentFormat};
use coap_core::{Endpoint, Refused, Resource, ResourceId};
use machine::Instant;
use tracing::{debug, warn};

use super::super::Peer;
use super::contents::EntityTag;
use super::folder::{Folder, Kind};
use super::format_of;
use super::name::FilePath;
use super::watch::Changes;

/// Files and folders with a resource of their own, which can be observed for themselves and found at `/.well-known/core`.
/// The others can be read, too.
const MAX: usize = 10_000;
/// How deep what stands in `/.well-known/core` may be; folders list what is below (RFC 6690 §5).
const LISTED_DEPTH: usize = 1;

pub(super) struct Catalogue {
    known: BTreeMap<FilePath, Known>,
    ids: BTreeSet<ResourceId>,
    /// The folder itself, and every path without a resource of its own: files made just now, beyond the limit, or still to be
    /// made.
    root: ResourceId,
    /// Somebody may observe one of these paths. When anything changes, they are all looked at.
    others_observed: bool,
    write: bool,
    /// It was said that there are more files.
    is_full: bool,
}

#[derive(Clone, Copy)]
struct Known {
    id: ResourceId,
    is_folder: bool,
    /// What this server has written into the file, as long as no observer was given anything else.
    written: Option<EntityTag>,
}

impl Known {
    fn new(id: ResourceId, is_folder: bool) -> Self {
        Self { id, is_folder, written: None }
    }
}

impl Catalogue {
    pub(super) fn new(folder: &Folder, write: bool, endpoint: &mut Endpoint<Peer>) -> Result<Self, Refused> {
        let methods: &[Code] =
            if write { &[Code::GET, Code::PUT, Code::POST, Code::DELETE] } else { &[Code::GET] };
        let root = Resource::new("/")
            .subtree()
            .methods(methods)
            .title("Files")
            .content_format(ContentFormat::LINK_FORMAT)
            .observable();
        let root = endpoint.add_resource(root)?;
        let known = BTreeMap::from([(FilePath::default(), Known::new(root, true))]);
        let mut catalogue =
            Self { known, ids: BTreeSet::new(), root, others_observed: false, write, is_full: false };
        catalogue.add(FilePath::default(), Kind::Folder, folder, endpoint);
        Ok(catalogue)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn has(&self, id: ResourceId) -> bool {
        id == self.root || self.ids.contains(&id)
    }

    /// A path is observed, if the answer is a success.
    pub(super) fn registered(&mut self, id: ResourceId, path: Option<&FilePath>) {
        self.others_observed |= id == self.root && path.is_some_and(|path| path.depth() > 0);
    }

    pub(super) fn observed(&mut self, id: ResourceId, count: usize) {
        if id == self.root && count == 0 {
            self.others_observed = false;
        }
    }

    /// This server has written the file and told its observers: when the operating system tells it as well, that is no news.
    pub(super) fn wrote(&mut self, path: &FilePath, etag: EntityTag) {
        if let Some(file) = self.known.get_mut(path).filter(|known| !known.is_folder) {
            file.written = Some(etag);
        }
    }

    /// An observer was given this: nothing, if there is no such file.
    pub(super) fn gave(&mut self, path: &FilePath, etag: Option<&[u8]>) {
        if let Some(known) = self.known.get_mut(path) {
            known.written = known.written.filter(|written| etag == Some(written));
        }
    }

    /// What every observer of a file was given last, if this server has written it.
    pub(super) fn written(&self, path: &FilePath) -> Option<EntityTag> {
        self.known.get(path)?.written
    }

    /// Looks where something has changed.
    pub(super) fn follow(
        &mut self,
        changes: Changes,
        folder: &Folder,
        endpoint: &mut Endpoint<Peer>,
        now: Instant,
    ) {
        match changes {
            Changes::At(paths) => {
                for path in paths {
                    self.follow_one(&path, folder, endpoint, now);
                }
            }
            Changes::Anywhere => {
                let known: Vec<_> = self.known.keys().cloned().collect();
                for path in known {
                    self.follow_one(&path, folder, endpoint, now);
                }
                self.add(FilePath::default(), Kind::Folder, folder, endpoint);
            }
        }
    }

    /// Makes, changes or removes the resource at a path, and changes the folder that it is in.
    pub(super) fn follow_one(
        &mut self,
        path: &FilePath,
        folder: &Folder,
        endpoint: &mut Endpoint<Peer>,
        now: Instant,
    ) {
        let found = folder.kind(path).ok();
        let known = self.known.get(path).copied();
        match (known, found) {
            (Some(known), Some(kind)) if known.is_folder == (kind == Kind::Folder) => {
                self.gave(path, None);
                endpoint.changed(known.id, now);
            }
            (_, found) => {
                self.remove(path, endpoint, now);
                if let Some(kind) = found {
                    self.add(path.clone(), kind, folder, endpoint);
                }
            }
        }
        self.follow_above(path, endpoint, now);
    }

    /// Changes the folder that a path is in.
    pub(super) fn follow_above(&mut self, path: &FilePath, endpoint: &mut Endpoint<Peer>, now: Instant) {
        let parent =
            path.split_last().and_then(|(parent, _)| self.known.get(&parent)).map(|parent| parent.id);
        if let Some(parent) = parent {
            endpoint.changed(parent, now);
        }
        if self.others_observed && parent != Some(self.root) {
            endpoint.changed(self.root, now);
        }
    }

    /// With all that is below it.
    fn remove(&mut self, path: &FilePath, endpoint: &mut Endpoint<Peer>, now: Instant) {
        let from_here = self.known.range(path..).map(|(known, _)| known);
        let gone: Vec<_> =
            from_here.take_while(|known| *known == path || known.is_below(path)).cloned().collect();
        for path in gone {
            if let Some(known) = self.known.remove(&path) {
                self.ids.remove(&known.id);
                endpoint.remove_resource(known.id, now);
            }
        }
    }

    /// With all that is below it, as far as it is not known yet.
    fn add(&mut self, path: FilePath, kind: Kind, folder: &Folder, endpoint: &mut Endpoint<Peer>) {
        let mut new = vec![(path, kind)];
        while let Some((path, kind)) = new.pop() {
            let is_folder = kind == Kind::Folder;
            if !self.known.contains_key(&path) && !self.add_one(&path, is_folder, endpoint) {
                return;
            }
            if is_folder {
                match folder.list(&path) {
                    Ok(children) => new.extend(children),
                    Err(problem) => debug!("{path}: {problem}"),
                }
            }
        }
    }

    /// Whether there is room for more.
    fn add_one(&mut self, path: &FilePath, is_folder: bool, endpoint: &mut Endpoint<Peer>) -> bool {
        let refused = if self.known.len() < MAX {
            match endpoint.add_resource(self.resource(path, is_folder)) {
                Ok(id) => {
                    self.known.insert(path.clone(), Known::new(id, is_folder));
                    self.ids.insert(id);
                    return true;
                }
                Err(refused) => refused,
            }
        } else {
            Refused::Full
        };
        if refused == Refused::Full {
            if !core::mem::replace(&mut self.is_full, true) {
                warn!("more than {MAX} files: those beyond can be read, but are not found");
            }
            return false;
        }
        warn!("{path} is not served: {refused}");
        true
    }

    fn resource(&self, path: &FilePath, is_folder: bool) -> Resource {
        let methods: &[Code] = match (self.write, is_folder) {
            (false, _) => &[Code::GET],
            (true, true) => &[Code::GET, Code::POST],
            (true, false) => &[Code::GET, Code::PUT, Code::DELETE],
        };
        let format = if is_folder { ContentFormat::LINK_FORMAT } else { format_of(path) };
        let resource = Resource::at(path.names()).methods(methods).content_format(format).observable();
        if path.depth() > LISTED_DEPTH { resource.unlisted() } else { resource }
    }
}
