use alloc::borrow::ToOwned;
use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::hash::Key;
use super::postings::{DEPTH, Postings};
use super::slab::reserve;
use super::table::Table;
use super::text::Texts;
use super::{Full, RetainedLimits};
use crate::{TopicFilter, TopicName};

/// One value per topic name, found by name or by filter.
///
/// For each depth and level there is the set of topics that have it; a walk goes through the smallest set
/// among the levels of its filter and compares the names. Only the first 32 levels have such sets.
#[derive(Clone, Debug)]
pub struct RetainedIndex<V> {
    rows: Vec<Row<V>>,
    /// Rows without a value, and some that are gone: those are skipped.
    free: BinaryHeap<Reverse<u32>>,
    table: Table,
    texts: Texts,
    postings: Postings,
    /// How many topics there ever were.
    born: u64,
    key: Key,
    limits: RetainedLimits,
}

#[derive(Clone, Debug)]
struct Row<V> {
    value: Option<V>,
    text: u32,
    born: Birth,
}

/// The number of a topic in the order of their insertion: 48 bits, to keep rows small.
#[derive(Clone, Copy, Debug)]
struct Birth([u16; 3]);

impl Birth {
    const END: u64 = 1 << 48;

    fn new(number: u64) -> Self {
        Self([number as u16, (number >> 16) as u16, (number >> 32) as u16])
    }

    fn number(self) -> u64 {
        self.0.iter().rev().fold(0, |number, &part| number << 16 | u64::from(part))
    }
}

impl<V> RetainedIndex<V> {
    /// An empty index. The seed keys its hash tables: it should be unknown to peers.
    pub fn new(limits: RetainedLimits, seed: u64) -> Self {
        Self {
            rows: Vec::new(),
            free: BinaryHeap::new(),
            table: Table::default(),
            texts: Texts::default(),
            postings: Postings::default(),
            born: 0,
            key: Key::new(seed),
            limits,
        }
    }

    /// Sets the value of a topic and returns the old one.
    ///
    /// # Errors
    /// The limit in the way; a replacement always succeeds.
    pub fn insert(&mut self, name: TopicName<'_>, value: V) -> Result<Option<V>, Full> {
        let text = name.as_str();
        let tag = self.key.text(text);
        if let Some(position) = self.position(tag, text) {
            let row = self.table.index(position);
            return Ok(self.rows[row as usize].value.replace(value));
        }
        if self.len() >= self.limits.topics as usize {
            return Err(Full::Topics);
        }
        if !self.texts.has_space() || !self.postings.has_space() || self.born + 1 >= Birth::END {
            return Err(Full::Space);
        }
        let row = Row { value: Some(value), text: self.texts.push(text), born: Birth::new(self.born) };
        let number = self.place(row);
        self.table.insert(tag, number);
        self.postings.add(&self.key, text, number);
        self.born += 1;
        Ok(None)
    }

    /// The value of a topic.
    pub fn get(&self, name: TopicName<'_>) -> Option<&V> {
        self.rows[self.row(name.as_str())? as usize].value.as_ref()
    }

    /// The value of a topic, to change it.
    pub fn get_mut(&mut self, name: TopicName<'_>) -> Option<&mut V> {
        let row = self.row(name.as_str())?;
        self.rows[row as usize].value.as_mut()
    }

    /// Removes a topic and returns its value.
    pub fn remove(&mut self, name: TopicName<'_>) -> Option<V> {
        let position = self.position(self.key.text(name.as_str()), name.as_str())?;
        let number = self.table.index(position);
        self.table.remove(position);
        self.postings.remove(&self.key, name.as_str(), number);
        let row = &mut self.rows[number as usize];
        let value = row.value.take();
        self.texts.remove(row.text);
        self.free.push(Reverse(number));
        self.compact();
        value
    }

