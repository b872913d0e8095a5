//! Applies, updates and patches against what a real kube-apiserver made of them.
//!
//! `scripts/baseline-fields` recorded the sequences. Each operation is replayed on the object that
//! the real server had before it, so that one disagreement does not lead to the next.

#![expect(clippy::unwrap_used, reason = "a recording that cannot be read fails the test")]

use std::fmt::Write as _;
use std::path::Path;

use towtank::base::Time;
use towtank::fields::{self, Applied, ApplyError, Write};
use towtank::object::fieldset::{Set, items};
use towtank::object::patch;
use towtank::object::path::PathElement;
use towtank::object::quantity::Quantity;
use towtank::object::schema::{
    self, Format, KindInfo, Mode, ProblemKind, Relation, Schema, TypeId, builtin, form,
};
use towtank::object::{Gvk, Object, Value};

/// Operations that may disagree, with the reason. A fixed one must be taken off the list.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "service 11",
    "the Service is no longer a NodePort, and its strategy takes the ports back after the apply",
)];

struct Operation<'a> {
    line: &'a Value,
    kind: &'a KindInfo,
    live: Option<&'a Object>,
    /// The real object afterwards.
    real: Option<&'a Object>,
}

impl Operation<'_> {
    fn text(&self, key: &str) -> &str {
        self.line[key].as_str().unwrap_or_default()
    }

    fn write(&self) -> (String, Time) {
        let list = self.real.map_or(&[][..], |o| o.list(&["metadata", "managedFields"]));
        let last = list.iter().filter_map(|e| e["time"].as_str()).max();
        let now = last.and_then(Time::parse_rfc3339).unwrap_or(Time::VIRTUAL_START);
        (self.kind.gvk.api_version(), now)
    }

    /// What is wrong with our answer; nothing if it is the real one.
    fn disagreement(&self) -> Option<String> {
        let (api_version, now) = self.write();
        let write = Write {
            manager: self.text("manager"),
            api_version: &api_version,
            subresource: self.text("sub"),
            now,
            reset: fields::reset(&self.kind.gvk.kind, self.text("sub")),
        };
        match (self.text("op"), self.text("sub")) {
            ("apply", _) => self.apply(&write),
            (_, "scale") => self.scale(&write),
            _ => self.update(&write),
        }
    }

    fn apply(&self, write: &Write<'_>) -> Option<String> {
        let config = object(&self.line["body"]);
        let force = self.line["force"].as_bool().unwrap_or(false);
        let ours = fields::apply(builtin(), self.kind.ty, self.live, &config, force, write);
        let expect = &self.line["error"];
        match ours {
            Err(ApplyError::Conflicts(conflicts)) => {
                let mut causes: Vec<Value> = conflicts
                    .causes()
                    .map(|(field, message)| {
                        towtank::object::json!({"reason": "FieldManagerConflict", "field": field, "message": message})
                    })
                    .collect();
                let mut real = expect["details"]["causes"].as_array().cloned().unwrap_or_default();
                // The real server lists the managers in no order.
                causes.sort_by_key(Value::to_string);
                real.sort_by_key(Value::to_string);
                differ("message", &conflicts.message().into(), &expect["message"])
                    .or_else(|| differ("causes", &causes.into(), &real.into()))
            }
            Err(ApplyError::BadRequest(text) | ApplyError::Typed(text)) => {
                differ("message", &text.into(), &expect["message"])
            }
            Ok(_) if self.real.is_none() => Some(format!("applied, real: {expect}")),
            Ok(Applied::Unchanged) => {
                let live = self.live.cloned().unwrap_or_default().into_value();
                differ("object", &live, &self.real.unwrap().clone().into_value())
            }
            Ok(Applied::Changed(mut ours)) => {
                if let Some(live) = self.live {
                    fields::keep_times(live, &mut ours);
                }
                self.compare(ours)
            }
        }
    }

    fn update(&self, write: &Write<'_>) -> Option<String> {
        let body = &self.line["body"];
        let live = || self.live.cloned().unwrap_or_default().into_value();
        let patched = match self.text("op") {
            "create" | "put" => Ok(body.clone()),
            "merge" => patch::merge(live(), body),
            "json" => patch::json(live(), body),
            _ => patch::strategic(builtin(), self.kind.ty, live(), body),
        };
        let expect = &self.line["error"];
        let mut patched = match (patched, self.real) {
            (Ok(patched), Some(_)) => object(&patched),
            // What the real server finds invalid after patching is not judged here.
            (Ok(_), None) => {
                return expect["message"]
                    .as_str()
                    .filter(|m| !m.contains("is invalid"))
                    .map(str::to_owned);
            }
            (Err(patch::PatchError::Rejected(_)), _) => {
                let text = "the server rejected our request due to an error in our request";
                return differ("error", &text.into(), &expect["message"]);
            }
            (Err(error), _) => {
                return differ("error", &error.to_string().into(), &expect["message"]);
            }
        };
        let real = self.real.unwrap();
        // Ownership is computed on the defaulted object, which is the real one but for what the
        // server adds later.
        let mut new = real.clone();
        new.remove(&["metadata", "managedFields"]);
        if self.text("op") != "create"
            && let Some(given) = patched.at(&["metadata", "managedFields"])
        {
            new.set(&["metadata", "managedFields"], given.clone());
        }
        if self.text("op") == "create" {
            for allocated in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                new.remove(&["spec", allocated]);
            }
        }
        // This one counts up after ownership was computed.
        let counter = ["metadata", "annotations", "deprecated.daemonset.template.generation"];
        if let Some(before) = self.live.and_then(|l| l.at(&counter)) {
            new.set(&counter, before.clone());
        }
        fields::update(builtin(), self.kind.ty, self.live, &mut new, write);
        if let Some(live) = self.live {
            fields::keep_times(live, &mut new);
        }
        let managed =
            |o: &Object| o.at(&["metadata", "managedFields"]).cloned().unwrap_or_default();
        patched.set(&["metadata", "managedFields"], managed(&new));
        self.compare(patched)
    }

    fn scale(&self, write: &Write<'_>) -> Option<String> {
        let (live, real) = (self.live.unwrap(), self.real.unwrap());
        let ty = builtin().type_of(&Gvk::new("autoscaling", "v1", "Scale")).unwrap();
        let scale_of = |parent: &Object| {
            let mut scale = Object::default();
            scale.set(&["apiVersion"], "autoscaling/v1".into());
            scale.set(&["kind"], "Scale".into());
            scale.set(&["metadata", "uid"], "u".into());
            scale.set(&["spec", "replicas"], parent.at(&["spec", "replicas"]).unwrap().clone());
            scale
        };
        let (mut old, mut new) = (scale_of(live), scale_of(real));
        let path = ["spec", "replicas"];
        fields::scale::to_scale(live, &mut old, &path).unwrap();
        let write = Write { api_version: "autoscaling/v1", ..*write };
        fields::update(builtin(), ty, Some(&old), &mut new, &write);
        let mut parent = live.clone();
        fields::scale::to_parent(&new, &mut parent, "apps/v1", &path).unwrap();
        parent.set(&["spec"], real.at(&["spec"]).unwrap().clone());
        fields::keep_times(live, &mut parent);
        let list = ["metadata", "managedFields"];
        differ("managedFields", parent.at(&list).unwrap(), real.at(&list).unwrap())
    }

    /// Compares managed fields exactly, and everything else but for what nobody owns: defaults.
    fn compare(&self, mut ours: Object) -> Option<String> {
        let real = self.real.unwrap();
        let list = ["metadata", "managedFields"];
        let none = Value::Array(vec![]);
        let managed = ours.remove(&list).unwrap_or_else(|| none.clone());
        let managed = if managed.is_null() { none.clone() } else { managed };
        let wrong = differ("managedFields", &managed, real.at(&list).unwrap_or(&none));
        form::print_object(builtin(), self.kind.ty, &mut ours);
        form::store_object(builtin(), self.kind.ty, &mut ours, None);
        let mut owned = Set::new();
        // A write without apply owns the defaults too, so that only an apply tells them apart.
        let applied = self.text("op") == "apply";
        for entry in real.list(&list).iter().filter(|_| applied) {
            owned = owned.union(&Set::from_fields_v1(&entry["fieldsV1"]).unwrap_or_default());
        }
        let mut found = String::new();
        let content = Content { schema: builtin(), status: self.text("sub") == "status" };
        content.at(
            self.kind.ty,
            &ours.into_value(),
            &real.clone().into_value(),
            &owned,
            "",
            &mut found,
        );
        wrong.or((!found.is_empty()).then_some(found))
    }
}

