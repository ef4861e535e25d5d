//! An allocator that has nothing to give: enough to link what allocates.

use core::alloc::{GlobalAlloc, Layout};

struct Empty;

// SAFETY: null means "out of memory", which is always allowed, and so nothing is ever given back.
unsafe impl GlobalAlloc for Empty {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        // Hidden, so that the optimiser cannot conclude that no allocation ever succeeds.
        core::hint::black_box(core::ptr::null_mut())
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Empty = Empty;
