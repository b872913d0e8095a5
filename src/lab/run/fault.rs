//! Lets go wrong what a step says: the engine's watches, the server's history, its answers.

use crate::base::Event;
use crate::lab::backend::Cluster;
use crate::lab::check::object::kind_called;
use crate::lab::scenario::model::{Answers, Fault, Placed};
use crate::sim::faults::{self, Rule};
use crate::sim::world::{Outbox, Signal};

use super::Run;

impl Run<'_> {
    /// Does it, or sees to it that it comes.
    ///
    /// # Errors
    /// The kind is unknown.
    pub(super) fn fault(&mut self, fault: &Fault) -> Result<(), String> {
        match fault {
            Fault::WatchDrop => self.end_watches("all watches end"),
            Fault::Compact => {
                if let Cluster::Memory(world) = &mut self.cluster {
                    world.compact();
                }
                self.end_watches("history is compacted, all watches end");
            }
            Fault::Answers(answers) => self.faults.add(rule(&self.cluster, answers)?),
            Fault::End => {
                self.faults.clear();
                self.writes_left = None;
            }
        }
        Ok(())
    }

    fn end_watches(&mut self, what: &str) {
        let mut out = Outbox::default();
        let client = self.engine_client();
        if let Cluster::Memory(world) = &mut self.cluster {
            world.end_watches(self.now, client, &mut out);
        }
        self.active_at = self.now;
        self.event(Event::Faulted { object: String::new(), what: what.to_owned() });
        self.take_world(out);
    }

    /// Takes a signal to the world; the engine's requests meet the faults that are to come.
    pub(super) fn step_world(&mut self, signal: Signal) {
        let client = self.engine_client();
        // Over the wire there are no faults: a scenario that has some is skipped there.
        let (out, met) = match &mut self.cluster {
            Cluster::Memory(world) => {
                faults::step(&mut self.faults, world, client, self.now, signal)
            }
            Cluster::Wire(wire) => (wire.step(self.now, signal), None),
        };
        if let (Some(answer), Some(handled)) = (met, &out.handled) {
            let what = format!("{} is answered {}", handled.request.verb_name(), answer.word());
            self.event(Event::Faulted { object: handled.object(), what });
        }
        self.take_world(out);
    }
}

fn rule(cluster: &Cluster, answers: &Answers) -> Result<Rule, String> {
    let Answers { answer, verb, kind, skip, count } = answers;
    let called = |kind: &Placed<String>| kind_called(cluster, &kind.value.to_lowercase());
    let kind = kind.as_ref().map(called).transpose()?;
    Ok(Rule {
        verb: *verb,
        resource: kind.map(|kind| kind.gvr.clone()),
        skip: *skip,
        count: *count,
        answer: *answer,
    })
}
