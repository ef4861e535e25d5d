//! The endpoint, rule by rule.

mod crossings;
mod groups;
mod matching;
mod observing;
mod requests;
mod serving;
mod support;
mod transfers;
