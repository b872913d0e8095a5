//! What a container asks for and is held to.

use super::errors::{Errors, Path};
use super::read::given;
use crate::object::{Value, quantity::Quantity};
use crate::sim::rest::names;

const STANDARD_RESOURCES: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];

/// A resource that containers can ask for.
pub(super) fn resource_name(name: &str, path: &Path, errors: &mut Errors) {
    errors.faults(path, name, names::qualified(name));
    let sound = names::qualified(name).is_empty();
    let is_standard = STANDARD_RESOURCES.contains(&name) || name.starts_with("hugepages-");
    if !name.contains('/') && !is_standard {
        if sound {
            errors.invalid(path, name, "must be a standard resource type or fully qualified");
        }
        errors.invalid(path, name, "must be a standard resource for containers");
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    Quantity::parse(value.as_str()?).ok()
}

/// An amount is zero or more.
pub(super) fn not_negative(amount: &Value, path: &Path, errors: &mut Errors) {
    if let (Some(found), Ok(zero)) = (quantity(amount), Quantity::parse("0"))
        && found < zero
    {
        errors.invalid(path, amount.clone(), "must be greater than or equal to 0");
    }
}

pub(super) fn check(resources: &Value, path: &Path, errors: &mut Errors) {
    let zero = Quantity::parse("0").ok();
    let maps = ["limits", "requests"];
    for kind in maps {
        let Some(amounts) = given(resources, kind).and_then(Value::as_object) else { continue };
        let at = path.field(kind);
        for (name, value) in amounts {
            let place = at.key(name);
            resource_name(name, &place, errors);
            let Some(found) = quantity(value) else { continue };
            if zero.as_ref().is_some_and(|zero| found < *zero) {
                errors.invalid(&place, value.clone(), "must be greater than or equal to 0");
            }
            let Some(limit) = (kind == "requests").then(|| &resources["limits"][name]) else {
                continue;
            };
            let shared = !name.contains('/') && !name.starts_with("hugepages-");
            match quantity(limit) {
                Some(most) if !shared && found != most => {
                    let text = format!("must be equal to {name} limit of {most}");
                    errors.invalid(&at, value.clone(), &text);
                }
                Some(most) if found > most => {
                    let text = format!("must be less than or equal to {name} limit of {most}");
                    errors.invalid(&at, value.clone(), &text);
                }
                None if !shared => {
                    let text = "Limit must be set for non overcommitable resources";
                    errors.required(&path.field("limits"), text);
                }
                _ => {}
            }
        }
    }
}
