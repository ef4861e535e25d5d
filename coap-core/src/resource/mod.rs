//! What a server offers.

mod description;
mod table;
#[cfg(test)]
mod tests;
mod well_known;

pub use description::Resource;
pub use table::ResourceId;
pub(crate) use table::Table;
pub(crate) use well_known::{core_links, is_well_known_core};
