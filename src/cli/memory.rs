//! How large the pages are that the system gives memory in.
//!
//! The allocator asks for large ones. To those who simulate they are worth an eighth of their time;
//! to those who start, answer and end, or stay for long, they are memory that is never used.

/// Memory comes in small pages from here on.
pub(super) fn in_small_pages() {
    set(true);
}

/// Memory comes in large pages from here on, where the system has them.
pub(super) fn in_large_pages() {
    set(false);
}

#[cfg(target_os = "linux")]
fn set(is_small: bool) {
    // Where the system has no say in it, everything works as it is.
    _ = rustix::thread::disable_transparent_huge_pages(is_small);
}

#[cfg(not(target_os = "linux"))]
fn set(_is_small: bool) {}
