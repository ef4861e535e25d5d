//! The endpoint, rule by rule.

mod matching;
mod requests;
mod serving;
mod support;
