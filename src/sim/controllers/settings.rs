//! What the controllers are told of the cluster that they work in: which of them work, whose
//! certificate they hand out, how the cloud behaves. They do not find these out by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::autoscaler::Autoscaling;
use super::metrics::Metrics;
use super::plan::Controller;

/// See the file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Those that work.
    pub controllers: BTreeSet<Controller>,
    /// `ca.crt` of the ConfigMap that each namespace gets, as PEM (R-CTL-27).
    pub root_ca: Arc<str>,
    /// How long the cloud takes to give a load balancer or an Ingress its address; `None` where
    /// there is no cloud, and both wait for ever (R-CTL-21).
    pub exposed_after: Option<Duration>,
    /// How long a node may be silent; `None` where nobody asks (R-CTL-30).
    pub node_grace: Option<NodeGrace>,
    /// How autoscalers work.
    pub autoscaling: Autoscaling,
    /// What is measured of workloads; nothing unless somebody says so.
    pub metrics: Metrics,
}

/// How long a node may be silent before it counts as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeGrace {
    /// A node that said something (`--node-monitor-grace-period`).
    pub usual: Duration,
    /// One that never did (`--node-startup-grace-period`).
    pub at_first: Duration,
}

impl NodeGrace {
    /// Upstream's figures of 1.36.
    pub const UPSTREAM: Self =
        Self { usual: Duration::from_secs(50), at_first: Duration::from_secs(60) };
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            controllers: Controller::ALL.into(),
            root_ca: "".into(),
            exposed_after: Some(Duration::from_secs(2)),
            node_grace: Some(NodeGrace::UPSTREAM),
            autoscaling: Autoscaling::default(),
            metrics: Metrics::default(),
        }
    }
}

impl Settings {
    /// The same with only the controllers of these names, as `--controllers` has them: `*` for
    /// all, `-name` for all but that one.
    ///
    /// # Errors
    /// The word that names no controller.
    pub fn only<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        self.controllers.clear();
        for name in names {
            let (is_out, bare) = name.strip_prefix('-').map_or((false, name), |bare| (true, bare));
            if name == "*" {
                self.controllers.extend(Controller::ALL);
                continue;
            }
            let named = Controller::ALL.into_iter().filter(|c| c.name() == bare);
            let named: Vec<_> = named.collect();
            if named.is_empty() {
                return Err(name);
            }
            for controller in named {
                if is_out {
                    self.controllers.remove(&controller);
                } else {
                    self.controllers.insert(controller);
                }
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_named_taken_out_and_refused() {
        let only = |names: &[&'static str]| {
            Settings::default().only(names.iter().copied()).map(|s| s.controllers.len())
        };
        let all = Controller::ALL.len();
        assert_eq!(only(&["*"]), Ok(all));
        assert_eq!(only(&["cronjob-controller"]), Ok(1));
        assert_eq!(only(&["*", "-cronjob-controller"]), Ok(all - 1));
        assert_eq!(only(&["jobs"]), Err("jobs"));
    }
}
