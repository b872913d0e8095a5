//! Amounts of resources by name, as containers ask for them and quotas count them.

use std::collections::BTreeMap;

use crate::object::quantity::Quantity;
use crate::object::{Object, Value};

/// Quantities by the name of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts(pub BTreeMap<String, Quantity>);

impl Amounts {
    /// Of a map of quantities; what is none is left out.
    #[must_use]
    pub fn read(map: Option<&Value>) -> Self {
        let fields = map.and_then(Value::as_object).into_iter().flatten();
        Self(fields.filter_map(|(key, value)| Some((key.to_string(), quantity(value)?))).collect())
    }

    /// The amount of one resource.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Quantity> {
        self.0.get(name)
    }

    /// Sets the amount of one resource.
    pub fn set(&mut self, name: impl Into<String>, quantity: Quantity) {
        self.0.insert(name.into(), quantity);
    }

    /// The sums, name by name.
    pub fn add(&mut self, other: &Self) {
        for (name, quantity) in &other.0 {
            let sum = self.0.get(name).map_or_else(|| quantity.clone(), |own| own.plus(quantity));
            self.0.insert(name.clone(), sum);
        }
    }

    /// The greater of both, name by name.
    fn raise_to(&mut self, other: &Self) {
        for (name, quantity) in &other.0 {
            if self.0.get(name).is_none_or(|own| own < quantity) {
                self.0.insert(name.clone(), quantity.clone());
            }
        }
    }

    /// What is more than in `before`, name by name; nothing is less than nothing.
    #[must_use]
    pub fn beyond(mut self, before: &Self) -> Self {
        for (name, quantity) in &mut self.0 {
            if let Some(old) = before.get(name) {
                let zero = Quantity::count(0);
                *quantity = quantity.minus(old).max(zero);
            }
        }
        self
    }

    /// Only names that `keep` takes.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| keep(name));
        self
    }

    /// `a=1,b=2`.
    #[must_use]
    pub fn shown(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        parts.join(",")
    }

    /// As a map of an object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let fields = self.0.iter().map(|(key, value)| (key.clone(), value.to_string().into()));
        Value::Object(fields.collect())
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// `requests` or `limits` of a container.
#[must_use]
pub fn of_container(container: &Value, which: &str) -> Amounts {
    Amounts::read(container.get("resources").and_then(|resources| resources.get(which)))
}

/// What a pod asks for in all, or is limited to: its containers together, or more if an init
/// container needs more; what is set for the pod as a whole wins.
#[must_use]
pub fn of_pod(pod: &Object, which: &str) -> Amounts {
    let mut sum = Amounts::default();
    for container in pod.list(&["spec", "containers"]) {
        sum.add(&of_container(container, which));
    }
    let (mut sidecars, mut most) = (Amounts::default(), Amounts::default());
    for container in pod.list(&["spec", "initContainers"]) {
        let own = of_container(container, which);
        if container["restartPolicy"] == "Always" {
            sum.add(&own);
            sidecars.add(&own);
            most.raise_to(&sidecars);
        } else {
            let mut with_sidecars = own;
            with_sidecars.add(&sidecars);
            most.raise_to(&with_sidecars);
        }
    }
    sum.raise_to(&most);
    let whole = Amounts::read(pod.at(&["spec", "resources", which]));
    for (name, quantity) in whole.0 {
        sum.set(name, quantity);
    }
    sum
}