struct Content<'a> {
    schema: &'a Schema,
    status: bool,
}

impl Content<'_> {
    fn skips(&self, path: &str) -> bool {
        let server = [
            ".metadata.uid",
            ".metadata.resourceVersion",
            ".metadata.creationTimestamp",
            ".metadata.generation",
            ".metadata.managedFields",
            ".stringData",
        ];
        server.contains(&path)
            || (path == ".status") != self.status
                && [".status", ".spec", ".metadata"].contains(&path)
                && (self.status || path == ".status")
    }

    fn at(
        &self,
        ty: TypeId,
        ours: &Value,
        real: &Value,
        owned: &Set,
        path: &str,
        found: &mut String,
    ) {
        if self.skips(path) {
            return;
        }
        let form = self.schema.ty(ty);
        match (ours, real) {
            (Value::Object(a), Value::Object(b)) => {
                let inner = |key: &str| {
                    form.map.as_ref().and_then(|m| m.type_at(key)).unwrap_or(TypeId::DEDUCED)
                };
                for (key, value) in a.iter().filter(|(_, v)| !v.is_null()) {
                    let next = format!("{path}.{key}");
                    let below = owned.below(&PathElement::field(key));
                    match b.get(key) {
                        Some(real) => self.at(inner(key), value, real, below, &next, found),
                        None if self.skips(&next) => {}
                        None => drop(writeln!(found, "{next}: ours {value}, real lacks it")),
                    }
                }
                for (key, value) in
                    b.iter().filter(|(k, v)| a.get(k).is_none_or(Value::is_null) && !v.is_null())
                {
                    let next = format!("{path}.{key}");
                    if owned.field(key).is_some() && !self.skips(&next) {
                        let _ = writeln!(found, "{next}: ours lacks it, real {value}, owned");
                    }
                }
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                let list = form.list.as_ref();
                for (at, (x, y)) in a.iter().zip(b).enumerate() {
                    let element = list
                        .filter(|l| l.relation != Relation::Atomic)
                        .and_then(|l| items::element(self.schema, l, y).ok());
                    let none = Set::new();
                    let below = element.as_ref().map_or(&none, |e| owned.below(e));
                    self.at(
                        list.map_or(TypeId::DEDUCED, |l| l.item),
                        x,
                        y,
                        below,
                        &format!("{path}[{at}]"),
                        found,
                    );
                }
            }
            _ if ours == real => {}
            // Both are set by defaulting, which is not done here.
            _ if path.ends_with("].targetPort") && ours == 0 => {}
            (Value::String(a), Value::String(b))
                if form.format == Format::Quantity
                    && Quantity::parse(a).is_ok_and(|q| &q.in_millis().to_string() == b) => {}
            _ if path.ends_with(".deprecated.daemonset.template.generation") => {}
            _ => drop(writeln!(found, "{path}: ours {ours}, real {real}")),
        }
    }
}

