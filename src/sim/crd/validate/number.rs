//! Bounds and factors of a number.

use super::result::{Outcome, What};
use super::value::bound;
use crate::object::Value;
use crate::object::schema::node::Node;
use serde_json::Number;

pub(super) fn check(node: &Node, format: &str, path: &str, number: &Number) -> Outcome {
    let mut all = Outcome::default();
    let range = Range::of(node, format);
    let value = number.as_f64().unwrap_or(0.0);
    if !range.holds(number) {
        all.find(path, What::Anywhere, range.text("Checked", path));
    }
    let shown = || What::Other(Value::Number(number.clone()));
    let checks = &node.checks;
    if let Some(factor) = checks.multiple_of {
        if !range.holds_float(factor) {
            all.find(path, What::Anywhere, range.text("MultipleOf", path));
        }
        let counts = if number.is_f64() { factor } else { factor.trunc() };
        if counts <= 0.0 {
            let counts = Value::from(0);
            let text = format!("factor MultipleOf declared for {path} must be positive: {counts}");
            all.find(path, What::Other(counts), text);
        } else if !is_multiple(number, factor) {
            let factor = bound(number, factor);
            all.find(path, shown(), format!("{path} in body should be a multiple of {factor}"));
        }
    }
    if let Some(least) = checks.minimum {
        if !range.holds_float(least) {
            all.find(path, What::Anywhere, range.text("Minimum boundary", path));
        }
        let limit = limit(number, least);
        if value < limit || (checks.exclusive_minimum && value <= limit) {
            let word = if checks.exclusive_minimum { "" } else { "or equal to " };
            let least = bound(number, least);
            let text = format!("{path} in body should be greater than {word}{least}");
            all.find(path, shown(), text);
        }
    }
    if let Some(most) = checks.maximum {
        if !range.holds_float(most) {
            all.find(path, What::Anywhere, range.text("Maximum boundary", path));
        }
        let limit = limit(number, most);
        if value > limit || (checks.exclusive_maximum && value >= limit) {
            let word = if checks.exclusive_maximum { "" } else { "or equal to " };
            let most = bound(number, most);
            let text = format!("{path} in body should be less than {word}{most}");
            all.find(path, shown(), text);
        }
    }
    all.matches += 1;
    all
}

/// A bound as an integer is compared with it: without its fraction.
fn limit(number: &Number, bound: f64) -> f64 {
    if number.is_f64() { bound } else { bound.trunc() }
}

fn is_multiple(number: &Number, factor: f64) -> bool {
    let value = number.as_f64().unwrap_or(0.0);
    if !number.is_f64() {
        return value % factor.trunc() == 0.0;
    }
    let times = if factor < 1.0 { 1.0 / factor * value } else { value / factor };
    times.fract().abs() < 1e-9
}

/// What a type and a format hold.
struct Range<'f> {
    integer: bool,
    number: bool,
    format: &'f str,
}

impl<'f> Range<'f> {
    fn of(node: &Node, format: &'f str) -> Self {
        let integer = !node.int_or_string && node.ty == "integer";
        let number = !node.int_or_string && node.ty == "number";
        let known = match format {
            "int32" | "int64" => integer,
            "float" | "double" => number,
            _ => false,
        };
        Self { integer, number, format: if known { format } else { "" } }
    }

    fn holds(&self, number: &Number) -> bool {
        match number.as_i64() {
            Some(whole) if self.format == "int32" => i32::try_from(whole).is_ok(),
            Some(_) => true,
            None => self.holds_float(number.as_f64().unwrap_or(0.0)),
        }
    }

    fn holds_float(&self, value: f64) -> bool {
        if self.integer {
            let most = if self.format == "int32" { f64::from(i32::MAX) } else { 9.2e18 };
            return value.fract() == 0.0 && value.abs() <= most;
        }
        !(self.number && self.format == "float") || value.abs() <= f64::from(f32::MAX)
    }

    fn text(&self, what: &str, path: &str) -> String {
        let ty = if self.integer { "integer" } else { "number" };
        match self.format {
            "" => format!("{what} value must be of type {ty} (default format) in {path}"),
            format => format!("{what} value must be of type {ty} with format {format} in {path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check_number(schema: &Value, number: &Value, expect: &[&str]) {
        let Value::Number(number) = number else { panic!("no number") };
        let node = Node::read(schema);
        let found = check(&node, &node.format, "a", number).findings;
        assert_eq!(found.iter().map(|f| f.text.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn bounds_are_told_without_the_fraction_that_an_integer_lacks() {
        let schema = json!({"type": "integer", "format": "int32", "minimum": 2, "multipleOf": 2});
        check_number(
            &schema,
            &json!(1),
            &[
                "a in body should be a multiple of 2",
                "a in body should be greater than or equal to 2",
            ],
        );
        let schema = json!({"type": "number", "maximum": 0.5, "exclusiveMaximum": true});
        check_number(&schema, &json!(0.5), &["a in body should be less than 0.5"]);
        let schema = json!({"type": "integer", "format": "int32"});
        check_number(
            &schema,
            &json!(3_000_000_000_u32),
            &["Checked value must be of type integer with format int32 in a"],
        );
    }
}
