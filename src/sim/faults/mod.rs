//! Faults of the API between a client and the server: a decorator of the transport.
//!
//! [`Faults`] holds rules and says of each request what befalls it; that is all a transport of
//! any kind needs. [`step`] is the decorator of the simulated cluster: [`World::step`] with the
//! same shape, in which requests of one client meet the rules. Ends of watches and compaction
//! are the world's own ([`World::end_watches`], [`World::compact`]).
//!
//! Not here: who says which faults there are (`lab`), and what a client makes of them.

mod broken;
mod rule;

use std::sync::Arc;

use crate::api::{Input, Response};
use crate::base::Time;
use crate::sim::world::{Handled, Outbox, Signal, What, World};

pub use rule::{Answer, Fate, Faults, Rule, VerbWord};

/// Takes a signal that is due, as [`World::step`] does; requests of `client` meet the rules. The
/// answer that a fault gave is told with what happened.
pub fn step(
    faults: &mut Faults,
    world: &mut World,
    client: u32,
    now: Time,
    signal: Signal,
) -> (Outbox, Option<Answer>) {
    let met = match &signal.what {
        What::Arrive { request, .. } if signal.client == client => faults.meet(request),
        _ => None,
    };
    let Some(Fate { answer, response, reaches }) = met else {
        return (faults.pass(world, now, signal), None);
    };
    if reaches {
        let mut out = faults.pass(world, now, signal);
        replace_answer(&mut out, response);
        return (out, Some(answer));
    }
    let mut out = Outbox::default();
    if let What::Arrive { id, request } = signal.what {
        world.answer_for(now, (signal.client, id), request, response, &mut out);
    }
    (out, Some(answer))
}

/// The request was carried out, and its client hears of something else.
fn replace_answer(out: &mut Outbox, response: Response) {
    let Some(Handled { client, id, code, response: told, .. }) = &mut out.handled else { return };
    *code = response.code;
    *told = Arc::new(response);
    for (_, signal) in &mut out.later {
        if let What::Hear(Input::Answer { id: answered, response }) = &mut signal.what
            && signal.client == *client
            && answered == id
        {
            *response = Arc::clone(told);
        }
    }
}

#[cfg(test)]
mod tests;
