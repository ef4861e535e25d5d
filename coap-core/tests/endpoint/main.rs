//! The endpoint, rule by rule.

mod requests;
mod support;
