//! What the walks over typed values share: which of a type's forms a value takes.

use crate::object::Value;
use crate::object::schema::{ListType, MapType, Relation, Type};

/// The form in which two values are walked. Where a value does not decide (absent, null, of a form
/// that the type lacks), a map is tried before a scalar and a scalar before a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'a> {
    Map(&'a MapType),
    Scalar,
    List(&'a ListType),
}

impl PartialEq for Form<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The form that a value takes, and whether the value decided it. A type of one form decides
/// by itself.
pub(super) fn form<'a>(ty: &'a Type, value: Option<&Value>) -> (Option<Form<'a>>, bool) {
    let map = ty.map.as_ref().map(Form::Map);
    let scalar = ty.scalar.map(|_| Form::Scalar);
    let list = ty.list.as_ref().map(Form::List);
    let own = match value {
        None | Some(Value::Null) => None,
        Some(Value::Object(_)) => map,
        Some(Value::Array(_)) => list,
        Some(_) => scalar,
    };
    let only = u8::from(map.is_some()) + u8::from(scalar.is_some()) + u8::from(list.is_some()) == 1;
    (own.or(map).or(scalar).or(list), only || own.is_some())
}

/// The forms to walk two values in: one, or two where the values are of different forms.
pub(super) fn forms<'a>(
    ty: &'a Type,
    left: Option<&Value>,
    right: Option<&Value>,
) -> (Option<Form<'a>>, Option<Form<'a>>) {
    let (l, left_decided) = form(ty, left);
    let (r, right_decided) = form(ty, right);
    if right.is_none() {
        (None, l)
    } else if left.is_none() || (l == r && left_decided == right_decided) {
        (None, r)
    } else {
        (l, r)
    }
}

/// Whether a map or list counts as one value here: it merges whole, or both sides are empty, so
/// that empty, null and absent stay apart (R-SSA-12).
pub(super) fn is_leaf(form: Form<'_>, left: Option<&Value>, right: Option<&Value>) -> bool {
    let atomic = match form {
        Form::Scalar => true,
        Form::Map(map) => map.atomic,
        Form::List(list) => list.relation == Relation::Atomic,
    };
    atomic || (is_bare(form, left) && is_bare(form, right))
}

fn is_bare(form: Form<'_>, value: Option<&Value>) -> bool {
    match (form, value) {
        (Form::Map(_), Some(Value::Object(map))) => map.is_empty(),
        (Form::List(_), Some(Value::Array(list))) => list.is_empty(),
        _ => true,
    }
}
