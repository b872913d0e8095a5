//! `Accept`: what a client takes, in the order of its liking, and the first of it that there is
//! (R-HTTP-04, R-HTTP-16).
//!
//! A clause may ask for another form of the answer by `as`, `g` and `v`; a clause whose form an
//! endpoint does not have is passed over.

/// Plain JSON.
pub(in crate::sim::rest) const JSON: &str = "application/json";
/// YAML.
pub(in crate::sim::rest) const YAML: &str = "application/yaml";

/// What a clause comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sim::rest) struct Form {
    /// One of the types on offer.
    pub(in crate::sim::rest) media_type: &'static str,
    /// `as`: the kind to answer with, empty for the usual one.
    pub(in crate::sim::rest) kind: String,
    /// `g`: its group.
    pub(in crate::sim::rest) group: String,
    /// `v`: its version.
    pub(in crate::sim::rest) version: String,
}

/// A clause: type and subtype, quality in thousandths, other parameters.
struct Clause<'a> {
    range: (&'a str, &'a str),
    quality: u32,
    parameters: Vec<(&'a str, &'a str)>,
}

/// The first type on offer that is taken in its usual form.
pub(in crate::sim::rest) fn choose(accept: &str, offered: &[&'static str]) -> Option<Form> {
    choose_with(accept, offered, |form| {
        form.kind.is_empty() && form.group.is_empty() && form.version.is_empty()
    })
}

/// The first clause that can be met by a type on offer, in a form that the endpoint has. No
/// `Accept` at all takes the first.
pub(in crate::sim::rest) fn choose_with(
    accept: &str,
    offered: &[&'static str],
    has: impl Fn(&Form) -> bool,
) -> Option<Form> {
    if accept.trim().is_empty() {
        return offered.first().map(|first| Form { media_type: first, ..Form::default() });
    }
    let clauses = clauses(accept);
    let forms = clauses.iter().flat_map(|clause| offered.iter().filter_map(|t| form(clause, t)));
    forms.into_iter().find(|form| has(form))
}

/// What a clause asks for, if the type fits it and it asks for nothing that no server has.
fn form(clause: &Clause, offered: &'static str) -> Option<Form> {
    let (kind, subtype) = offered.split_once('/')?;
    let fits = match clause.range {
        ("*", "*") => true,
        (k, "*") => k == kind,
        (k, s) => k == kind && s == subtype,
    };
    let mut form = Form { media_type: offered, ..Form::default() };
    for (name, value) in &clause.parameters {
        match *name {
            "as" => (*value).clone_into(&mut form.kind),
            "g" => (*value).clone_into(&mut form.group),
            "v" => (*value).clone_into(&mut form.version),
            "sv" if !value.is_empty() => return None,
            "stream" if !matches!(*value, "" | "watch") => return None,
            _ => {}
        }
    }
    fits.then_some(form)
}

/// The clauses, best first: by quality, then `*/*` and `x/*` behind what is named.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<Clause> = accept.split(',').filter_map(clause).collect();
    let vague = |range: (&str, &str)| u32::from(range.0 == "*") + u32::from(range.1 == "*");
    clauses.sort_by_key(|clause| (1000 - clause.quality, vague(clause.range)));
    clauses
}

fn clause(text: &str) -> Option<Clause<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let range = match parts.next()?.split_once('/') {
        Some((kind, subtype)) => (kind.trim(), subtype.trim()),
        None if text.trim() == "*" => ("*", "*"),
        None => return None,
    };
    let mut clause = Clause { range, quality: 1000, parameters: Vec::new() };
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let (name, value) = (name.trim(), value.trim().trim_matches('"'));
        if name == "q" {
            let quality: f64 = value.parse().unwrap_or(1.0);
            clause.quality = (quality.clamp(0.0, 1.0) * 1000.0) as u32;
        } else {
            clause.parameters.push((name, value));
        }
    }
    Some(clause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &str, expect: Option<&str>) {
        let found = choose(accept, &[JSON, YAML]);
        assert_eq!(found.map(|form| form.media_type), expect, "{accept:?}");
    }

    #[test]
    fn the_first_clause_that_can_be_met_decides() {
        check("", Some(JSON));
        check("*/*", Some(JSON));
        check("application/*", Some(JSON));
        check("application/yaml", Some(YAML));
        check("application/vnd.kubernetes.protobuf, */*;q=0.8", Some(JSON));
        check("application/json;q=0.1, application/yaml", Some(YAML));
        check("*/*, application/yaml", Some(YAML));
        check("application/json;as=Table;v=v1;g=meta.k8s.io", None);
        check("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Some(JSON));
        check("text/xml", None);
        check("nonsense", None);
    }
}
