//! Where a value stands in the schema, as the estimator upstream keeps it.
//!
//! Upstream's paths are Go slices, and two that were made from one of them can share the room
//! behind it: the later one then changes the earlier. This is seen in answers (the size of an
//! inner list is taken from what its body looks at), so the room is shared here, too.

use std::cell::RefCell;
use std::rc::Rc;

use super::declared::{Declared, Kind};

/// The names from a variable to a value; empty where nothing is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    /// As long as there is room.
    room: Rc<RefCell<Vec<String>>>,
    len: usize,
}

impl Path {
    pub(super) fn of_variable(name: &str) -> Self {
        Self { room: Rc::new(RefCell::new(vec![name.to_owned()])), len: 1 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One step further down, in the same room if there is some left.
    pub(super) fn below(&self, name: &str) -> Self {
        let mut room = self.room.borrow_mut();
        if let Some(next) = room.get_mut(self.len) {
            name.clone_into(next);
            return Self { room: Rc::clone(&self.room), len: self.len + 1 };
        }
        let mut grown = room[..self.len].to_vec();
        grown.push(name.to_owned());
        grown.resize((2 * self.len).max(1), String::new());
        Self { room: Rc::new(RefCell::new(grown)), len: self.len + 1 }
    }

    /// The same in room of its own.
    pub(super) fn alone(&self) -> Self {
        let names = self.room.borrow()[..self.len].to_vec();
        Self { room: Rc::new(RefCell::new(names)), len: self.len }
    }

    /// The most bytes or items of what stands there. The name of the variable is not looked at.
    pub(super) fn elements_max(&self, root: &Declared) -> Option<u64> {
        let room = self.room.borrow();
        let names = room[..self.len].get(1..)?;
        let mut at = root;
        for name in names {
            at = match (&at.kind, name.as_str()) {
                (Kind::List(inner) | Kind::Map(inner), "@items" | "@values") => inner,
                // Upstream has no bound for keys and counts them as nothing.
                (Kind::Map(_), "@keys") => return Some(0),
                (Kind::Object(fields), name) => fields.get(name)?,
                _ => return None,
            };
        }
        Some(at.elements_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_paths_change_earlier_ones_in_the_same_room() {
        let items = Path::of_variable("self").below("list").below("@items");
        let first = items.below("a");
        let second = items.below("b");
        assert_eq!(first.room.borrow()[..], second.room.borrow()[..]);
        let alone = items.alone().below("c");
        assert_eq!(alone.room.borrow()[..4], ["self", "list", "@items", "c"]);
        assert_eq!(first.room.borrow()[3], "b");
    }
}
