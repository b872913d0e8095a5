//! What the store promises, told on small objects.

use super::*;
use crate::api::EventKind;
use crate::object::{LabelSelector, json};

fn things() -> Resource {
    Resource { group: "".into(), plural: "things".into() }
}

fn thing(name: &str, label: &str) -> Object {
    Object::from_value(json!({"metadata": {"name": name, "labels": {"l": label}}})).unwrap()
}

fn put(store: &mut Store, name: &str, label: &str) -> u64 {
    store.put(&things(), Key::new("ns", name), thing(name, label)).revision()
}

fn watch(filter: Filter) -> Watch {
    Watch {
        client: 1,
        id: 2,
        filter,
        bookmarks: false,
        until: None,
        api_version: "v1".into(),
        kind: "Thing".into(),
    }
}

fn told(store: &mut Store) -> Vec<(EventKind, String, u64)> {
    let told = store.take_deliveries();
    told.iter()
        .map(|d| (d.event.kind, d.event.object.name().to_owned(), d.event.object.revision()))
        .collect()
}

#[test]
fn a_write_that_changes_nothing_is_not_committed() {
    let mut store = Store::default();
    let first = put(&mut store, "a", "1");
    assert_eq!(put(&mut store, "a", "1"), first);
    assert_eq!(store.revision(), first);
    assert_eq!(put(&mut store, "a", "2"), first + 1);
}

#[test]
fn a_watch_with_a_selector_hears_what_enters_and_leaves() {
    let mut store = Store::default();
    put(&mut store, "a", "1");
    let labels = LabelSelector::parse("l=1").unwrap();
    let filter = Filter { labels, ..Filter::default() };
    store.watch(&things(), watch(filter), Since::Now).unwrap();
    put(&mut store, "b", "2");
    put(&mut store, "b", "1");
    put(&mut store, "a", "2");
    store.remove(&things(), Key::new("ns", "b"));
    let told = told(&mut store);
    let expected = [
        (EventKind::Added, "a".to_owned(), 1),
        (EventKind::Added, "b".to_owned(), 3),
        (EventKind::Deleted, "a".to_owned(), 4),
        (EventKind::Deleted, "b".to_owned(), 5),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_watch_from_the_past_hears_each_event_once() {
    let mut store = Store::default();
    put(&mut store, "a", "1");
    put(&mut store, "b", "1");
    store.watch(&things(), watch(Filter::default()), Since::Revision(1)).unwrap();
    put(&mut store, "c", "1");
    let told = told(&mut store);
    assert_eq!(told.iter().map(|t| t.2).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn pages_of_a_list_are_of_one_revision() {
    let mut store = Store::default();
    for name in ["a", "b", "c"] {
        put(&mut store, name, "1");
    }
    let at = Some(store.revision());
    let all = Filter::default();
    let first = store.list(&things(), &all, at, None, 2).unwrap();
    assert_eq!((first.items.len(), first.remaining), (2, 1));
    put(&mut store, "d", "1");
    put(&mut store, "c", "2");
    let second = store.list(&things(), &all, at, first.next.as_ref(), 2).unwrap();
    assert_eq!(second.items.iter().map(|o| o.revision()).collect::<Vec<_>>(), [3]);
    assert!(second.next.is_none());
}

/// R-STO-33.
#[test]
fn what_is_compacted_can_be_neither_listed_nor_watched() {
    let mut store = Store::default();
    put(&mut store, "a", "1");
    put(&mut store, "a", "2");
    store.compact(2);
    assert!(store.list(&things(), &Filter::default(), Some(1), None, 0).is_err());
    assert!(store.watch(&things(), watch(Filter::default()), Since::Revision(1)).is_err());
    assert!(store.watch(&things(), watch(Filter::default()), Since::Revision(2)).is_ok());
}

#[test]
fn the_past_reads_as_it_was() {
    let mut store = Store::default();
    let writes = 30;
    for write in 0..writes {
        put(&mut store, ["a", "b"][usize::from(write % 2 == 1)], &write.to_string());
    }
    store.remove(&things(), Key::new("ns", "a"));
    let all = Filter::default();
    for at in 2..writes {
        let page = store.list(&things(), &all, Some(at), None, 0).unwrap();
        let labels: Vec<_> = page.items.iter().map(|o| o.label("l").unwrap()).collect();
        let [last, before] = [at - 1, at - 2].map(|write| write.to_string());
        let expected = if at % 2 == 1 { [&last, &before] } else { [&before, &last] };
        assert_eq!(labels, expected, "{at}");
    }
    store.watch(&things(), watch(Filter::default()), Since::Revision(1)).unwrap();
    let told: Vec<_> = store
        .take_deliveries()
        .iter()
        .map(|d| (d.event.object.label("l").unwrap().to_owned(), d.event.object.revision()))
        .collect();
    let modified = (1..writes).map(|write| (write.to_string(), write + 1));
    let removed = ((writes - 2).to_string(), writes + 1);
    assert_eq!(told, modified.chain([removed]).collect::<Vec<_>>());
}
