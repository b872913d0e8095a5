//! What goes wrong in a cluster on demand: answers that the server did not give, watches that
//! end, history that is gone. When it does is `sim::faults`' and its owner's.

use std::sync::Arc;

use super::{Handled, Outbox, Signal, What, World};
use crate::api::{self, Request, Response};
use crate::base::Time;

impl World {
    /// Answers a request of a client in the server's place: it never arrives there.
    pub fn answer_for(
        &mut self,
        now: Time,
        (client, id): (u32, u64),
        request: Box<Request>,
        response: Response,
        out: &mut Outbox,
    ) {
        let response = Arc::new(response);
        let answered_at = now + self.profile.api.draw(&mut self.rng);
        let input = api::Input::Answer { id, response: Arc::clone(&response) };
        out.later.push((answered_at, Signal { client, what: What::Hear(input) }));
        let code = response.code;
        out.handled = Some(Handled { client, id, request, code, response, wrote: false });
    }

    /// Ends every open watch of a client; it hears of that, and may open them anew.
    pub fn end_watches(&mut self, now: Time, client: u32, out: &mut Outbox) {
        let ended = self.server.end_watches(client);
        self.end(now, ended, out);
    }

    /// Forgets all history, as etcd does every few minutes: a watch that is resumed from before is
    /// told 410.
    pub fn compact(&mut self) {
        let revision = self.server.revision();
        self.server.compact(revision);
    }
}
