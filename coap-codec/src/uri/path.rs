//! Path and query: segments and arguments, decoded lazily, dot segments removed without memory.

use core::fmt;

use super::error::{InvalidUri, UriFault};
use super::percent::{PercentEncoded, is_argument, is_pchar, write_encoded};

/// The longest path, as written. Removing dot segments without memory takes the square of the length, which has to end somewhere.
pub const MAX_PATH_LEN: usize = 8192;

/// The path of a URI, checked: empty or beginning with `/`. RFC 3986 §3.3, `path-abempty`.
///
/// ```
/// use coap_codec::uri::Path;
///
/// let path = Path::parse("/a/b/./../c/")?;
/// assert!(path.segments().eq(["a", "c", ""]));
/// assert!(Path::parse("/")?.segments().next().is_none());
/// # Ok::<(), coap_codec::uri::InvalidUri>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    text: &'a str,
}

impl<'a> Path<'a> {
    /// Checks an absolute path that stands alone.
    ///
    /// # Errors
    /// The first broken rule, with its place.
    pub fn parse(text: &'a str) -> Result<Self, InvalidUri> {
        Self::parse_at(text, 0)
    }

    /// As written.
    pub const fn encoded(self) -> &'a str {
        self.text
    }

    /// What travels as Uri-Path: dot segments removed (RFC 3986 §5.2.4), none for the empty path and for `/`, an empty
    /// one after a slash at the end. RFC 7252 §6.4 step 8 and its correction.
    ///
    /// `%2E` counts as a dot, for the value of Uri-Path must not be `.` or `..` (RFC 7252 §5.10.1).
    pub fn segments(self) -> Segments<'a> {
        let segments = Segments { rest: self.text.strip_prefix('/') };
        let mut look = segments.clone();
        let only_an_empty_one =
            look.next().is_some_and(|first| first.encoded().is_empty()) && look.next().is_none();
        if only_an_empty_one { Segments::default() } else { segments }
    }

    pub(super) fn parse_at(text: &'a str, offset: usize) -> Result<Self, InvalidUri> {
        if text.is_empty() {
            return Ok(Self { text });
        }
        if text.len() > MAX_PATH_LEN {
            return Err(UriFault::PathTooLong.at(offset));
        }
        let segments = text.strip_prefix('/').ok_or(UriFault::RelativePath.at(offset))?;
        check_pieces(segments, '/', offset + 1, is_pchar)?;
        Ok(Self { text })
    }
}

impl PartialEq for Path<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.segments().eq(other.segments())
    }
}

impl Eq for Path<'_> {}

/// Normalised; `/` when there are no segments.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(f, self.segments().map(PercentEncoded::bytes))
    }
}

/// The segments of a [`Path`].
#[derive(Clone, Debug, Default)]
pub struct Segments<'a> {
    /// What follows a slash; `None` behind the last segment.
    rest: Option<&'a str>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = PercentEncoded<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let segment = pop(&mut self.rest, '/')?;
            match Dots::of(segment) {
                Dots::None if !is_cancelled(self.rest) => return Some(PercentEncoded::checked(segment)),
                Dots::One | Dots::Two if self.rest.is_none() => return Some(PercentEncoded::EMPTY),
                Dots::None | Dots::One | Dots::Two => {}
            }
        }
    }
}

/// The query of a URI, checked. RFC 3986 §3.4.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    text: &'a str,
}

impl<'a> Query<'a> {
    /// Checks a query that stands alone, without its question mark.
    ///
    /// # Errors
    /// The first broken rule, with its place.
    pub fn parse(text: &'a str) -> Result<Self, InvalidUri> {
        Self::parse_at(text, 0)
    }

    /// As written, without the question mark.
    pub const fn encoded(self) -> &'a str {
        self.text
    }

    /// What travels as Uri-Query, split at `&`; at least one, which may be empty. RFC 7252 §6.4 step 9.
    pub const fn arguments(self) -> Arguments<'a> {
        Arguments { rest: Some(self.text) }
    }

    pub(super) fn parse_at(text: &'a str, offset: usize) -> Result<Self, InvalidUri> {
        check_pieces(text, '&', offset, is_argument)?;
        Ok(Self { text })
    }
}

impl PartialEq for Query<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.arguments().eq(other.arguments())
    }
}

impl Eq for Query<'_> {}

/// Normalised, without the question mark.
impl fmt::Display for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, argument) in self.arguments().enumerate() {
            f.write_str(if at == 0 { "" } else { "&" })?;
            write_encoded(f, argument.bytes(), is_argument)?;
        }
        Ok(())
    }
}

/// The arguments of a [`Query`].
#[derive(Clone, Debug, Default)]
pub struct Arguments<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Arguments<'a> {
    type Item = PercentEncoded<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        pop(&mut self.rest, '&').map(PercentEncoded::checked)
    }
}

/// RFC 7252 §6.5 steps 6 and 7.
pub(super) fn write_path<B: IntoIterator<Item = u8>>(
    out: &mut impl fmt::Write,
    segments: impl Iterator<Item = B>,
) -> fmt::Result {
    let mut is_root = true;
    for segment in segments {
        is_root = false;
        out.write_char('/')?;
        write_encoded(out, segment, is_pchar)?;
    }
    if is_root { out.write_char('/') } else { Ok(()) }
}

/// Whether a segment stands for a place in the hierarchy, RFC 3986 §3.3, percent-encoded or not.
enum Dots {
    None,
    One,
    Two,
}

impl Dots {
    fn of(segment: &str) -> Self {
        let mut bytes = PercentEncoded::checked(segment).bytes();
        match (bytes.next(), bytes.next(), bytes.next()) {
            (Some(b'.'), None, None) => Self::One,
            (Some(b'.'), Some(b'.'), None) => Self::Two,
            _ => Self::None,
        }
    }
}

/// Whether a `..` in the rest of the path takes back the segment before it: depth counted from that segment.
fn is_cancelled(mut rest: Option<&str>) -> bool {
    let mut depth = 0_usize;
    while let Some(segment) = pop(&mut rest, '/') {
        match (Dots::of(segment), depth.checked_sub(1)) {
            (Dots::Two, None) => return true,
            (Dots::Two, Some(higher)) => depth = higher,
            (Dots::One, _) => {}
            (Dots::None, _) => depth += 1,
        }
    }
    false
}

fn pop<'a>(rest: &mut Option<&'a str>, separator: char) -> Option<&'a str> {
    let text = (*rest)?;
    let (piece, remaining) = match text.split_once(separator) {
        Some((piece, remaining)) => (piece, Some(remaining)),
        None => (text, None),
    };
    *rest = remaining;
    Some(piece)
}

fn check_pieces(
    text: &str,
    separator: char,
    mut offset: usize,
    allowed: fn(u8) -> bool,
) -> Result<(), InvalidUri> {
    for piece in text.split(separator) {
        PercentEncoded::parse(piece, offset, allowed)?;
        offset += piece.len() + 1;
    }
    Ok(())
}
