//! What workloads use, as a script says: what a metrics server would measure of them (R-CTL-23).
//!
//! Nothing is measured in a simulated cluster; whoever runs one says what is. What an autoscaler
//! makes of it is `autoscaler`'s.

use std::collections::BTreeMap;

use crate::object::quantity::Quantity;

/// One workload: kind in lower case (`deployment`), namespace, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measured {
    /// The kind in lower case.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What is measured of one metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Each pod uses so many percent of what it requests.
    Percent(i64),
    /// Each pod uses so much, or an object or outside metric is so great.
    Each(Quantity),
    /// The pods use so much together, each its share.
    Together(Quantity),
}

/// Readings by name (`cpu`, `memory`, or whatever a metric is called) of each workload. A workload
/// without readings has no metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(BTreeMap<Measured, BTreeMap<String, Reading>>);

impl Metrics {
    /// From now on `metric` of a workload reads so; with `None` it is not measured any more.
    pub fn set(&mut self, of: Measured, metric: &str, reading: Option<Reading>) {
        let readings = self.0.entry(of).or_default();
        match reading {
            Some(reading) => readings.insert(metric.to_owned(), reading),
            None => readings.remove(metric),
        };
    }

    /// What is read of a workload.
    #[must_use]
    pub fn of(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<&BTreeMap<String, Reading>> {
        let kind = kind.to_lowercase();
        let of = Measured { kind, namespace: namespace.to_owned(), name: name.to_owned() };
        self.0.get(&of)
    }
}
