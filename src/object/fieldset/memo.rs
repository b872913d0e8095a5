//! Results of pure functions that recur, made once and shared from then on.
//!
//! Bounded: each print has one place, which whoever comes next takes over. What is seen once only is
//! not remembered.

use std::cell::RefCell;
use std::thread::LocalKey;

/// Remembered results. `E` is what one was made of, with what came of it.
pub(super) struct Memo<E>(Vec<Place<E>>);

struct Place<E> {
    /// The print that was here last.
    seen: u64,
    entry: Option<Box<E>>,
}

impl<E> Memo<E> {
    /// With so many places.
    pub(super) fn with_places(count: usize) -> RefCell<Self> {
        RefCell::new(Self((0..count).map(|_| Place { seen: 0, entry: None }).collect()))
    }
}

/// The result for a print: what `find` takes from the entry that is remembered there, if it is the
/// one, else what `make` makes, which `keep` makes an entry of if its print comes again.
pub(super) fn recalled<E, R>(
    memo: &'static LocalKey<RefCell<Memo<E>>>,
    print: u64,
    find: impl FnOnce(&E) -> Option<R>,
    make: impl FnOnce() -> R,
    keep: impl FnOnce(&R) -> E,
) -> R {
    let at = |count: usize| usize::try_from(print >> 32).unwrap_or_default() % count;
    let known = memo.with_borrow(|Memo(places)| find(places[at(places.len())].entry.as_ref()?));
    if let Some(result) = known {
        return result;
    }
    let result = make();
    memo.with_borrow_mut(|Memo(places)| {
        let count = places.len();
        let place = &mut places[at(count)];
        if place.seen == print {
            place.entry = Some(Box::new(keep(&result)));
        }
        place.seen = print;
    });
    result
}
