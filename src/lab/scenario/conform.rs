//! Holds a tree against the grammar, and names all that does not fit.
//!
//! Only the form is looked at; what refers to what is `check`. Where a value does not fit, what
//! is inside it is not looked at: one mistake, one line.

use super::duration;
use super::grammar::{Form, KeyShape, Map, Shape, Variants};
use super::problem::{Findings, did_you_mean, either, nearest};
use super::tree::{Entry, Node, Tree, quote};
use super::{field, metric, words};
use crate::object::Value;

/// Adds to `found` all that keeps `node` from having this shape.
pub(super) fn conform(node: &Node, shape: &Shape, found: &mut Findings) {
    match shape {
        Shape::Any => {}
        Shape::Map(map) => conform_map(node, map, found),
        Shape::Variants(variants) => conform_variants(node, variants, found),
        Shape::Each(keys, values) => conform_each(node, *keys, values, found),
        Shape::List(item) => conform_list(node, item, shape, found),
        Shape::OneOrList(item) => match node.tree {
            Tree::List(_) => conform_list(node, item, shape, found),
            _ => conform(node, item, found),
        },
        Shape::Either(scalar, map) => match node.tree {
            Tree::Map(_) => conform(node, map, found),
            Tree::Scalar(Value::String(_), _) => conform(node, scalar, found),
            // A number may be a duration whose unit was forgotten.
            Tree::Scalar(Value::Number(_), _) if matches!(**scalar, Shape::Duration) => {
                conform(node, scalar, found);
            }
            _ => wrong(node, shape, found),
        },
        Shape::Part if !node.entries().is_empty() => {}
        Shape::Object if !node.entries().is_empty() => conform_object(node, found),
        _ => conform_scalar(node, shape, found),
    }
}

fn wrong(node: &Node, shape: &Shape, found: &mut Findings) {
    found.add(node.at, format!("expected {}, found {}", expected(shape), node.describe()));
}

/// What a message says is expected.
fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::Content => "text".to_owned(),
        Shape::Name => "a name of lower-case letters, digits and dashes".to_owned(),
        Shape::Label => "a label of letters, digits, dots, dashes and underscores".to_owned(),
        Shape::Path => "a path below the repository's root".to_owned(),
        Shape::Rev => "HEAD, HEAD~1, a label, a tag or a commit id".to_owned(),
        Shape::ObjectRef => "an object as kind/namespace/name or kind/name".to_owned(),
        Shape::Whole(from, u64::MAX) => format!("a whole number from {from} on"),
        Shape::Whole(from, to) => format!("a whole number from {from} to {to}"),
        Shape::Flag => "true or false".to_owned(),
        Shape::Yes => "true".to_owned(),
        Shape::Duration => duration::EXPECTED.to_owned(),
        Shape::DurationOr(words) => format!("{} or {}", words.join(", "), duration::EXPECTED),
        Shape::Phrase(word) => format!("{word} and a duration, as in \"{word} 5s\""),
        Shape::Reading => metric::EXPECTED.to_owned(),
        Shape::Word(words) => either(words, "or"),
        Shape::Any => "a value".to_owned(),
        Shape::Part => "a map of fields".to_owned(),
        Shape::Object => "an object with apiVersion, kind and metadata.name".to_owned(),
        Shape::Each(KeyShape::Path, _) => "a map by path".to_owned(),
        Shape::Each(KeyShape::Image | KeyShape::ImagePattern, _) => "a map by image".to_owned(),
        Shape::Each(KeyShape::Url, _) => "a map by URL".to_owned(),
        Shape::Each(KeyShape::Field, _) => "a map by path of fields".to_owned(),
        Shape::Each(KeyShape::Object, _) => "a map by object".to_owned(),
        Shape::Each(KeyShape::Metric, _) => "a map by metric".to_owned(),
        Shape::List(item) => format!("a list ({})", expected(item)),
        Shape::OneOrList(item) => format!("{}, or a list of such", expected(item)),
        Shape::Map(map) => {
            let keys: Vec<_> = map.keys().map(|key| key.word).collect();
            format!("a map with {}", either(&keys, "and"))
        }
        Shape::Variants(variants) => format!("a map with one of {}", heads(variants)),
        Shape::Either(scalar, map) => format!("{}, or {}", expected(scalar), expected(map)),
    }
}

fn heads(variants: &Variants) -> String {
    variants.heads().join(", ")
}