fn differ(what: &str, ours: &Value, real: &Value) -> Option<String> {
    (ours != real).then(|| format!("{what}\n  ours {ours}\n  real {real}"))
}

fn object(value: &Value) -> Object {
    Object::from_value(value.clone()).unwrap_or_default()
}

fn kind_named(name: &str) -> &'static KindInfo {
    let newest = builtin()
        .kinds()
        .filter(|k| k.gvk.kind == name)
        .max_by(|a, b| a.gvk.version.cmp(&b.gvk.version));
    newest.unwrap_or_else(|| panic!("no kind {name}"))
}

/// Replays a file; operations, and disagreements by name.
fn replay(file: &Path) -> (usize, Vec<(String, String)>) {
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut found = Vec::new();
    let mut live: Option<Object> = None;
    let (mut sequence, mut number) = (String::new(), 0);
    for line in &lines {
        if let Some(start) = line["start"].as_str() {
            live = None;
            number = if sequence == start { number } else { 0 };
            start.clone_into(&mut sequence);
        }
        number += 1;
        let succeeded = line["status"].as_u64().unwrap() < 300;
        let real =
            succeeded.then(|| line.get("object").map(object).or_else(|| live.clone()).unwrap());
        let kind = kind_named(line["kind"].as_str().unwrap());
        let operation = Operation { line, kind, live: live.as_ref(), real: real.as_ref() };
        if let Some(text) = operation.disagreement() {
            let detail = format!("{} by {}: {}\n{text}", line["op"], line["manager"], line["body"]);
            found.push((format!("{sequence} {number}"), detail));
        }
        live = real.or(live);
    }
    (lines.len(), found)
}

