#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod content_format;

pub use content_format::ContentFormat;
