//! What keeps an autoscaler from following its metrics at once: the bounds, how fast it may grow
//! and shrink, and for how long the most careful recommendation counts (R-CTL-23).

use std::time::Duration;

use super::Autoscaling;
use super::history::{History, within};
use crate::base::Time;
use crate::object::{Object, Value};

/// One decision.
#[derive(Clone, Copy)]
pub(super) struct Calm<'a> {
    pub(super) now: Time,
    pub(super) scaler: &'a Object,
    pub(super) current: i64,
    pub(super) least: i64,
    pub(super) most: i64,
}

/// Type, status, reason and message of a condition.
type Told = (&'static str, &'static str, &'static str, &'static str);

/// How many replicas there are to be, and the two conditions that say why.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) replicas: i64,
    pub(super) conditions: [Told; 2],
}

/// Why a number is not the one that was wanted.
type Why = (&'static str, &'static str);

const WITHIN: Why = ("DesiredWithinRange", "the desired count is within the acceptable range");
const TOO_FEW: Why =
    ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const TOO_MANY: Why =
    ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FAST_UP: Why =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const TOO_FAST_DOWN: Why = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
);
const STEADY_UP: Why = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const STEADY_DOWN: Why = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);

impl Calm<'_> {
    /// Holds `wanted` back, and notes it.
    pub(super) fn hold(&self, settings: &Autoscaling, history: &mut History, wanted: i64) -> Held {
        let behavior = self.scaler.at(&["spec", "behavior"]).filter(|b| b.is_object());
        let (steady, why_steady) = match behavior {
            None => self.steady_down(settings.downscale_window, history, wanted),
            Some(behavior) => self.steady(behavior, settings, history, wanted),
        };
        let (replicas, why) = match behavior {
            None => self.bounded(steady),
            Some(behavior) => self.bounded_by_policies(behavior, history, steady),
        };
        let able = if steady == wanted {
            ("ReadyForNewScale", "recommended size matches current size")
        } else {
            why_steady
        };
        let limited = if replicas == steady { "False" } else { "True" };
        let conditions =
            [("AbleToScale", "True", able.0, able.1), ("ScalingLimited", limited, why.0, why.1)];
        Held { replicas, conditions }
    }

    /// The greatest recommendation of the window.
    fn steady_down(&self, window: Duration, history: &mut History, wanted: i64) -> (i64, Why) {
        let since = self.now - window;
        let recent = history.recommended.iter().filter(|dated| dated.at >= since);
        let steady = recent.map(|dated| dated.replicas).chain([wanted]).max().unwrap_or(wanted);
        history.recommend(self.now, wanted, since);
        (steady, STEADY_DOWN)
    }

    /// No more than the least of one window, no fewer than the greatest of another.
    fn steady(
        &self,
        behavior: &Value,
        settings: &Autoscaling,
        history: &mut History,
        wanted: i64,
    ) -> (i64, Why) {
        let window = |rules: &str, usual: Duration| {
            let seconds = behavior[rules]["stabilizationWindowSeconds"].as_u64();
            self.now - seconds.map_or(usual, Duration::from_secs)
        };
        let up = window("scaleUp", Duration::ZERO);
        let down = window("scaleDown", settings.downscale_window);
        let since = |from: Time| history.recommended.iter().filter(move |dated| dated.at > from);
        let lowest = since(up).map(|d| d.replicas).chain([wanted]).min().unwrap_or(wanted);
        let highest = since(down).map(|d| d.replicas).chain([wanted]).max().unwrap_or(wanted);
        let steady = self.current.max(lowest).min(highest);
        history.recommend(self.now, wanted, up.min(down));
        (steady, if wanted >= self.current { STEADY_UP } else { STEADY_DOWN })
    }

    /// Within the bounds, and at most doubled at once (but four are always allowed).
    fn bounded(&self, wanted: i64) -> (i64, Why) {
        let fast = (2 * self.current).max(4);
        let (most, why) =
            if self.most > fast { (fast, TOO_FAST_UP) } else { (self.most, TOO_MANY) };
        if wanted < self.least {
            (self.least, TOO_FEW)
        } else if wanted > most {
            (most, why)
        } else {
            (wanted, WITHIN)
        }
    }

    fn bounded_by_policies(&self, behavior: &Value, history: &History, wanted: i64) -> (i64, Why) {
        if wanted > self.current {
            let fast = self.up_to(&behavior["scaleUp"], history).max(self.current);
            let slow = self.most > fast;
            let (most, why) = if slow { (fast, TOO_FAST_UP) } else { (self.most, TOO_MANY) };
            if wanted > most {
                return (most, why);
            }
        } else if wanted < self.current {
            let fast = self.down_to(&behavior["scaleDown"], history).min(self.current);
            let slow = self.least < fast;
            let (least, why) = if slow { (fast, TOO_FAST_DOWN) } else { (self.least, TOO_FEW) };
            if wanted < least {
                return (least, why);
            }
        }
        (wanted, WITHIN)
    }

    /// How many there were at the beginning of a policy's period.
    fn at_start(&self, policy: &Value, history: &History) -> i64 {
        let span = Duration::from_secs(policy["periodSeconds"].as_u64().unwrap_or(0));
        let added = within(&history.added, self.now, span);
        self.current - added + within(&history.removed, self.now, span)
    }

    #[expect(clippy::cast_possible_truncation, reason = "replica counts are small")]
    fn up_to(&self, rules: &Value, history: &History) -> i64 {
        let proposed = policies(rules).map(|policy| {
            let (start, amount) = (self.at_start(policy, history), amount(policy));
            if policy["type"] == "Pods" {
                start + amount
            } else {
                // Rounded up, or it would never grow from one.
                (float(start) * (1.0 + float(amount) / 100.0)).ceil() as i64
            }
        });
        match rules["selectPolicy"].as_str() {
            Some("Disabled") => self.current,
            Some("Min") => proposed.min().unwrap_or(i64::MAX),
            _ => proposed.max().unwrap_or(i64::MAX),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "replica counts are small")]
    fn down_to(&self, rules: &Value, history: &History) -> i64 {
        let proposed = policies(rules).map(|policy| {
            let (start, amount) = (self.at_start(policy, history), amount(policy));
            if policy["type"] == "Pods" {
                start - amount
            } else {
                (float(start) * (1.0 - float(amount) / 100.0)).trunc() as i64
            }
        });
        match rules["selectPolicy"].as_str() {
            Some("Disabled") => self.current,
            Some("Min") => proposed.max().unwrap_or(0),
            _ => proposed.min().unwrap_or(0),
        }
    }
}