#[test]
fn every_recorded_write_gives_the_real_owners_conflicts_and_content() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/fields");
    let (mut count, mut found) = (0, Vec::new());
    for file in ["written.jsonl", "generated.jsonl"] {
        let (operations, disagreements) = replay(&folder.join(file));
        count += operations;
        found.extend(disagreements);
    }
    let excepted = |name: &str| EXCEPTIONS.iter().any(|(known, _)| *known == name);
    let mut report = format!("{} of {count} operations agree\n", count - found.len());
    for (name, text) in found.iter().filter(|(name, _)| !excepted(name)) {
        let _ = writeln!(report, "--- {name}: {text}");
    }
    for (name, _) in EXCEPTIONS.iter().filter(|(n, _)| found.iter().all(|(f, _)| f != n)) {
        let _ = writeln!(report, "--- {name}: agrees now; take it off the list");
    }
    assert!(!report.contains("---"), "{report}");
    assert!(count >= 580, "{report}");
}

/// Forms that may disagree, by a part of the body, with the reason.
const FORM_EXCEPTIONS: &[(&str, &str)] =
    &[("1000000000000000000000", "upstream's rounding of an amount over its maximum gives 1")];

/// What is wrong with our reading of one body.
fn form_disagreement(line: &Value) -> Option<String> {
    let kind = kind_named(line["kind"].as_str().unwrap());
    let mut ours = object(&line["body"]);
    let problems = schema::check(builtin(), kind.ty, &line["body"], Mode::Decode);
    let wrong = problems.iter().find(|p| p.kind == ProblemKind::WrongType);
    if line["status"] == 400 {
        let name = kind.gvk.kind.as_ref();
        let start =
            format!("{name} in version {:?} cannot be handled as a {name}: ", kind.gvk.version);
        let (start, mut texts) = match wrong {
            Some(problem) => (start, vec![problem.message.as_str()]),
            None => (
                format!("{start}strict decoding error: "),
                problems.iter().map(|p| p.message.as_str()).collect(),
            ),
        };
        // The real decoder goes by the order of the document, which a parsed value has lost.
        let real = line["message"].as_str().unwrap();
        let mut words: Vec<&str> = real.strip_prefix(&start).unwrap_or(real).split(", ").collect();
        if wrong.is_none() {
            texts.sort_unstable();
            words.sort_unstable();
        }
        let (texts, words) = (texts.join(", "), words.join(", "));
        return differ("message", &texts.into(), &words.into());
    }
    if !problems.is_empty() {
        return Some(format!("{problems:?}, real takes it"));
    }
    if line["status"] == 201 {
        form::print_object(builtin(), kind.ty, &mut ours);
        form::store_object(builtin(), kind.ty, &mut ours, None);
        let mut found = String::new();
        let content = Content { schema: builtin(), status: false };
        let (ours, real) = (ours.into_value(), &line["object"]);
        content.at(kind.ty, &ours, real, &Set::new(), "", &mut found);
        return (!found.is_empty()).then_some(found);
    }
    None
}

#[test]
fn every_recorded_body_is_printed_or_refused_as_by_the_real_decoder() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/fields/forms.jsonl");
    let mut report = String::new();
    for text in std::fs::read_to_string(file).unwrap().lines() {
        let excepted = FORM_EXCEPTIONS.iter().any(|(part, _)| text.contains(part));
        match form_disagreement(&serde_json::from_str(text).unwrap()) {
            Some(wrong) if !excepted => {
                let _ = writeln!(report, "--- {wrong}\n  {text}");
            }
            None if excepted => report.push_str("--- an exception agrees now\n"),
            _ => {}
        }
    }
    assert!(report.is_empty(), "{report}");
}
