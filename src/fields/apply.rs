//! An apply: merge, give up, detect conflicts, record (R-SSA-03 to R-SSA-18).
//!
//! Not here: whether the request may apply at all (name, version, uid; `sim::rest`).

use super::entry::{Entry, ManagerId, Operation};
use super::managers::{self, Managed};
use super::prune::prune;
use super::track::{hand_over, record};
use super::unchanged::names_the_same;
use super::update::same_but_entries;
use super::versions::{Changes, Types, is_custom, refresh};
use super::{Applied, ApplyError, Write, last_applied, merge, typed};
use crate::object::fieldset::{Set, never_recorded, of_object};
use crate::object::schema::{Schema, TypeId, form};
use crate::object::{Map, Object, Value};

/// Applies a configuration to the live object, `None` to create it. `config` is as the client sent
/// it, `live` as it is stored; both are of type `ty`.
///
/// # Errors
/// [`ApplyError`] says what to answer.
pub fn apply(
    schema: &Schema,
    ty: TypeId,
    live: Option<&Object>,
    config: &Object,
    force: bool,
    write: &Write<'_>,
) -> Result<Applied, ApplyError> {
    if config.at(&["metadata", "managedFields"]).is_some_and(|m| m.is_array()) {
        return Err(ApplyError::BadRequest("metadata.managedFields must be nil".to_owned()));
    }
    let kubectl = write.manager == last_applied::MANAGER;
    let mut known = None;
    if let Some(live) = live
        && !kubectl
        && is_of_one_version(schema, live, write)
        && names_the_same(schema, ty, live, config, write)
    {
        known = merge::merge(schema, ty, &live.0, &config.0).ok();
        if known == Some(None) {
            return Ok(Applied::Unchanged);
        }
    }
    if let Some(text) = typed::problems(schema, ty, config) {
        let (namespace, name, kind) = (config.namespace(), config.name(), config.gvk());
        return Err(ApplyError::Typed(format!(
            "failed to create typed patch object ({namespace}/{name}; {kind}): {text}"
        )));
    }
    let created;
    let old = match live {
        Some(live) => live,
        None => {
            created = new_object(schema, ty, config);
            &created
        }
    };
    let applier = Applier { schema, ty, old, config, write };
    let mut result = applier.run(force, known.flatten());
    if let (Err(ApplyError::Conflicts(conflicts)), true) = (&result, kubectl) {
        let left = last_applied::not_forgiven(schema, ty, old, conflicts, write.api_version);
        result = match left {
            Some(left) => Err(ApplyError::Conflicts(left)),
            None => applier.run(true, None),
        };
    }
    let (mut object, owners) = result?;
    if kubectl && last_applied::is_on(&object) {
        last_applied::set(&mut object, config);
    }
    owners.write_to(&mut object);
    Ok(if live == Some(&object) { Applied::Unchanged } else { Applied::Changed(object) })
}

/// Whether all owners wrote through the version that is written, so that no other is to be asked.
fn is_of_one_version(schema: &Schema, live: &Object, write: &Write<'_>) -> bool {
    let is_own =
        |entry: &Value| entry.get("apiVersion").and_then(Value::as_str) == Some(write.api_version);
    !is_custom(schema) || live.list(&managers::PATH).iter().all(is_own)
}

/// What a create starts from: the kind with nothing set.
fn new_object(schema: &Schema, ty: TypeId, config: &Object) -> Object {
    let mut object = form::empty(schema, ty);
    for key in ["apiVersion", "kind"] {
        if let Some(value) = config.0.get(key) {
            object.0.insert(key, value.clone());
        }
    }
    object
}

type Fields = Map;

struct Applier<'a> {
    schema: &'a Schema,
    ty: TypeId,
    old: &'a Object,
    config: &'a Object,
    write: &'a Write<'a>,
}

