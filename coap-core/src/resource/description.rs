//! What an application says of a resource.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use coap_codec::{Code, ContentFormat, OptionNumber};

use crate::Bodies;

/// A resource, or all resources below a path: what it is called, what can be done with it, and how it is shown to those who
/// discover (RFC 6690).
///
/// ```
/// use coap_core::Resource;
/// use coap_codec::{Code, ContentFormat};
///
/// let lamp = Resource::new("/lamp")
///     .methods(&[Code::GET, Code::PUT])
///     .resource_type("light")
///     .content_format(ContentFormat::TEXT_PLAIN)
///     .observable();
/// assert_eq!(lamp.path(), ["lamp"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    path: Vec<Box<str>>,
    subtree: bool,
    /// Bit n stands for method 0.n.
    methods: u32,
    attributes: Vec<Attribute>,
    observable: bool,
    listed: bool,
    bodies: Bodies,
    understands: Vec<OptionNumber>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    name: Box<str>,
    value: Option<String>,
}

impl Resource {
    /// A resource that can be got. The path is what stands between slashes, not percent-encoded; a slash in front is not
    /// needed, one at the end makes an empty last segment, and "" and "/" are the root.
    pub fn new(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let segments = (!path.is_empty()).then(|| path.split('/')).into_iter().flatten();
        Self::at(segments)
    }

    /// A resource whose path has these segments; they may have slashes in them.
    pub fn at<'s>(segments: impl IntoIterator<Item = &'s str>) -> Self {
        Self {
            path: segments.into_iter().map(Into::into).collect(),
            subtree: false,
            methods: bit(Code::GET),
            attributes: Vec::new(),
            observable: false,
            listed: true,
            bodies: Bodies::Whole,
            understands: Vec::new(),
        }
    }

    /// Together with all paths below that have no resource of their own: a directory, say. `/.well-known/core` stays the
    /// endpoint's.
    #[must_use]
    pub const fn subtree(mut self) -> Self {
        self.subtree = true;
        self
    }

    /// The methods it has, in place of GET alone. Others are answered 4.05.
    #[must_use]
    pub fn methods(mut self, methods: &[Code]) -> Self {
        self.methods = methods.iter().fold(0, |all, method| all | bit(*method));
        self
    }

    /// It can be observed (RFC 7641), which its link says with `obs`.
    #[must_use]
    pub const fn observable(mut self) -> Self {
        self.observable = true;
        self
    }

    /// Its link is left out of `/.well-known/core`.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// Who takes care of blocks; default the endpoint.
    #[must_use]
    pub const fn bodies(mut self, bodies: Bodies) -> Self {
        self.bodies = bodies;
        self
    }

    /// The application understands this critical option: a request with it is not answered 4.02.
    #[must_use]
    pub fn understands(mut self, option: OptionNumber) -> Self {
        self.understands.push(option);
        self
    }

    /// A resource type, `rt`. Several are listed in one attribute (RFC 6690 §3.1).
    #[must_use]
    pub fn resource_type(self, resource_type: &str) -> Self {
        self.listing("rt", resource_type)
    }

    /// An interface description, `if`. Several are listed in one attribute (RFC 6690 §3.2).
    #[must_use]
    pub fn interface(self, interface: &str) -> Self {
        self.listing("if", interface)
    }

    /// A format of its representations, `ct`. Several are listed in one attribute (RFC 7252 §7.2.1).
    #[must_use]
    pub fn content_format(self, format: ContentFormat) -> Self {
        self.listing("ct", &format.get().to_string())
    }

    /// The largest size to expect, `sz` (RFC 6690 §3.3).
    #[must_use]
    pub fn max_size(self, bytes: u64) -> Self {
        self.attribute("sz", Some(&bytes.to_string()))
    }

    /// A name for people, `title`.
    #[must_use]
    pub fn title(self, title: &str) -> Self {
        self.attribute("title", Some(title))
    }

    /// Any other attribute of its link, with or without a value.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: Option<&str>) -> Self {
        self.attributes.push(Attribute { name: name.into(), value: value.map(ToOwned::to_owned) });
        self
    }

    /// The segments of its path.
    pub fn path(&self) -> Vec<&str> {
        self.path.iter().map(|segment| &**segment).collect()
    }

    /// Whether it stands for all paths below, too.
    pub const fn is_subtree(&self) -> bool {
        self.subtree
    }

    /// Whether it has this method.
    pub fn allows(&self, method: Code) -> bool {
        self.methods & bit(method) != 0
    }

    /// Whether it can be observed.
    pub const fn is_observable(&self) -> bool {
        self.observable
    }

    /// Whether its link is shown.
    pub const fn is_listed(&self) -> bool {
        self.listed
    }

    /// Its attributes, as its link shows them.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let own = self.attributes.iter().map(|attribute| (&*attribute.name, attribute.value.as_deref()));
        own.chain(self.observable.then_some(("obs", None)))
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|segment| &**segment)
    }

    pub(crate) const fn takes(&self) -> Bodies {
        self.bodies
    }

    pub(crate) fn knows(&self, option: OptionNumber) -> bool {
        self.understands.contains(&option)
    }

    /// One more in an attribute that lists several, with spaces between.
    fn listing(mut self, name: &str, item: &str) -> Self {
        let there = self.attributes.iter_mut().find(|attribute| &*attribute.name == name);
        let Some(list) = there.and_then(|attribute| attribute.value.as_mut()) else {
            return self.attribute(name, Some(item));
        };
        list.push(' ');
        list.push_str(item);
        self
    }
}

const fn bit(method: Code) -> u32 {
    if method.is_request() { 1 << method.detail() } else { 0 }
}