    /// How many topics there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no topic.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn row(&self, name: &str) -> Option<u32> {
        self.position(self.key.text(name), name).map(|position| self.table.index(position))
    }

    fn position(&self, tag: u32, name: &str) -> Option<usize> {
        self.table.find(tag, |row| self.texts.get(self.rows[row as usize].text) == name)
    }

    /// Puts a row in the lowest free place, so that the last places become free and go.
    fn place(&mut self, row: Row<V>) -> u32 {
        while let Some(Reverse(number)) = self.free.pop() {
            if let Some(place) = self.rows.get_mut(number as usize) {
                *place = row;
                return number;
            }
        }
        reserve(&mut self.rows);
        self.rows.push(row);
        self.rows.len() as u32 - 1
    }

    /// Gives memory back. Rows keep their numbers, which walks rely on.
    fn compact(&mut self) {
        while self.rows.pop_if(|row| row.value.is_none()).is_some() {}
        if self.rows.len() * 4 < self.rows.capacity() {
            self.rows.shrink_to(self.rows.len() * 2);
            self.free.retain(|number| (number.0 as usize) < self.rows.len());
            self.free.shrink_to(self.free.len() * 2);
        }
        if self.texts.is_wasteful() {
            let old = core::mem::take(&mut self.texts);
            for row in self.rows.iter_mut().filter(|row| row.value.is_some()) {
                row.text = self.texts.push(old.get(row.text));
            }
        }
    }
}

/// A walk over the topics that match a filter: see [`RetainedIndex::next`]. It borrows nothing.
#[derive(Clone, Debug)]
pub struct Cursor {
    filter: String,
    /// Rows before this one are done.
    next: u32,
    /// Topics born from here on came later than the walk.
    born: u64,
    plan: Plan,
    /// The rebuilds of the postings up to which the plan holds. Whatever else changes, a topic that is there
    /// from the beginning of the walk stays where the plan leads.
    planned: u64,
}

/// What a walk goes through.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Nothing,
    Row(u32),
    Posting(u32),
    All,
}

/// What one step of a walk comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a, V> {
    /// A topic that matches.
    Found {
        /// Its name.
        name: TopicName<'a>,
        /// Its value.
        value: &'a V,
    },
    /// The budget is used up; call again with a new one.
    OutOfBudget,
    /// The walk is at its end.
    Done,
}

impl<V> RetainedIndex<V> {
    /// Begins a walk over the topics that match the filter.
    pub fn cursor(&self, filter: TopicFilter<'_>) -> Cursor {
        Cursor {
            filter: filter.as_str().to_owned(),
            next: 0,
            born: self.born,
            plan: self.plan(filter),
            planned: self.postings.rebuilds(),
        }
    }

    /// Goes on with a walk until a topic matches, the budget is used up, or nothing is left. Each topic
    /// that is looked at takes 1 from the budget, whether it matches or not.
    ///
    /// The index may change between two steps: every topic that is there from the beginning of the walk to
    /// its end is found exactly once, every other at most once, and a topic that is new since the beginning
    /// is not found. Once in many removals, a step looks up at most 32 levels before it goes on.
    pub fn next(&self, cursor: &mut Cursor, budget: &mut u32) -> Step<'_, V> {
        let filter = TopicFilter::assume_valid(&cursor.filter);
        if cursor.planned != self.postings.rebuilds() {
            (cursor.plan, cursor.planned) = (self.plan(filter), self.postings.rebuilds());
        }
        while let Some((number, row)) = self.candidate(cursor.plan, cursor.next) {
            let Some(left) = budget.checked_sub(1) else { return Step::OutOfBudget };
            *budget = left;
            cursor.next = number + 1;
            let Some(value) = row.value.as_ref().filter(|_| row.born.number() < cursor.born) else {
                continue;
            };
            let name = TopicName::assume_valid(self.texts.get(row.text));
            if filter.matches(name) {
                return Step::Found { name, value };
            }
        }
        Step::Done
    }

    fn candidate(&self, plan: Plan, start: u32) -> Option<(u32, &Row<V>)> {
        let number = match plan {
            Plan::Nothing => None,
            Plan::Row(row) => (row >= start).then_some(row),
            Plan::Posting(posting) => self.postings.rows(posting)?.next_from(start),
            Plan::All => Some(start),
        }?;
        self.rows.get(number as usize).map(|row| (number, row))
    }

    fn plan(&self, filter: TopicFilter<'_>) -> Plan {
        if !filter.has_wildcard() {
            return self.row(filter.as_str()).map_or(Plan::Nothing, Plan::Row);
        }
        let mut rarest = None;
        for (depth, level) in filter.levels().take(DEPTH).enumerate() {
            if matches!(level, "+" | "#") {
                continue;
            }
            let Some(posting) = self.postings.find(&self.key, depth, level) else { return Plan::Nothing };
            let len = self.postings.rows(posting).map_or(0, super::rows::Rows::len);
            if rarest.is_none_or(|(least, _)| len < least) {
                rarest = Some((len, posting));
            }
        }
        rarest.map_or(Plan::All, |(_, posting)| Plan::Posting(posting))
    }
}
