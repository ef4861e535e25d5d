//! Files of a folder as resources: GET and Observe, and with leave to write PUT, POST and DELETE.

mod catalogue;
mod contents;
mod folder;
mod format;
mod name;
mod watch;

use alloc::sync::Arc;
use std::io;
use std::path::Path;

use coap_codec::{Code, ContentFormat, OptionNumber, Options};
use coap_core::{Action, Endpoint, IncomingRequest, Preconditions, Reliability, Response, Trigger};
use machine::Instant;
use notify::RecommendedWatcher;
use tracing::warn;

use self::catalogue::Catalogue;
use self::contents::{Content, Contents, entity_tag};
use self::folder::{Folder, Kind, Problem};
use self::name::FilePath;
use self::watch::Changes;
pub(crate) use self::watch::Noticed;
use super::Peer;
use super::demo::Waiting;

/// How many names a POST tries before it gives up.
const NAMES: usize = 8;

/// The application that serves files.
pub(crate) struct Files {
    folder: Folder,
    write: bool,
    /// The largest file that is read.
    max_size: usize,
    catalogue: Catalogue,
    contents: Contents,
    waiting: Waiting,
    noticed: Arc<Noticed>,
    _watcher: Option<RecommendedWatcher>,
}

impl Files {
    /// Opens the folder and offers what is in it.
    pub(crate) fn open(
        path: &Path,
        write: bool,
        max_size: usize,
        endpoint: &mut Endpoint<Peer>,
    ) -> io::Result<Self> {
        let root = path.canonicalize()?;
        let folder = Folder::open(&root)?;
        let noticed = Arc::new(Noticed::default());
        let watcher = watch::start(&root, Arc::clone(&noticed));
        let watcher =
            watcher.inspect_err(|problem| warn!("changes of files will not be seen: {problem}")).ok();
        let catalogue = Catalogue::new(&folder, write, endpoint).map_err(io::Error::other)?;
        Ok(Self {
            folder,
            write,
            max_size,
            catalogue,
            contents: Contents::new(),
            waiting: Waiting::default(),
            noticed,
            _watcher: watcher,
        })
    }

    /// What has changed in the folder; when there is something, [`look`](Self::look) is to be called.
    pub(crate) fn noticed(&self) -> Arc<Noticed> {
        Arc::clone(&self.noticed)
    }

    /// How many files and folders have a resource of their own.
    pub(crate) fn len(&self) -> usize {
        self.catalogue.len()
    }

    /// Brings the resources up to date with the folder.
    pub(crate) fn look(&mut self, endpoint: &mut Endpoint<Peer>, now: Instant) {
        self.contents.set_turn(now);
        let mut changes = self.noticed.take();
        if let Changes::At(paths) = &mut changes {
            paths.retain(|path| {
                let known = self.is_as_written(path);
                if known {
                    self.catalogue.follow_above(path, endpoint, now);
                }
                !known
            });
        }
        self.catalogue.follow(changes, &self.folder, endpoint, now);
    }

    /// Whether in a file is what this server has written into it, and whoever observes it knows that.
    fn is_as_written(&mut self, path: &FilePath) -> bool {
        let Some(written) = self.catalogue.written(path) else { return false };
        let content = self.contents.read(path, &self.folder, self.max_size);
        content.is_ok_and(|content| content.etag == written)
    }

    /// Deals with an action if it is about files; gives it back otherwise.
    pub(crate) fn take(
        &mut self,
        action: Action<Peer>,
        endpoint: &mut Endpoint<Peer>,
        now: Instant,
    ) -> Option<Action<Peer>> {
        match action {
            Action::Request(request) if self.catalogue.has(request.resource) => {
                self.request(&request, endpoint, now);
                None
            }
            Action::Observers { resource, count } if self.catalogue.has(resource) => {
                self.catalogue.observed(resource, count);
                None
            }
            Action::Cancelled { id } if self.waiting.cancel(id) => None,
            other => Some(other),
        }
    }