fn policies(rules: &Value) -> impl Iterator<Item = &Value> {
    rules["policies"].as_array().into_iter().flatten()
}

fn amount(policy: &Value) -> i64 {
    policy["value"].as_i64().unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "replica counts are small")]
pub(super) fn float(n: i64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    /// `current` of 1 to 10, `wanted` a minute after nothing else happened.
    fn held(behavior: Value, current: i64, wanted: i64) -> (i64, &'static str) {
        let mut scaler = json!({"kind": "HorizontalPodAutoscaler", "spec": {}});
        if !behavior.is_null() {
            scaler["spec"]["behavior"] = behavior;
        }
        let scaler = Object::from_value(scaler).unwrap();
        let now = Time::VIRTUAL_START;
        let calm = Calm { now, scaler: &scaler, current, least: 1, most: 10 };
        let settings = Autoscaling::default();
        let held = calm.hold(&settings, &mut History::default(), wanted);
        (held.replicas, held.conditions[1].2)
    }

    #[test]
    fn bounds_and_speeds_hold_it_back() {
        assert_eq!(held(Value::Null, 1, 9), (4, "ScaleUpLimit"));
        assert_eq!(held(Value::Null, 5, 9), (9, "DesiredWithinRange"));
        assert_eq!(held(Value::Null, 6, 99), (10, "TooManyReplicas"));
        assert_eq!(held(Value::Null, 6, 0), (1, "TooFewReplicas"));
        let rules = |rules: Value| json!({"scaleUp": rules, "scaleDown": rules});
        let both = json!([{"type": "Pods", "value": 2, "periodSeconds": 60},
            {"type": "Percent", "value": 50, "periodSeconds": 60}]);
        let greatest = rules(json!({"policies": both}));
        assert_eq!(held(greatest.clone(), 6, 10), (9, "ScaleUpLimit"));
        assert_eq!(held(greatest, 6, 1), (3, "ScaleDownLimit"));
        let least = rules(json!({"policies": both, "selectPolicy": "Min"}));
        assert_eq!(held(least.clone(), 6, 10), (8, "ScaleUpLimit"));
        assert_eq!(held(least, 6, 1), (4, "ScaleDownLimit"));
        let off = rules(json!({"policies": both, "selectPolicy": "Disabled"}));
        assert_eq!(held(off.clone(), 6, 10), (6, "ScaleUpLimit"));
        assert_eq!(held(off, 6, 1), (6, "ScaleDownLimit"));
    }
}
