//! The order in which Go prints what an object holds: that of its structs for built-in kinds, by
//! name for custom resources, whose objects are maps to Go too.
//!
//! The orders of structs, and what a field holds, are `object::schema`'s to say.

pub(super) use crate::object::schema::order::fields;
use crate::object::schema::{self, TypeId};
use crate::object::{Gvk, Object, Value};

/// The order of keys of a value, and of what it holds. A list hands its items' order on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By name, everywhere.
    Sorted,
    /// Of a type of the built-in schema.
    Type(TypeId),
    /// Of keys that are named here; further ones are sorted.
    Fixed(&'static Fixed),
}

/// Keys in their order, each with the order below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    pub(super) keys: &'static [(&'static str, Below)],
}

/// The order below a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    Sorted,
    Metadata,
    Fixed(&'static Fixed),
}

/// What a list says of itself.
pub(super) static LIST_METADATA: Fixed = Fixed {
    keys: &[
        ("resourceVersion", Below::Sorted),
        ("continue", Below::Sorted),
        ("remainingItemCount", Below::Sorted),
    ],
};

/// An object's metadata alone.
static PARTIAL: Fixed = Fixed {
    keys: &[("kind", Below::Sorted), ("apiVersion", Below::Sorted), ("metadata", Below::Metadata)],
};

static PARTIAL_LIST: Fixed = Fixed {
    keys: &[
        ("kind", Below::Sorted),
        ("apiVersion", Below::Sorted),
        ("metadata", Below::Fixed(&LIST_METADATA)),
        ("items", Below::Fixed(&PARTIAL)),
    ],
};

static COLUMN: Fixed = Fixed {
    keys: &[
        ("name", Below::Sorted),
        ("type", Below::Sorted),
        ("format", Below::Sorted),
        ("description", Below::Sorted),
        ("priority", Below::Sorted),
    ],
};

static ROW: Fixed = Fixed {
    keys: &[
        ("cells", Below::Sorted),
        ("conditions", Below::Sorted),
        ("object", Below::Fixed(&PARTIAL)),
    ],
};

static TABLE: Fixed = Fixed {
    keys: &[
        ("kind", Below::Sorted),
        ("apiVersion", Below::Sorted),
        ("metadata", Below::Fixed(&LIST_METADATA)),
        ("columnDefinitions", Below::Fixed(&COLUMN)),
        ("rows", Below::Fixed(&ROW)),
    ],
};

static STATUS: Fixed = Fixed {
    keys: &[
        ("kind", Below::Sorted),
        ("apiVersion", Below::Sorted),
        ("metadata", Below::Sorted),
        ("status", Below::Sorted),
        ("message", Below::Sorted),
        ("reason", Below::Sorted),
        ("details", Below::Fixed(&DETAILS)),
        ("code", Below::Sorted),
    ],
};

static DETAILS: Fixed = Fixed {
    keys: &[
        ("name", Below::Sorted),
        ("group", Below::Sorted),
        ("kind", Below::Sorted),
        ("uid", Below::Sorted),
        ("causes", Below::Fixed(&CAUSE)),
        ("retryAfterSeconds", Below::Sorted),
    ],
};

static CAUSE: Fixed = Fixed {
    keys: &[("reason", Below::Sorted), ("message", Below::Sorted), ("field", Below::Sorted)],
};

impl Below {
    pub(super) fn order(self) -> Order {
        match self {
            Below::Sorted => Order::Sorted,
            Below::Metadata => Order::Type(schema::order::metadata()),
            Below::Fixed(fixed) => Order::Fixed(fixed),
        }
    }
}

impl Order {
    /// The order of a kind.
    pub(super) fn of(api_version: &str, kind: &str) -> Order {
        match (api_version, kind) {
            ("v1", "Status") => Order::Fixed(&STATUS),
            ("meta.k8s.io/v1" | "meta.k8s.io/v1beta1", _) => Order::Fixed(match kind {
                "Table" => &TABLE,
                "PartialObjectMetadataList" => &PARTIAL_LIST,
                _ => &PARTIAL,
            }),
            _ => {
                let gvk = Gvk::from_api_version(api_version, kind);
                schema::builtin().type_of(&gvk).map_or(Order::Sorted, Order::Type)
            }
        }
    }

    /// The order of an object, by its own kind.
    pub(super) fn of_object(object: &Object) -> Order {
        Order::of(object.api_version(), object.kind())
    }

    /// The order of a value, if it is an object.
    pub(super) fn of_value(value: &Value) -> Order {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        Order::of(text("apiVersion"), text("kind"))
    }

    /// Whether this is the order of a Go struct.
    pub(super) fn is_of_struct(self) -> bool {
        self != Order::Sorted
    }
}

/// The type of a list's items.
pub(super) fn items(ty: TypeId) -> Order {
    let list = schema::builtin().ty(ty).list.as_ref();
    list.map_or(Order::Sorted, |list| Order::Type(list.item))
}
