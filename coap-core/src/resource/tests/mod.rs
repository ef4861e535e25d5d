//! Tests by theme.

mod routing;
mod well_known;
