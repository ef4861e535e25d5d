//! A lookup in the trie, one level of the name after the other.

use alloc::vec::Vec;
use core::cell::LazyCell;

use super::hash::Key;
use super::place::Subscribers;
use super::trie::{NONE, ROOT, Trie};
use crate::TopicName;
use crate::level::level_length;

/// What a walk works in.
#[derive(Clone, Default, Debug)]
pub(super) struct Frontier {
    now: Vec<u32>,
    then: Vec<u32>,
}

/// How far a walk has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'a> {
    /// Filters that begin with a wildcard do not match names that begin with `$` \[MQTT-4.7.2-1\]:
    /// true at the root for such a name.
    hides_wildcards: bool,
    /// The levels of the name that are to come, from the one at hand; `None` past the last.
    rest: Option<&'a str>,
    /// How many nodes of the frontier are done.
    done: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(name: TopicName<'a>, frontier: &mut Frontier) -> Self {
        frontier.now.clear();
        frontier.then.clear();
        frontier.now.push(ROOT);
        Self { hides_wildcards: name.is_dollar(), rest: Some(name.as_str()), done: 0 }
    }

    /// Goes on for at most `budget` nodes. `true` at the end of the walk.
    pub(super) fn go_on(
        &mut self,
        trie: &Trie,
        key: &Key,
        frontier: &mut Frontier,
        mut budget: u32,
        mut found: impl FnMut(Subscribers),
    ) -> bool {
        while self.done < frontier.now.len() {
            let (level, rest) = next_level(self.rest);
            let symbol = LazyCell::new(|| trie.symbol(key, level.unwrap_or_default()));
            for &number in &frontier.now[self.done..] {
                if budget == 0 {
                    return false;
                }
                budget -= 1;
                self.done += 1;
                let node = trie.node(number);
                if !self.hides_wildcards {
                    found(node.multi);
                }
                if level.is_none() {
                    found(node.here);
                    continue;
                }
                if node.plus != NONE && !self.hides_wildcards {
                    frontier.then.push(node.plus);
                }
                if node.literals > 0 {
                    frontier.then.extend(symbol.and_then(|symbol| trie.child(key, number, symbol)));
                }
            }
            core::mem::swap(&mut frontier.now, &mut frontier.then);
            frontier.then.clear();
            (self.rest, self.done, self.hides_wildcards) = (rest, 0, false);
        }
        true
    }
}

/// The level that a text begins with, and the levels after it.
fn next_level(text: Option<&str>) -> (Option<&str>, Option<&str>) {
    text.map_or((None, None), |text| {
        let end = level_length(text.as_bytes());
        (text.get(..end), text.get(end + 1..))
    })
}
