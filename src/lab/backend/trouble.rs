//! What a run on a cluster over the wire cannot go on from: rights that are missing, a quota that
//! is used up, a server that is gone. Told in one message; the run ends, and what it made is
//! removed.
//!
//! The engine itself goes on trying, as it should: a quota may be raised. A run has somebody who
//! waits for it.

use crate::api::{Request, Response};
use crate::base::{Time, limits};
use crate::sim::world::FIRST_FOREIGN;

/// What stands in the way, as far as it is known.
#[derive(Debug)]
pub(super) struct Trouble {
    /// The server's address, for messages.
    server: String,
    told: Option<String>,
    unreachable_since: Option<(Time, String)>,
    unfetched_since: Option<(Time, String)>,
}

impl Trouble {
    /// None so far with a server at this address.
    pub(super) fn none(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            told: None,
            unreachable_since: None,
            unfetched_since: None,
        }
    }

    /// The server's address.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Takes note of a reason to stop; the first one counts.
    pub(super) fn tell(&mut self, why: String) {
        self.told.get_or_insert(why);
    }

    /// Looks at an answer; `is_at_home` where the request was about a namespace of the run's own.
    pub(super) fn look(
        &mut self,
        now: Time,
        client: u32,
        request: &Request,
        response: &Response,
        is_at_home: bool,
    ) {
        let message = response.as_status().map_or("", |status| status.message.as_str());
        if is_out_of_reach(response) {
            self.unreachable_since.get_or_insert_with(|| (now, message.to_owned()));
            return;
        }
        self.unreachable_since = None;
        if client >= FIRST_FOREIGN
            && let Some(why) = refusal(request, response.code, message, is_at_home)
        {
            self.tell(format!("{}: {why}", self.server));
        }
    }

    /// Takes note of how a fetch from the Git server ended.
    pub(super) fn fetched(&mut self, now: Time, result: Result<(), &str>) {
        match result {
            Ok(()) => self.unfetched_since = None,
            Err(why) => {
                self.unfetched_since.get_or_insert_with(|| (now, why.to_owned()));
            }
        }
    }

    /// Why the run cannot go on, if it cannot.
    pub(super) fn take(&mut self, now: Time) -> Option<String> {
        if let Some((since, why)) = &self.unreachable_since
            && now.since(*since) > limits::UNREACHABLE
        {
            return Some(format!("{}: {why}", self.server));
        }
        if let Some((since, why)) = &self.unfetched_since
            && now.since(*since) > limits::UNFETCHED
        {
            return Some(format!("nothing can be fetched from the Git server of the run: {why}"));
        }
        self.told.take()
    }
}

/// Whether an answer stands for none: the server cannot be reached, or says nothing.
pub(super) fn is_out_of_reach(response: &Response) -> bool {
    let message = response.as_status().map_or("", |status| status.message.as_str());
    response.code == 503 && message.contains("cannot be reached")
}

/// Why an answer says that nothing will come of this here.
fn refusal(request: &Request, code: u16, message: &str, is_at_home: bool) -> Option<String> {
    if code == 401 {
        return Some("the credentials of the kubeconfig are not taken (401)".to_owned());
    }
    if code != 403 {
        return None;
    }
    let what = format!("{} {}", request.verb.word(), request.resource);
    if message.contains("\" cannot ") {
        return Some(format!("the rights to {what} are missing: {message}"));
    }
    // A quota in a namespace of the run's own came with the repository, and is part of what is tried.
    let is_full = message.contains("exceeded quota") && !is_at_home;
    is_full.then(|| format!("no room to {what}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Reason, Status};
    use crate::object::Gvr;

    #[test]
    fn a_run_ends_where_nothing_will_come_of_it() {
        let check = |code: u16, message: &str, want: Option<&str>| {
            let mut trouble = Trouble::none("https://example");
            let request = Request::list(Gvr::new("", "v1", "pods"), "");
            let response = Response::status(Status::new(code, Reason::Unknown, message));
            let now = Time::VIRTUAL_START;
            trouble.look(now, FIRST_FOREIGN, &request, &response, false);
            let later = now + limits::UNREACHABLE * 2;
            let told = trouble.take(later);
            assert_eq!(told.is_some(), want.is_some(), "{message}: {told:?}");
            if let (Some(told), Some(want)) = (told, want) {
                assert!(told.contains(want), "{told}");
            }
        };
        check(403, "pods is forbidden: User \"dev\" cannot list resource", Some("list pods"));
        check(403, "exceeded quota: team, requested: pods=1, used: pods=1", Some("no room"));
        check(403, "admission webhook \"x\" denied the request", None);
        check(401, "Unauthorized", Some("credentials"));
        check(503, "the API server cannot be reached: refused", Some("refused"));
        check(503, "apiserver is shutting down", None);
        check(404, "not found", None);
    }
    #[test]
    fn a_run_ends_where_nothing_can_be_fetched_for_long() {
        let mut trouble = Trouble::none("https://example");
        let start = Time::VIRTUAL_START;
        let later = start + limits::UNFETCHED * 2;
        trouble.fetched(start, Err("refused"));
        assert_eq!(trouble.take(start), None);
        trouble.fetched(later, Ok(()));
        assert_eq!(trouble.take(later), None);
        trouble.fetched(start, Err("refused"));
        trouble.fetched(later, Err("refused once more"));
        assert!(trouble.take(later).unwrap().ends_with("Git server of the run: refused"));
    }
}
