//! Where in an object an error stands, as a kube-apiserver writes it: `spec.ports[0].name`,
//! `metadata.labels[app]` (R-HTTP-23).

use std::fmt;

/// A place: built on the way down without allocating, printed only in an error.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// Nothing: upstream prints it as `<nil>`.
    Nil,
    /// The first field, or a place that was printed already; empty for the object itself.
    Printed(&'a str),
    /// A field of a struct.
    Field(&'a Place<'a>, &'a str),
    /// An item of a list, from 0.
    Index(&'a Place<'a>, usize),
    /// The value of a key of a map.
    Key(&'a Place<'a>, &'a str),
}

impl<'a> Place<'a> {
    /// A field below.
    #[must_use]
    pub fn field(&'a self, name: &'a str) -> Place<'a> {
        Place::Field(self, name)
    }

    /// An item below.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Place<'a> {
        Place::Index(self, index)
    }

    /// The value of a key below.
    #[must_use]
    pub fn key(&'a self, key: &'a str) -> Place<'a> {
        Place::Key(self, key)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Nil => f.write_str("<nil>"),
            Place::Printed(text) => f.write_str(text),
            Place::Field(Place::Nil | Place::Printed(""), name) => f.write_str(name),
            Place::Index(Place::Nil, index) => write!(f, "[{index}]"),
            Place::Key(Place::Nil, key) => write!(f, "[{key}]"),
            Place::Field(parent, name) => write!(f, "{parent}.{name}"),
            Place::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Place::Key(parent, key) => write!(f, "{parent}[{key}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_printed_from_the_outside_in() {
        let (nil, object, spec) = (Place::Nil, Place::Printed(""), Place::Printed("spec"));
        assert_eq!(nil.to_string(), "<nil>");
        assert_eq!(nil.field("spec").to_string(), "spec");
        assert_eq!(nil.key("a").to_string(), "[a]");
        assert_eq!(object.field("data").key("k").to_string(), "data[k]");
        assert_eq!(spec.field("ports").index(0).field("name").to_string(), "spec.ports[0].name");
    }
}
