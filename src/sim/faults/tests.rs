//! Which requests meet a fault, and with what answer.

use super::*;
use crate::api::{Payload, Reason, Request};
use crate::base::{Profile, Rng};
use crate::object::{Gvr, Object, json};
use crate::sim::pods::Images;
use crate::sim::rest::Server;
use crate::sim::world::{FIRST_FOREIGN, Parts};

const MAPS: Gvr = Gvr::new("", "v1", "configmaps");
const NOW: Time = Time::VIRTUAL_START;

fn rule(answer: Answer) -> Rule {
    Rule { verb: None, resource: None, skip: 0, count: 1, answer }
}

fn create(name: &str) -> Request {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    Request::create(MAPS, "default", Object::from_value(object).unwrap())
}

/// The codes of these requests under these rules; 0 for one that no fault met.
fn codes(rules: &[Rule], requests: &[Request]) -> Vec<u16> {
    let mut faults = Faults::default();
    rules.iter().cloned().for_each(|rule| faults.add(rule));
    let code = |request: &Request| faults.meet(request).map_or(0, |fate| fate.response.code);
    requests.iter().map(code).collect()
}

#[test]
fn a_rule_is_for_its_verb_and_kind_and_for_so_many() {
    let list = || Request::list(MAPS, "");
    let writes = [create("a"), list(), create("b"), create("c"), create("d")];
    let check = |rule: Rule, want: [u16; 5]| assert_eq!(codes(&[rule], &writes), want);
    check(rule(Answer::InternalError), [500, 0, 0, 0, 0]);
    check(Rule { skip: 1, count: 2, ..rule(Answer::Conflict) }, [0, 0, 409, 409, 0]);
    check(Rule { verb: Some(VerbWord::List), ..rule(Answer::Unavailable) }, [0, 503, 0, 0, 0]);
    check(Rule { verb: Some(VerbWord::Patch), ..rule(Answer::Timeout) }, [0; 5]);
    let pods = Some(Gvr::new("", "v1", "pods"));
    check(Rule { resource: pods, ..rule(Answer::TooManyRequests) }, [0; 5]);
    let maps = Some(Gvr::new("", "v2", "configmaps"));
    check(Rule { resource: maps, ..rule(Answer::TooManyRequests) }, [429, 0, 0, 0, 0]);
}

#[test]
fn of_two_rules_the_first_answers_and_both_count() {
    let late = Rule { skip: 1, ..rule(Answer::Conflict) };
    let requests = [create("a"), create("b"), create("c")];
    assert_eq!(codes(&[rule(Answer::Timeout), late], &requests), [504, 409, 0]);
}

/// What the client of a create hears where a fault answers (R-FLT-01, R-FLT-02, R-FLT-04).
#[test]
fn each_answer_is_told_as_a_server_tells_it() {
    let check = |answer: Answer, code: u16, reason: Reason, text: &str, seconds: u32| {
        let mut faults = Faults::default();
        faults.add(rule(answer));
        let fate = faults.meet(&create("a")).unwrap();
        let Payload::Status(status) = &fate.response.payload else { panic!("{answer:?}") };
        assert_eq!((status.code, status.reason), (code, reason), "{answer:?}");
        assert!(status.message.contains(text), "{answer:?}: {}", status.message);
        let again = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        assert_eq!(again, seconds, "{answer:?}");
    };
    let modified = "the object has been modified; please apply your changes";
    check(Answer::Conflict, 409, Reason::Conflict, modified, 0);
    let later = "Too many requests, please try again later.";
    check(Answer::TooManyRequests, 429, Reason::TooManyRequests, later, 1);
    check(Answer::InternalError, 500, Reason::InternalError, "Internal error occurred: ", 0);
    check(Answer::Unavailable, 503, Reason::ServiceUnavailable, "currently unable", 0);
    check(Answer::Timeout, 504, Reason::Timeout, "Timeout: request did not complete", 0);
}

/// R-FLT-03: who hears a failure of a write that was done, and sends it again, finds it there.
#[test]
fn a_create_that_is_sent_again_after_it_was_done_finds_itself() {
    let seed = Rng::new(1);
    let server = Server::new(&seed);
    let mut world = World::with(Parts::NONE, server, &seed, &Profile::instant(), Images::new());
    let mut faults = Faults::default();
    faults.add(rule(Answer::TimeoutAfterCommit));
    let mut code = |id: u64| {
        let what = What::Arrive { id, request: Box::new(create("a")) };
        let signal = Signal { client: FIRST_FOREIGN, what };
        step(&mut faults, &mut world, FIRST_FOREIGN, NOW, signal).0.handled.unwrap().code
    };
    assert_eq!((code(1), code(2)), (504, 409));
}

/// R-FLT-05.
#[test]
fn a_write_with_an_answer_before_commit_is_not_there_and_with_one_after_commit_is() {
    let check = |answer: Answer, is_there: bool| {
        let seed = Rng::new(1);
        let parts = Parts::NONE;
        let server = Server::new(&seed);
        let mut world = World::with(parts, server, &seed, &Profile::instant(), Images::new());
        let mut faults = Faults::default();
        faults.add(rule(answer));
        let what = What::Arrive { id: 7, request: Box::new(create("a")) };
        let signal = Signal { client: FIRST_FOREIGN, what };
        let (out, met) = step(&mut faults, &mut world, FIRST_FOREIGN, NOW, signal);
        assert_eq!(met, Some(answer));
        let handled = out.handled.unwrap();
        assert_eq!((handled.code, handled.wrote), (504, is_there), "{answer:?}");
        let heard = out.later.iter().find_map(|(_, signal)| match &signal.what {
            What::Hear(Input::Answer { id: 7, response }) => Some(response),
            _ => None,
        });
        assert!(matches!(heard.unwrap().payload, Payload::Status(_)));
        assert_eq!(world.peek(&MAPS, "default", "a").is_some(), is_there);
        assert!(faults.is_empty());
    };
    check(Answer::Timeout, false);
    check(Answer::TimeoutAfterCommit, true);
}