impl Applier<'_> {
    /// The merged object without its managed fields, and who owns what then. `known` is what merging
    /// gives, where that is known and the applier is on record for just what it names.
    fn run(&self, force: bool, known: Option<Fields>) -> Result<(Object, Managed), ApplyError> {
        let Self { schema, ty, old, config, write } = *self;
        let named = known.is_some();
        let merged = match known {
            Some(known) => Some(known),
            None => merge::merge(schema, ty, &old.0, &config.0)
                .map_err(|e| ApplyError::Typed(format!("failed to merge config: {e}")))?,
        };
        let mut is_merged = merged.is_some();
        let mut object = merged.map_or_else(|| old.clone(), Object);
        let mut managed = self.taken_from(&mut object)?;
        let types = Types { schema, ty };
        if managed.is_empty() {
            // What was there before anybody applied is somebody's (R-SSA-29).
            let nothing = new_object(schema, ty, config);
            record(types, (&nothing, old), &mut managed, "before-first-apply", write)
                .map_err(ApplyError::Typed)?;
        }
        refresh(types, old, &mut managed, write).map_err(ApplyError::Typed)?;
        let id =
            ManagerId::new(write.manager, Operation::Apply, write.api_version, write.subresource);
        let last = managed.take(&id);
        let (set, stays) = if named && last.is_some() {
            (Set::new(), true)
        } else {
            let mut set = self.applied();
            set.subtract(never_recorded());
            let stays = last.as_ref().is_some_and(|last| last.owns_just(&set));
            (set, stays)
        };
        if let Some(last) = last.as_ref().filter(|_| !stays)
            && let Some(pruned) = self.give_up(&object, last, &managed)?
        {
            object = pruned;
            is_merged = true;
        }
        if is_merged {
            let changes = Changes::between(types, (old, &object), &managed, write)
                .map_err(ApplyError::Typed)?;
            hand_over(&mut managed, None, &changes, force).map_err(ApplyError::Conflicts)?;
        }
        let mut time = last.as_ref().and_then(|last| last.time().map(str::to_owned));
        // A null in place of the entries is a change too, although they stay.
        let sent = config.at(&managers::PATH).is_some();
        if is_merged && (sent || !same_but_entries(&old.0, &object.0)) {
            time = Some(write.now.rfc3339());
        }
        let entry = match last.filter(|_| stays) {
            Some(mut last) => {
                last.set_api_version(write.api_version);
                last.set_time(time);
                last
            }
            None => Entry::new(&id, write.api_version, set, time),
        };
        managed.entries.extend(Some(entry).filter(|entry| !entry.is_empty()));
        Ok((object, managed))
    }

    /// What the configuration names and the endpoint lets a client set.
    fn applied(&self) -> Set {
        let mut set = of_object(self.schema, self.ty, self.config);
        set.subtract_recursively(self.write.reset);
        set
    }

    /// The merged object without what the applier no longer applies; `None` where that is nothing,
    /// because the configuration names all that it last named. What he last named is of the version
    /// that he last applied.
    fn give_up(
        &self,
        merged: &Object,
        last: &Entry,
        others: &Managed,
    ) -> Result<Option<Object>, ApplyError> {
        let types = Types { schema: self.schema, ty: self.ty };
        let then = types.convert(merged, last.api_version(), self.write).map_err(|e| {
            let text =
                "failed to prune fields: failed to convert merged object to last applied version";
            ApplyError::Typed(format!("{text}: {e}"))
        })?;
        let (set, last) = (self.applied(), last.set());
        if set.contains(&last) {
            return Ok(None);
        }
        let managed = others.entries.iter().fold(set, |all, e| all.union(&e.set()));
        let merged = merged.clone().into_value();
        let value = prune(then.schema, then.ty, &merged, &last, &managed);
        Ok(Some(Object::from_value(value).unwrap_or_default()))
    }

    /// Takes the entries out of the merged object; they are those of the old one.
    fn taken_from(&self, merged: &mut Object) -> Result<Managed, ApplyError> {
        let copied = merged.remove(&managers::PATH);
        let managed = match copied.filter(|_| self.config.at(&managers::PATH).is_none()) {
            Some(Value::Array(list)) => Managed::stored(list),
            // A configuration may carry a null here.
            _ => Managed::of(self.old),
        };
        managed.map_err(|e| ApplyError::Typed(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::object::json;
    use crate::object::schema::builtin;

    /// Applies as manager `m`, both ways where the short one may be taken.
    fn check(kind: &str, live: &Object, config: &Object) -> bool {
        let schema = builtin();
        let info = schema.kinds().find(|k| k.gvk.kind == kind).unwrap();
        let api_version = config.api_version().to_owned();
        let write = Write {
            manager: "m",
            api_version: &api_version,
            subresource: "",
            now: Time::VIRTUAL_START,
            reset: crate::fields::reset(kind, ""),
        };
        let named = names_the_same(schema, info.ty, live, config, &write);
        let known = merge::merge(schema, info.ty, &live.0, &config.0).ok().filter(|_| named);
        let short = known == Some(None);
        let applier = Applier { schema, ty: info.ty, old: live, config, write: &write };
        let (Ok((mut object, owners)), None) =
            (applier.run(true, None), typed::problems(schema, info.ty, config))
        else {
            assert!(!short, "{config:?}\non {live:?}");
            return false;
        };
        owners.write_to(&mut object);
        if let Some(known) = known.flatten() {
            let (mut other, owners) = applier.run(true, Some(known)).unwrap();
            owners.write_to(&mut other);
            assert_eq!(other, object, "{config:?}\non {live:?}");
        }
        // Who is not on record and names nothing takes the long way to the same.
        let on_record =
            live.list(&["metadata", "managedFields"]).iter().any(|e| e["manager"] == "m");
        assert_eq!(short, &object == live && on_record, "{config:?}\non {live:?}");
        short
    }

    /// Every configuration of the recorded writes, applied to every object of its sequence in the
    /// name of every manager in turn: the short way says "unchanged" just where the long one does.
    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/fields");
        let (mut objects, mut configs): (Vec<Object>, Vec<(String, Object)>) = Default::default();
        let (mut unchanged, mut all) = (0, 0);
        for line in std::fs::read_to_string(folder.join("written.jsonl")).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line.get("start").is_some() {
                for (kind, config) in &configs {
                    for live in &objects {
                        all += 1;
                        unchanged += usize::from(check(kind, live, config));
                    }
                }
                objects.clear();
                configs.clear();
            }
            for (i, name) in ["a", "b", "i"].into_iter().enumerate() {
                if let Some(Ok(mut live)) =
                    line.get("object").map(|o| Object::from_value(o.clone()))
                {
                    let Some(Value::Array(list)) =
                        live.0.get_mut("metadata").and_then(|m| m.get_mut("managedFields"))
                    else {
                        continue;
                    };
                    for entry in list.iter_mut().filter(|e| e["manager"] == name) {
                        entry["manager"] = "m".into();
                    }
                    // Names sort as they stand; one that is out of order would be rewritten.
                    let managed = Managed::of(&live).unwrap();
                    managed.write_to(&mut live);
                    objects.push(live);
                }
                let config = Object::from_value(line["body"].clone());
                if let (0, "apply", Ok(config)) = (i, line["op"].as_str().unwrap(), config) {
                    let kind = line["kind"].as_str().unwrap().to_owned();
                    let plain = config.at(&["metadata", "managedFields"]).is_none();
                    configs.extend((plain && line.get("sub").is_none()).then_some((kind, config)));
                }
            }
        }
        assert!(unchanged > 40 && all > 1000, "{unchanged} of {all}");
    }

    #[test]
    fn a_configuration_with_managed_fields_is_refused() {
        let config = Object::from_value(json!({"metadata": {"managedFields": []}})).unwrap();
        let reset = Set::new();
        let write = Write {
            manager: "m",
            api_version: "v1",
            subresource: "",
            now: Time::VIRTUAL_START,
            reset: &reset,
        };
        let answer = apply(builtin(), TypeId::DEDUCED, None, &config, false, &write);
        let text = "metadata.managedFields must be nil".to_owned();
        assert_eq!(answer, Err(ApplyError::BadRequest(text)));
    }
}
