//! Counts with their names.

/// The fields of a structure, of which none is forgotten, each with its name.
macro_rules! rows {
    ($counters:expr, $($field:ident)*) => {{
        let Self { $($field),* } = $counters;
        [$((stringify!($field), *$field)),*]
    }};
}

pub(crate) use rows;
