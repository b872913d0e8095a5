//! Fields that are one in kustomize's tree: what a transformer adds in several places of an object
//! it adds as one node, and whatever is written to one of these places later is in all of them.
//!
//! A base that gives its selectors a label, and an overlay that changes that label without
//! selectors, change the selectors this way; the results are kept.

use super::path::{self, Step};
use crate::object::{Object, Value};

/// Places of an object that hold one node, and what it held last.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    value: Value,
    places: Vec<Vec<Step>>,
}

/// The nodes of an object that stand in several places.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shared(Vec<Group>);

impl Shared {
    /// One value was put in all of these places, where there was none before. Places in lists
    /// whose items move, as a patch merges them, are not followed.
    pub(super) fn add(&mut self, value: &Value, mut places: Vec<Vec<Step>>) {
        places.retain(|place| {
            is_in_no_list(place) || place.contains(&Step::Key("volumeClaimTemplates".to_owned()))
        });
        if places.len() > 1 {
            self.0.push(Group { value: value.clone(), places });
        }
    }

    /// What is below a field was made anew.
    pub(super) fn forget_below(&mut self, field: &[&str]) {
        let is_below = |place: &Vec<Step>| {
            place.len() > field.len()
                && place
                    .iter()
                    .zip(field)
                    .all(|(step, name)| *step == Step::Key((*name).to_owned()))
        };
        for group in &mut self.0 {
            group.places.retain(|place| !is_below(place));
        }
        self.0.retain(|group| group.places.len() > 1);
    }

    /// Brings what was written to one of the places to the others.
    pub(super) fn settle(&mut self, object: &mut Object) {
        if self.0.is_empty() {
            return;
        }
        let mut root = Value::Object(std::mem::take(&mut object.0));
        for group in &mut self.0 {
            group.places.retain(|place| path::at_mut(&mut root, place).is_some());
            // An item of a list that holds something else is another item now.
            group.places.retain(|place| {
                is_in_no_list(place)
                    || path::at_mut(&mut root, place).is_some_and(|value| *value == group.value)
            });
            let written = group.places.iter().rev().find_map(|place| {
                path::at_mut(&mut root, place).filter(|value| **value != group.value).cloned()
            });
            let Some(written) = written else { continue };
            for place in &group.places {
                if let Some(value) = path::at_mut(&mut root, place) {
                    *value = written.clone();
                }
            }
            group.value = written;
        }
        self.0.retain(|group| group.places.len() > 1);
        if let Value::Object(map) = root {
            object.0 = map;
        }
    }
}

fn is_in_no_list(place: &[Step]) -> bool {
    place.iter().all(|step| matches!(step, Step::Key(_)))
}
