//! How the C library treats memory that payloads have had.

use core::hint::black_box;

/// The largest block that is kept, and half of what is kept at the end of the heap. More would keep the tables of connections,
/// too, that have grown out of their place: with 4 MiB, 5000 connections take half as much again.
const KEPT: usize = 1 << 20;

/// Lets glibc keep up to twice [`KEPT`] at the end of the heap.
///
/// It would give memory there back to the system as soon as 128 KiB are free, and ask for it again, page by page, with the
/// next large payload: half of what such a payload costs. When a block that had pages of its own is freed, glibc takes it
/// that such blocks come and go: from then on it takes them from the heap, and keeps twice as much there (`mallopt(3)`,
/// `M_MMAP_THRESHOLD`). So one such block comes and goes; no page of it is ever touched. Other C libraries do not care.
pub(super) fn keep() {
    drop(black_box(Vec::<u8>::with_capacity(KEPT)));
}
