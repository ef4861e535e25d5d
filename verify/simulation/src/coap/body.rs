//! Bodies that say what they are, and of which a part cannot be taken for the whole.

use std::fmt;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The body of a request.
    Request(usize),
    /// The answer to a POST: the request that it answers.
    Answer(usize),
    /// The state of a resource.
    State {
        /// The node that has it.
        node: usize,
        /// How often the node had been started.
        life: u32,
        /// The resource.
        resource: usize,
        /// How often its state had changed.
        version: u32,
    },
}

/// What came as a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Empty,
    /// A body as it was made, and its length in bytes.
    Whole(Tag, usize),
    /// Something else.
    Other(Vec<u8>),
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(number) => write!(f, "request {number}"),
            Self::Answer(number) => write!(f, "answer {number}"),
            Self::State { node, life, resource, version } => {
                write!(f, "state {node} {life} {resource} {version}")
            }
        }
    }
}

impl Tag {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        let mut number = || words.next()?.parse().ok();
        let tag = match kind {
            "request" => Self::Request(number()?),
            "answer" => Self::Answer(number()?),
            "state" => Self::State {
                node: number()?,
                life: number()? as u32,
                resource: number()?,
                version: number()? as u32,
            },
            _ => return None,
        };
        words.next().is_none().then_some(tag)
    }

    /// A body of so many bytes, or a few more if it would not fit.
    pub fn body(&self, len: usize) -> Vec<u8> {
        let mut body = format!("{self}|{len}|").into_bytes();
        let salt = body.iter().fold(7_u32, |salt, byte| salt.wrapping_mul(31).wrapping_add((*byte).into()));
        let filler = (body.len()..len).map(|at| (salt >> (at % 7)).wrapping_add(at as u32 * 13) as u8);
        body.extend(filler.collect::<Vec<u8>>());
        body
    }
}

impl Content {
    /// Looks at a body.
    pub fn of(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Empty;
        }
        Self::whole(body).unwrap_or_else(|| Self::Other(body.into()))
    }

    fn whole(body: &[u8]) -> Option<Self> {
        let mut parts = body.splitn(3, |byte| *byte == b'|').map(std::str::from_utf8);
        let tag = Tag::parse(parts.next()?.ok()?)?;
        let len = parts.next()?.ok()?.parse().ok()?;
        (tag.body(len) == body).then_some(Self::Whole(tag, body.len()))
    }
}