    /// Answers that there was no room for are given.
    pub(crate) fn tick(&mut self, endpoint: &mut Endpoint<Peer>, now: Instant) {
        self.waiting.tick(endpoint, now);
    }

    /// When [`tick`](Self::tick) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.next_deadline()
    }

    fn request(&mut self, request: &IncomingRequest<Peer>, endpoint: &mut Endpoint<Peer>, now: Instant) {
        self.contents.set_turn(now);
        let options = request.options.view();
        let path = FilePath::from_segments(options.uri_path());
        let mut response = match &path {
            Some((path, slash)) => self.answer(path, *slash, request.method, options, &request.payload),
            None if request.method == Code::GET => Response::new(Code::NOT_FOUND),
            None => Response::new(Code::FORBIDDEN).payload("no file can have this name here"),
        };
        let changed = request.method != Code::GET && response.code.is_success();
        match request.trigger {
            // Changes of files are rare enough to ask each observer whether it knows.
            Trigger::Change => response.reliability = Some(Reliability::Confirmable),
            Trigger::Registration => {
                self.catalogue.registered(request.resource, path.as_ref().map(|(path, _)| path));
            }
            Trigger::Peer => {}
        }
        if let (Trigger::Change | Trigger::Registration, Some((path, _))) = (request.trigger, &path) {
            self.catalogue.gave(path, response.options.view().etag());
        }
        self.waiting.answer(request.id, response, endpoint, now);
        if let (true, Some((path, _))) = (changed, path) {
            self.catalogue.follow_one(&path, &self.folder, endpoint, now);
            if request.method == Code::PUT {
                self.catalogue.wrote(&path, entity_tag(&request.payload));
            }
        }
    }

    fn answer(
        &mut self,
        path: &FilePath,
        slash: bool,
        method: Code,
        options: Options<'_>,
        body: &[u8],
    ) -> Response {
        let result = match method {
            Code::GET => self.get(path, slash, options),
            Code::PUT if self.write && !slash => self.put(path, options, body),
            Code::POST if self.write => self.post(path, options, body),
            Code::DELETE if self.write && !slash => self.delete(path, options),
            _ => Ok(Response::new(Code::METHOD_NOT_ALLOWED)),
        };
        result.unwrap_or_else(|problem| failure(path, method, &problem))
    }

    fn get(&mut self, path: &FilePath, slash: bool, options: Options<'_>) -> Result<Response, Problem> {
        // A slash at the end asks for a folder, and a file is none.
        let content = if slash {
            Err(Problem::IsFolder)
        } else {
            self.contents.read(path, &self.folder, self.max_size)
        };
        let (format, content) = match content {
            Err(Problem::IsFolder) => (ContentFormat::LINK_FORMAT, Content::new(self.links(path)?.into())),
            content => (format_of(path), content?),
        };
        if let Err(code) = Preconditions::of(options).accepts(format) {
            return Ok(Response::new(code));
        }
        Ok(Response::new(Code::CONTENT)
            .with(OptionNumber::ETAG, &content.etag)
            .with_uint(OptionNumber::CONTENT_FORMAT, format.get().into())
            .payload(content.body))
    }

    fn links(&self, path: &FilePath) -> Result<String, Problem> {
        let link = |(path, kind): &(FilePath, Kind)| match kind {
            Kind::File { size } => format!("<{path}>;ct={};sz={size}", format_of(path).get()),
            Kind::Folder => format!("<{path}>;ct={}", ContentFormat::LINK_FORMAT.get()),
        };
        let links: Vec<_> = self.folder.list(path)?.iter().map(link).collect();
        let links = links.join(",");
        if links.len() > self.max_size { Err(Problem::TooLarge) } else { Ok(links) }
    }

    fn put(&mut self, path: &FilePath, options: Options<'_>, body: &[u8]) -> Result<Response, Problem> {
        let current = self.current(path, options)?;
        if let Err(code) = Preconditions::of(options).check(current.as_deref()) {
            return Ok(Response::new(code));
        }
        if let (Some(given), Some((_, name))) = (options.content_format(), path.split_last())
            && format::known(name).is_some_and(|named| named != given)
        {
            let problem = format!("{name} is served as {}", format::of(name));
            return Ok(Response::new(Code::UNSUPPORTED_CONTENT_FORMAT).payload(problem));
        }
        self.contents.forget(path);
        self.folder.write(path, body)?;
        Ok(Response::new(if current.is_some() { Code::CHANGED } else { Code::CREATED }))
    }

    /// Makes a new file in a folder and says where.
    fn post(&self, path: &FilePath, options: Options<'_>, body: &[u8]) -> Result<Response, Problem> {
        if self.folder.kind(path)? != Kind::Folder {
            return Ok(Response::new(Code::METHOD_NOT_ALLOWED));
        }
        let extension = options.content_format().map(format::extension).unwrap_or_default();
        for _ in 0..NAMES {
            let number = getrandom::u32().map_err(|error| Problem::System(io::Error::other(error)))?;
            let Some(new) = path.child(&format!("{number:08x}{extension}")) else { break };
            if matches!(self.folder.kind(&new), Err(Problem::NotFound)) {
                self.folder.write(&new, body)?;
                self.noticed.note(new.clone());
                let created = Response::new(Code::CREATED);
                let with = |response: Response, name: &str| {
                    response.with(OptionNumber::LOCATION_PATH, name.as_bytes())
                };
                return Ok(new.names().fold(created, with));
            }
        }
        Ok(Response::new(Code::CONFLICT))
    }

    fn delete(&mut self, path: &FilePath, options: Options<'_>) -> Result<Response, Problem> {
        let current = self.current(path, options)?;
        if let Err(code) = Preconditions::of(options).check(current.as_deref()) {
            return Ok(Response::new(code));
        }
        self.contents.forget(path);
        match self.folder.remove(path) {
            // What is not there counts as deleted (RFC 7252 §5.8.4).
            Ok(()) | Err(Problem::NotFound) => Ok(Response::new(Code::DELETED)),
            Err(problem) => Err(problem),
        }
    }

    /// The entity-tag of what there is before a change, which is empty if the request does not ask for it; `None` if there is
    /// nothing.
    fn current(&mut self, path: &FilePath, options: Options<'_>) -> Result<Option<Vec<u8>>, Problem> {
        match self.folder.kind(path) {
            Ok(Kind::Folder) => Err(Problem::IsFolder),
            Ok(Kind::File { .. }) if options.contains(OptionNumber::IF_MATCH) => {
                Ok(Some(self.contents.read(path, &self.folder, self.max_size)?.etag.to_vec()))
            }
            Ok(Kind::File { .. }) => Ok(Some(Vec::new())),
            Err(Problem::NotFound) => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}

fn format_of(path: &FilePath) -> ContentFormat {
    path.split_last().map_or(ContentFormat::LINK_FORMAT, |(_, name)| format::of(name))
}

/// The response that a problem is, with a diagnostic text.
fn failure(path: &FilePath, method: Code, problem: &Problem) -> Response {
    let code = match problem {
        Problem::NotFound => Code::NOT_FOUND,
        Problem::Forbidden => Code::FORBIDDEN,
        Problem::IsFolder => Code::METHOD_NOT_ALLOWED,
        Problem::TooLarge => Code::INTERNAL_SERVER_ERROR,
        Problem::Full | Problem::System(_) => {
            warn!("{} {path}: {problem}", method.name().unwrap_or_default());
            Code::INTERNAL_SERVER_ERROR
        }
    };
    let text = match problem {
        // Nobody else's affair.
        Problem::System(_) => String::new(),
        said => said.to_string(),
    };
    Response::new(code).payload(text)
}
