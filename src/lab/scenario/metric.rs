//! What is measured of workloads in a scenario: by workload and metric, for the autoscalers
//! (`sim::controllers::metrics`).

use super::model::ObjectRef;
use crate::object::quantity::Quantity;
use crate::sim::controllers::{Measured, Reading};

/// What a message says of a reading.
pub(super) const EXPECTED: &str = "a percentage of what is requested, an amount for each pod, or an amount in all, as in 80%, \
     200m or \"2 in all\", or none";

/// One metric of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRule {
    /// The workload.
    pub object: ObjectRef,
    /// The metric's name, as the autoscaler has it.
    pub metric: String,
    /// What is read from now on; `None`: it is not measured.
    pub reading: Option<Reading>,
}

impl MetricRule {
    /// The workload as the controllers know it.
    #[must_use]
    pub fn measured(&self) -> Measured {
        let namespace = self.object.namespace.clone().unwrap_or_else(|| "default".to_owned());
        Measured { kind: self.object.kind.clone(), namespace, name: self.object.name.clone() }
    }

    /// On one line.
    pub(super) fn summary(&self) -> String {
        format!("{} {}: {}", self.object, self.metric, written(self.reading.as_ref()))
    }
}

/// Reads a reading; `None` where the text is none.
pub(super) fn reading(text: &str) -> Option<Option<Reading>> {
    if text == "none" {
        return Some(None);
    }
    let amount = |text: &str| Quantity::parse(text.trim()).ok();
    Some(Some(match (text.strip_suffix('%'), text.strip_suffix(" in all")) {
        (Some(percent), _) => Reading::Percent(percent.trim().parse().ok()?),
        (_, Some(all)) => Reading::Together(amount(all)?),
        _ => Reading::Each(amount(text)?),
    }))
}

/// A reading as it is written.
pub(super) fn written(reading: Option<&Reading>) -> String {
    match reading {
        None => "none".to_owned(),
        Some(Reading::Percent(percent)) => format!("{percent}%"),
        Some(Reading::Each(amount)) => amount.to_string(),
        Some(Reading::Together(amount)) => format!("{amount} in all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_read_and_written() {
        for text in ["80%", "200m", "300Mi in all", "50", "none"] {
            let read = reading(text).expect(text);
            assert_eq!(written(read.as_ref()), text);
        }
        for text in ["", "much", "80 %x", "all"] {
            assert_eq!(reading(text), None, "{text}");
        }
    }
}
