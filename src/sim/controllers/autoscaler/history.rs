//! What an autoscaler remembers from look to look, in memory as upstream: what was recommended,
//! and by how much it scaled, each with its time (R-CTL-23).

use std::time::Duration;

use crate::base::Time;
use crate::object::{Object, Value, json};

/// A number and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) at: Time,
    pub(super) replicas: i64,
}

/// See the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    pub(super) recommended: Vec<Dated>,
    pub(super) added: Vec<Dated>,
    pub(super) removed: Vec<Dated>,
}

impl History {
    /// As it was kept.
    pub(super) fn read(memory: Option<&Value>) -> Self {
        let list = |name: &str| {
            let entries = memory.and_then(|memory| memory[name].as_array()).into_iter().flatten();
            let read = |entry: &Value| {
                let at = Time::from_micros(entry[0].as_u64()?);
                Some(Dated { at, replicas: entry[1].as_i64()? })
            };
            entries.filter_map(read).collect()
        };
        Self { recommended: list("recommended"), added: list("added"), removed: list("removed") }
    }

    /// To be kept.
    pub(super) fn written(&self) -> Value {
        let list = |all: &[Dated]| -> Value {
            all.iter().map(|dated| json!([dated.at.as_micros(), dated.replicas])).collect()
        };
        json!({"recommended": list(&self.recommended), "added": list(&self.added),
            "removed": list(&self.removed)})
    }

    /// The first look recommends what there is.
    pub(super) fn begin(&mut self, now: Time, replicas: i64) {
        if self.recommended.is_empty() {
            self.recommended.push(Dated { at: now, replicas });
        }
    }

    /// Notes a recommendation, and forgets those from before `needed`.
    pub(super) fn recommend(&mut self, now: Time, replicas: i64, needed: Time) {
        self.recommended.retain(|dated| dated.at >= needed);
        self.recommended.push(Dated { at: now, replicas });
    }

    /// Notes that the workload was scaled. Only policies ask, so without behaviour nobody does.
    pub(super) fn scaled(&mut self, now: Time, scaler: &Object, before: i64, after: i64) {
        let Some(behavior) = scaler.at(&["spec", "behavior"]) else { return };
        let (list, rules) = if after > before {
            (&mut self.added, &behavior["scaleUp"])
        } else {
            (&mut self.removed, &behavior["scaleDown"])
        };
        let longest = rules["policies"].as_array().into_iter().flatten();
        let longest = longest.filter_map(|policy| policy["periodSeconds"].as_u64()).max();
        let needed = now - Duration::from_secs(longest.unwrap_or(0));
        list.retain(|dated| dated.at >= needed);
        list.push(Dated { at: now, replicas: (after - before).abs() });
    }
}

/// The sum of what changed within the last `span`.
pub(super) fn within(list: &[Dated], now: Time, span: Duration) -> i64 {
    let since = now - span;
    list.iter().filter(|dated| dated.at > since).map(|dated| dated.replicas).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_the_old_forgotten() {
        let at = |seconds: u64| Time::VIRTUAL_START + Duration::from_secs(seconds);
        let mut history = History::default();
        history.begin(at(0), 3);
        history.recommend(at(10), 5, at(0));
        history.recommend(at(20), 4, at(5));
        assert_eq!(History::read(Some(&history.written())), history);
        let kept: Vec<i64> = history.recommended.iter().map(|dated| dated.replicas).collect();
        assert_eq!(kept, [5, 4]);
        assert_eq!(within(&history.recommended, at(25), Duration::from_secs(15)), 4);
    }
}
