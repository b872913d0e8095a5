//! The cluster of a run, in memory or over the wire: requests of a client go in, signals come out,
//! objects are read for checks.

use std::sync::Arc;

use crate::api;
use crate::base::Time;
use crate::object::{Gvr, Object};
use crate::sim::controllers::{Measured, Reading};
use crate::sim::pods::Behaviour;
use crate::sim::stages::Stage;
use crate::sim::world::{Outbox, Signal, World};

use super::wire::Wire;

/// The cluster of a run.
pub enum Cluster {
    /// Simulated, in the run's own time: every answer is a signal in the run's queue.
    Memory(Box<World>),
    /// An API server behind HTTP, in real time.
    Wire(Box<Wire>),
}

impl Cluster {
    /// Starts what is in the cluster.
    pub fn start(&mut self, now: Time) -> Outbox {
        match self {
            Self::Memory(world) => world.start(now),
            Self::Wire(wire) => wire.start(now),
        }
    }

    /// Makes sure that a namespace is there, before the run begins, as an administrator would.
    /// Over the wire that is done before the run has its cluster.
    pub fn ensure_namespace(&mut self, now: Time, name: &str) {
        if let Self::Memory(world) = self {
            world.ensure_namespace(now, name);
        }
    }

    /// Sends what a client wants: requests to the cluster, timers to the run's queue.
    pub fn send(&mut self, now: Time, client: u32, wants: api::Outbox, out: &mut Outbox) {
        match self {
            Self::Memory(world) => world.send(now, client, wants, out),
            Self::Wire(wire) => wire.send(now, client, wants, out),
        }
    }

    /// Takes a signal that is due and is addressed to the cluster or to somebody in it.
    pub fn step(&mut self, now: Time, signal: Signal) -> Outbox {
        match self {
            Self::Memory(world) => world.step(now, signal),
            Self::Wire(wire) => wire.step(now, signal),
        }
    }

    /// What images do from now on.
    pub fn set_image(&mut self, now: Time, pattern: &str, behaviour: Behaviour, out: &mut Outbox) {
        match self {
            Self::Memory(world) => world.set_image(now, pattern, behaviour, out),
            Self::Wire(wire) => wire.set_image(now, pattern, behaviour, out),
        }
    }

    /// Does something with the world at the other end, where it is ours.
    fn act<R>(
        &mut self,
        now: Time,
        out: &mut Outbox,
        act: impl FnOnce(&mut World, Time, &mut Outbox) -> R,
    ) -> Option<R> {
        match self {
            Self::Memory(world) => Some(act(world, now, out)),
            Self::Wire(wire) => wire.own.as_ref().map(|own| own.with_world(act)),
        }
    }

    /// What is measured of a workload from now on, where the autoscaler is ours.
    pub fn set_metric(&mut self, now: Time, of: Measured, metric: &str, reading: Option<Reading>) {
        let mut out = Outbox::default();
        self.act(now, &mut out, |world, _, _| world.set_metric(of, metric, reading));
    }

    /// What becomes of objects whose controllers are not there, from now on.
    pub fn add_stages(&mut self, now: Time, stages: Vec<Stage>, out: &mut Outbox) {
        self.act(now, out, |world, now, out| world.add_stages(now, stages, out));
    }

    /// The kubelet of a node falls silent. False where there is no such node, or it is not ours.
    pub fn stop_node(&mut self, now: Time, name: &str, out: &mut Outbox) -> bool {
        self.act(now, out, |world, now, out| world.stop_node(now, name, out)).unwrap_or(false)
    }

    /// A node that was silent, or was deleted, is back. False as above.
    pub fn start_node(&mut self, now: Time, name: &str, out: &mut Outbox) -> bool {
        self.act(now, out, |world, now, out| world.start_node(now, name, out)).unwrap_or(false)
    }

    /// A client went away: its watches are closed, and what is on its way to it is lost.
    pub fn drop_client(&mut self, client: u32) {
        match self {
            Self::Memory(world) => world.drop_client(client),
            Self::Wire(wire) => wire.drop_client(client),
        }
    }

    /// Reads an object without a request of the engine, for checks.
    #[must_use]
    pub fn peek(&self, gvr: &Gvr, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        match self {
            Self::Memory(world) => world.peek(gvr, namespace, name),
            Self::Wire(wire) => wire.peek(gvr, namespace, name),
        }
    }

    /// Every object of a resource, for checks.
    #[must_use]
    pub fn all_of<'a>(&'a self, gvr: &Gvr) -> Box<dyn Iterator<Item = &'a Arc<Object>> + 'a> {
        match self {
            Self::Memory(world) => Box::new(world.all_of(gvr)),
            Self::Wire(wire) => Box::new(wire.all_of(gvr)),
        }
    }

    /// Every object, for checks.
    #[must_use]
    pub fn all(&self) -> Box<dyn Iterator<Item = &Arc<Object>> + '_> {
        match self {
            Self::Memory(world) => Box::new(world.all()),
            Self::Wire(wire) => Box::new(wire.all()),
        }
    }
}