fn conform_map(node: &Node, map: &'static Map, found: &mut Findings) {
    if !matches!(node.tree, Tree::Map(_)) && !node.is_null() {
        return wrong(node, &Shape::Map(map), found);
    }
    for Entry { key, node } in node.entries() {
        match map.key(&key.value) {
            Some(known) => conform(node, &known.shape, found),
            None => found.add(key.at, unknown_key_of(map, &key.value)),
        }
    }
    missing_keys(node, map, found);
}

fn missing_keys(node: &Node, map: &'static Map, found: &mut Findings) {
    for key in map.keys().filter(|key| key.required && node.get(key.word).is_none()) {
        // A misspelt key has been named already; that it is missing is the same mistake.
        let misspelt = |e: &Entry| nearest(&e.key.value, [key.word]).is_some();
        if !node.entries().iter().any(|e| map.key(&e.key.value).is_none() && misspelt(e)) {
            let message = format!("{} needs \"{}\": {}", map.what, key.word, expected(&key.shape));
            found.add(node.at, message);
        }
    }
}

fn unknown_key_of(map: &'static Map, word: &str) -> String {
    let words: Vec<_> = map.keys().map(|key| key.word).collect();
    match inside(map, word) {
        Some(inner) => {
            format!("unknown key \"{word}\" in {}; it belongs inside \"{inner}\"", map.what)
        }
        None => unknown_key(word, map.what, &words),
    }
}

