//! Pods by their labels and Services by their selectors, so that who serves whom is found without
//! looking at everything in a namespace.
//!
//! It gives candidates; whether a selector takes a pod is for `endpoints` to say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::object::{Map, Object, Value};

/// Names of objects by namespace, key and value of a pair.
#[derive(Debug, Default)]
pub(super) struct Labelled(BTreeMap<String, BTreeSet<Arc<str>>>);

/// The pairs that a Service selects by.
pub(super) fn selector(service: &Object) -> Option<&Map> {
    service.at(&["spec", "selector"]).and_then(Value::as_object).filter(|map| !map.is_empty())
}

fn places<'a>(namespace: &'a str, pairs: Option<&'a Map>) -> impl Iterator<Item = String> + 'a {
    pairs.into_iter().flatten().map(move |(key, value)| {
        // None of the three has a character of this kind.
        format!("{namespace}\n{key}\n{}", value.as_str().unwrap_or_default())
    })
}

impl Labelled {
    /// Adds an object under all of its pairs.
    pub(super) fn add_under_all(&mut self, object: &Object, pairs: Option<&Map>) {
        for place in places(object.namespace(), pairs) {
            self.0.entry(place).or_default().insert(object.name().into());
        }
    }

    /// Adds an object under the pair that has the fewest: whoever has all of its pairs has that.
    pub(super) fn add_under_one(&mut self, object: &Object, pairs: Option<&Map>) {
        let size = |place: &String| self.0.get(place).map_or(0, BTreeSet::len);
        if let Some(place) = places(object.namespace(), pairs).min_by_key(size) {
            self.0.entry(place).or_default().insert(object.name().into());
        }
    }

    /// Takes an object out, wherever it is.
    pub(super) fn remove(&mut self, object: &Object, pairs: Option<&Map>) {
        for place in places(object.namespace(), pairs) {
            if let Some(names) = self.0.get_mut(&place) {
                names.remove(object.name());
                if names.is_empty() {
                    self.0.remove(&place);
                }
            }
        }
    }

    /// Names under any of some pairs.
    pub(super) fn under_any(&self, namespace: &str, pairs: Option<&Map>) -> BTreeSet<&Arc<str>> {
        places(namespace, pairs).filter_map(|place| self.0.get(&place)).flatten().collect()
    }

    /// Names under the one of some pairs that has the fewest.
    pub(super) fn under_rarest(
        &self,
        namespace: &str,
        pairs: Option<&Map>,
    ) -> impl Iterator<Item = &Arc<str>> {
        let sets = places(namespace, pairs).map(|place| self.0.get(&place));
        let rarest = sets.min_by_key(|names| names.map_or(0, BTreeSet::len)).flatten();
        rarest.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn an_object_is_found_under_a_pair_of_its_own_and_is_gone_when_it_goes() {
        let service = |name: &str, selector: Value| {
            Object::from_value(json!({"metadata": {"name": name, "namespace": "n"},
                "spec": {"selector": selector}}))
            .unwrap()
        };
        let all: Vec<_> = (0..9)
            .map(|n| service(&format!("s{n}"), json!({"of": "shop", "app": format!("a{n}")})))
            .collect();
        let mut labelled = Labelled::default();
        all.iter().for_each(|s| labelled.add_under_one(s, selector(s)));
        let labels = json!({"of": "shop", "app": "a3"});
        let found = |labelled: &Labelled| {
            let names = labelled.under_any("n", labels.as_object());
            names.iter().map(|name| name.to_string()).collect::<Vec<_>>()
        };
        assert!(found(&labelled).contains(&"s3".to_owned()));
        assert!(found(&labelled).len() <= 2, "{:?}", found(&labelled));
        all.iter().for_each(|s| labelled.remove(s, selector(s)));
        assert_eq!(found(&labelled), Vec::<String>::new());
    }
}
