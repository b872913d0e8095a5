//! A server that is wrong on purpose, for `towtank chaos --mutants`: the bugs of the list in
//! `base::bug` that are a server's. Without one every signal goes straight to the world.

use crate::api::{Input, Verb};
use crate::base::{Bug, Time};
use crate::sim::world::{Outbox, Signal, What, World};

use super::Faults;

/// Every so many writes one is lost.
const LOST_EVERY: u32 = 5;

impl Faults {
    /// Takes a signal to the world, and does wrong what is to be done wrong.
    pub(super) fn pass(&mut self, world: &mut World, now: Time, mut signal: Signal) -> Outbox {
        let (Some(bug), false) = (self.bug, World::is_inside(signal.client)) else {
            return world.step(now, signal);
        };
        let What::Arrive { request, id } = &mut signal.what else { return world.step(now, signal) };
        let (client, id) = (signal.client, *id);
        match bug {
            Bug::LosesWrite if request.is_write() && !request.options.dry_run => {
                self.writes += 1;
                let lost = self.writes.is_multiple_of(LOST_EVERY);
                request.options.dry_run = lost;
                let mut out = world.step(now, signal);
                if let Some(handled) = out.handled.as_mut().filter(|_| lost) {
                    handled.request.options.dry_run = false;
                }
                out
            }
            Bug::LosesEvent if request.verb == Verb::Watch => {
                let mut out = world.step(now, signal);
                let is_event = |(_, signal): &(Time, Signal)| {
                    signal.client == client
                        && matches!(&signal.what, What::Hear(Input::Event { id: of, .. }) if *of == id)
                };
                if let Some(first) = out.later.iter().position(is_event) {
                    out.later.remove(first);
                }
                out
            }
            _ => world.step(now, signal),
        }
    }
}