/// The key of a map inside of which `word` is known.
fn inside(map: &'static Map, word: &str) -> Option<&'static str> {
    let knows = |shape: &Shape| matches!(shape, Shape::Map(inner) if inner.key(word).is_some());
    map.keys().find(|key| knows(&key.shape)).map(|key| key.word)
}

fn unknown_key(word: &str, what: &str, known: &[&'static str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("unknown key {} in {what}; did you mean \"{near}\"?", quote(word)),
        None => format!("unknown key {} in {what}; expected {}", quote(word), either(known, "or")),
    }
}

fn conform_variants(node: &Node, variants: &'static Variants, found: &mut Findings) {
    if !matches!(node.tree, Tree::Map(_)) {
        return wrong(node, &Shape::Variants(variants), found);
    }
    let heads_there: Vec<(&Entry, &'static Form)> =
        node.entries().iter().filter_map(|e| Some((e, form_of(variants, &e.key.value)?))).collect();
    let Some(((head, form), others)) = heads_there.split_first() else {
        return no_head(node, variants, found);
    };
    for (other, _) in others {
        let (first, second, what) = (&head.key.value, &other.key.value, variants.what);
        found.add(
            other.key.at,
            format!(
                "\"{second}\" cannot stand beside \"{first}\": {what} has one of {}",
                heads(variants)
            ),
        );
    }
    // The first head counts; keys of the others have been named with them.
    let mut elsewhere: Vec<&str> = Vec::new();
    for (other, other_form) in others {
        elsewhere.push(&other.key.value);
        elsewhere.extend(other_form.words());
    }
    elsewhere.retain(|word| !form.words().contains(word));
    let fitting = without(node, &elsewhere);
    match form {
        Form::Variants(inner) => conform_variants(&fitting, inner, found),
        Form::Map(map) => {
            let strangers = strangers(&fitting, map, variants, &head.key.value, found);
            conform_map(&without(&fitting, &strangers), map, found);
        }
    }
}

fn form_of(variants: &'static Variants, word: &str) -> Option<&'static Form> {
    variants.forms.iter().find(|(head, _)| *head == word).map(|(_, form)| form)
}

/// Names the keys that belong to other forms than the one that `head` chose, and gives them back.
fn strangers<'a>(
    node: &'a Node,
    map: &'static Map,
    variants: &'static Variants,
    head: &str,
    found: &mut Findings,
) -> Vec<&'a str> {
    let known: Vec<&str> = map.keys().map(|key| key.word).collect();
    let anywhere = variants.words();
    let mut strangers = Vec::new();
    for Entry { key, .. } in node.entries() {
        let word = key.value.as_str();
        let is_stranger = !known.contains(&word) && anywhere.contains(&word);
        if is_stranger && inside(map, word).is_none() {
            let expected = either(&known, "or");
            found.add(
                key.at,
                format!("\"{word}\" does not go with \"{head}\"; expected {expected}"),
            );
            strangers.push(word);
        }
    }
    strangers
}

/// The node without some of its keys.
fn without(node: &Node, words: &[&str]) -> Node {
    let mut rest = node.clone();
    if let Tree::Map(entries) = &mut rest.tree {
        entries.retain(|e| !words.contains(&e.key.value.as_str()));
    }
    rest
}

fn no_head(node: &Node, variants: &'static Variants, found: &mut Findings) {
    let words = variants.words();
    let unknown: Vec<_> =
        node.entries().iter().filter(|e| !words.contains(&e.key.value.as_str())).collect();
    for Entry { key, .. } in &unknown {
        found.add(key.at, unknown_key(&key.value, variants.what, &words));
    }
    if !unknown.is_empty() {
        return;
    }
    match variants.otherwise {
        Some(map) if !node.entries().is_empty() => {
            let known: Vec<_> = map.keys().map(|key| key.word).collect();
            let foreign = node.entries().iter().find(|e| !known.contains(&e.key.value.as_str()));
            match foreign {
                Some(Entry { key, .. }) => found.add(
                    key.at,
                    format!("\"{}\" goes with one of {}", key.value, goes_with(variants, key)),
                ),
                None => conform_map(node, map, found),
            }
        }
        _ => {
            let message = format!("{} needs one of {}", variants.what, words_needed(variants));
            found.add(node.at, message);
        }
    }
}

/// The heads of the forms that know a key.
fn goes_with(variants: &'static Variants, key: &super::model::Placed<String>) -> String {
    let knows = |form: &Form| form.words().contains(&key.value.as_str());
    let heads: Vec<_> =
        variants.forms.iter().filter(|(_, form)| knows(form)).map(|(head, _)| *head).collect();
    heads.join(", ")
}

/// What an empty map lacks: a head, or what the form without a head needs or may have.
fn words_needed(variants: &'static Variants) -> String {
    let otherwise = || variants.otherwise.iter().flat_map(|map| map.keys());
    let any_required = otherwise().any(|key| key.required);
    let words = otherwise().filter(|key| key.required || !any_required).map(|key| key.word);
    variants.heads().into_iter().chain(words).collect::<Vec<_>>().join(", ")
}

fn conform_each(node: &Node, keys: KeyShape, values: &'static Shape, found: &mut Findings) {
    let Tree::Map(entries) = &node.tree else {
        return wrong(node, &Shape::Each(keys, values), found);
    };
    for Entry { key, node } in entries {
        let (fits, expected) = match keys {
            KeyShape::Path => (words::is_path(&key.value), "a path below the repository's root"),
            KeyShape::Image => {
                (words::is_image(&key.value), "an image without tag and digest, as in shop/cart")
            }
            KeyShape::ImagePattern => {
                (words::is_image_pattern(&key.value), "an image, as in shop/cart:1.0 or shop/*")
            }
            KeyShape::Url => (words::is_url(&key.value), "a URL"),
            KeyShape::Field => (field::parse(&key.value).is_some(), field::EXPECTED),
            KeyShape::Object => (
                words::object_ref(&key.value, key.at).is_some(),
                "an object as kind/namespace/name or kind/name",
            ),
            KeyShape::Metric => (!key.value.trim().is_empty(), "the name of a metric"),
        };
        if !fits {
            found.add(key.at, format!("expected {expected}, found {}", quote(&key.value)));
        }
        conform(node, values, found);
    }
}

fn conform_list(node: &Node, item: &'static Shape, shape: &Shape, found: &mut Findings) {
    match &node.tree {
        Tree::List(items) if !items.is_empty() => {
            items.iter().for_each(|node| conform(node, item, found));
        }
        _ => wrong(node, shape, found),
    }
}

fn conform_object(node: &Node, found: &mut Findings) {
    let text = |path: &[&str]| {
        let end = path.iter().try_fold(node, |node, key| node.get(key));
        end.and_then(Node::text).is_some_and(|text| !text.is_empty())
    };
    for path in [&["apiVersion"][..], &["kind"], &["metadata", "name"]] {
        if !text(path) {
            found.add(node.at, format!("an object needs \"{}\": text", path.join(".")));
        }
    }
}

fn conform_scalar(node: &Node, shape: &Shape, found: &mut Findings) {
    let fits = match (&node.tree, shape) {
        (Tree::Scalar(Value::String(text), _), _) => text_fits(text, shape),
        (Tree::Scalar(Value::Number(number), _), Shape::Whole(from, to)) => {
            number.as_u64().is_some_and(|n| (*from..=*to).contains(&n))
        }
        (Tree::Scalar(Value::Number(number), _), Shape::Reading) => {
            metric::reading(&number.to_string()).is_some()
        }
        // A code that stands among words may be written as the number that it is.
        (Tree::Scalar(Value::Number(_), written), Shape::Word(words)) => {
            words.contains(&written.as_str())
        }
        (Tree::Scalar(Value::Bool(_), _), Shape::Flag) => true,
        (Tree::Scalar(Value::Bool(yes), _), Shape::Yes) => *yes,
        _ => false,
    };
    if !fits {
        let hint = hint(node, shape);
        found
            .add(node.at, format!("expected {}, found {}{hint}", expected(shape), node.describe()));
    }
}

fn text_fits(text: &str, shape: &Shape) -> bool {
    match shape {
        Shape::Text => !text.trim().is_empty(),
        Shape::Content => true,
        Shape::Name => words::is_name(text),
        Shape::Label => words::is_label(text),
        Shape::Path => words::is_path(text),
        Shape::Rev => words::rev(text, |_| false).is_some(),
        Shape::ObjectRef => words::object_ref(text, super::model::Position::default()).is_some(),
        Shape::Duration => duration::parse(text).is_some(),
        Shape::DurationOr(words) => words.contains(&text) || duration::parse(text).is_some(),
        Shape::Phrase(word) => phrase(text, word).is_some(),
        Shape::Reading => metric::reading(text).is_some(),
        Shape::Word(words) => words.contains(&text),
        _ => false,
    }
}

/// The duration of a phrase such as `after 5s`.
pub(super) fn phrase(text: &str, word: &str) -> Option<std::time::Duration> {
    duration::parse(text.strip_prefix(word)?.strip_prefix(' ')?.trim_start())
}

/// What may have been meant.
fn hint(node: &Node, shape: &Shape) -> String {
    let text = match &node.tree {
        Tree::Scalar(Value::String(text), _) => text.clone(),
        Tree::Scalar(Value::Number(_), written) => return number_hint(written, shape),
        Tree::Scalar(Value::Bool(_), written) => return quotes_hint(written, shape),
        _ => return String::new(),
    };
    match shape {
        Shape::Word(words) => did_you_mean(&text, words.iter().copied()),
        Shape::DurationOr(words) => {
            nearest(&text, words.iter().copied()).map_or_else(|| time_hint(&text), meant)
        }
        Shape::Duration => time_hint(&text),
        Shape::Phrase(word) if duration::parse(&text).is_some() => meant(&format!("{word} {text}")),
        Shape::Name => words::as_name(&text).map(|name| meant(&name)).unwrap_or_default(),
        Shape::ObjectRef => {
            let (kind, rest) = text.split_once('/').unwrap_or((&text, ""));
            let lower = format!("{}/{rest}", kind.to_lowercase());
            let fits = words::object_ref(&lower, super::model::Position::default());
            fits.map(|_| meant(&lower)).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn meant(word: &str) -> String {
    format!("; did you mean \"{word}\"?")
}

fn number_hint(number: &str, shape: &Shape) -> String {
    match shape {
        Shape::Duration | Shape::DurationOr(_) if number.bytes().all(|b| b.is_ascii_digit()) => {
            meant(&format!("{number}s"))
        }
        _ => quotes_hint(number, shape),
    }
}

fn quotes_hint(written: &str, shape: &Shape) -> String {
    let quotable =
        matches!(shape, Shape::Text | Shape::Content | Shape::Name | Shape::Label | Shape::Rev);
    if quotable { format!("; put it in quotes: \"{written}\"") } else { String::new() }
}

/// The same number with the unit that may have been meant.
fn time_hint(text: &str) -> String {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = text[digits.len()..].trim().to_lowercase();
    let unit = match unit.as_str() {
        "" | "sec" | "secs" | "second" | "seconds" => "s",
        "millis" | "msec" | "milliseconds" => "ms",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hour" | "hours" | "hr" | "hrs" => "h",
        "µs" | "usec" | "micros" => "us",
        other if ["us", "ms", "s", "m", "h"].contains(&other) => other,
        _ => return String::new(),
    };
    let time = format!("{digits}{unit}");
    match duration::parse(&time) {
        Some(_) => meant(&time),
        None if time == text => "; the longest is 87600h".to_owned(),
        None => String::new(),
    }
}
