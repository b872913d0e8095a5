//! The type of each part of an expression, as far as what it may cost depends on it.
//!
//! Nothing is refused here: what is not known is of any type, and then all that a call could mean
//! is counted.

use std::collections::BTreeMap;

use kube_cel::cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr};

use super::super::names::literal_type;
use super::declared::{Declared, Kind};

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ty<'d> {
    /// Any, or not known.
    Dyn,
    /// Of the items of an empty list: whatever they come to be.
    Free,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Duration,
    Timestamp,
    Null,
    /// A type as a value.
    Type,
    List(Box<Ty<'d>>),
    Map(Box<Ty<'d>>, Box<Ty<'d>>),
    /// An object with fields.
    Object(&'d Declared),
    /// Of a library: `ip`, `cidr`, `quantity`, `url`, `semver`, `format`.
    Named(&'static str),
    Optional(Box<Ty<'d>>),
}

impl<'d> Ty<'d> {
    pub(super) fn of(declared: &'d Declared) -> Self {
        match &declared.kind {
            Kind::Dyn => Self::Dyn,
            Kind::Bool => Self::Bool,
            Kind::Int => Self::Int,
            Kind::Double => Self::Double,
            Kind::Text => Self::Text,
            Kind::Bytes => Self::Bytes,
            Kind::Duration => Self::Duration,
            Kind::Timestamp => Self::Timestamp,
            Kind::List(items) => Self::list(Self::of(items)),
            Kind::Map(values) => Self::Map(Box::new(Self::Text), Box::new(Self::of(values))),
            Kind::Object(_) => Self::Object(declared),
        }
    }

    fn list(items: Self) -> Self {
        Self::List(Box::new(items))
    }

    fn optional(of: Self) -> Self {
        Self::Optional(Box::new(of))
    }

    pub(super) const fn is_any(&self) -> bool {
        matches!(self, Self::Dyn | Self::Free)
    }

    /// Whether all its values are of one size.
    pub(super) fn is_scalar(&self) -> bool {
        match self {
            Self::Optional(of) => of.is_scalar(),
            Self::Bool | Self::Int | Self::Uint | Self::Double => true,
            Self::Duration | Self::Timestamp => true,
            _ => false,
        }
    }

    /// The first type that it is put together from.
    pub(super) fn parameter(&self) -> Option<&Self> {
        match self {
            Self::List(of) | Self::Map(of, _) | Self::Optional(of) => Some(of),
            _ => None,
        }
    }

    /// The type that values of both are of.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Free, other) => other,
            (own, Self::Free) => own,
            (Self::List(a), Self::List(b)) => Self::list(a.or(*b)),
            (Self::Map(a, b), Self::Map(c, d)) => Self::Map(Box::new(a.or(*c)), Box::new(b.or(*d))),
            (Self::Optional(a), Self::Optional(b)) => Self::optional(a.or(*b)),
            (own, other) if own == other => own,
            _ => Self::Dyn,
        }
    }

    /// What an iteration gives for its one name, or for its two.
    fn items(&self) -> (Self, Self, Self) {
        match self {
            Self::List(of) => ((**of).clone(), Self::Int, (**of).clone()),
            Self::Map(key, value) => ((**key).clone(), (**key).clone(), (**value).clone()),
            _ => (Self::Dyn, Self::Dyn, Self::Dyn),
        }
    }
}

/// The types of all parts of an expression, by their numbers.
pub(super) struct Types<'d> {
    root: &'d Declared,
    /// Whether there may be no old value.
    optional_old: bool,
    bound: Vec<(String, Ty<'d>)>,
    found: BTreeMap<u64, Ty<'d>>,
}

impl<'d> Types<'d> {
    pub(super) fn of(expression: &IdedExpr, root: &'d Declared, optional_old: bool) -> Self {
        let mut types = Self { root, optional_old, bound: Vec::new(), found: BTreeMap::new() };
        types.see(expression);
        types
    }

    pub(super) fn get(&self, expression: &IdedExpr) -> &Ty<'d> {
        self.found.get(&expression.id).unwrap_or(&Ty::Dyn)
    }

    fn see(&mut self, expression: &IdedExpr) -> Ty<'d> {
        let ty = match &expression.expr {
            Expr::Ident(name) => self.ident(name),
            Expr::Literal(literal) => match literal_type(literal) {
                "bool" => Ty::Bool,
                "bytes" => Ty::Bytes,
                "double" => Ty::Double,
                "int" => Ty::Int,
                "uint" => Ty::Uint,
                "string" => Ty::Text,
                _ => Ty::Null,
            },
            Expr::Select(select) => {
                let operand = self.see(&select.operand);
                if select.test { Ty::Bool } else { field(&operand, &select.field) }
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(c) => self.comprehension(c),
            Expr::List(list) => {
                let items = list.elements.iter().map(|element| self.see(element));
                Ty::list(items.fold(Ty::Free, Ty::or))
            }
            Expr::Map(map) => {
                let (mut keys, mut values) = (Ty::Free, Ty::Free);
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        keys = keys.or(self.see(&entry.key));
                        values = values.or(self.see(&entry.value));
                    }
                }
                Ty::Map(Box::new(keys), Box::new(values))
            }
            Expr::Struct(_) | Expr::Unspecified => Ty::Dyn,
        };
        self.found.insert(expression.id, ty.clone());
        ty
    }

    fn ident(&self, name: &str) -> Ty<'d> {
        if let Some((_, ty)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return ty.clone();
        }
        match name {
            "self" => Ty::of(self.root),
            "oldSelf" if self.optional_old => Ty::optional(Ty::of(self.root)),
            "oldSelf" => Ty::of(self.root),
            _ => Ty::Type,
        }
    }

    fn comprehension(&mut self, c: &ComprehensionExpr) -> Ty<'d> {
        let (item, key, value) = self.see(&c.iter_range).items();
        let init = self.see(&c.accu_init);
        let before = self.bound.len();
        self.bound.push((c.accu_var.clone(), init.clone()));
        match &c.iter_var2 {
            Some(second) => {
                self.bound.push((c.iter_var.clone(), key));
                self.bound.push((second.clone(), value));
            }
            None => self.bound.push((c.iter_var.clone(), item)),
        }
        self.see(&c.loop_cond);
        let step = self.see(&c.loop_step);
        self.bound.truncate(before);
        self.bound.push((c.accu_var.clone(), init.or(step)));
        let result = self.see(&c.result);
        self.bound.truncate(before);
        result
    }

    fn call(&mut self, call: &CallExpr) -> Ty<'d> {
        let target = call.target.as_deref().map(|target| self.see(target));
        let args: Vec<Ty<'d>> = call.args.iter().map(|arg| self.see(arg)).collect();
        result(&call.func_name, target.as_ref(), &args)
    }
}

/// What stands in a field.
fn field<'d>(of: &Ty<'d>, name: &str) -> Ty<'d> {
    match of {
        Ty::Optional(of) => match field(of, name) {
            found @ Ty::Optional(_) => found,
            found => Ty::optional(found),
        },
        Ty::Map(_, value) => (**value).clone(),
        Ty::Object(Declared { kind: Kind::Object(fields), .. }) => {
            let found = fields.get(name).or_else(|| fields.get(&format!("__{name}__")));
            found.map_or(Ty::Dyn, Ty::of)
        }
        _ => Ty::Dyn,
    }
}

/// What stands at an index.
fn item<'d>(of: &Ty<'d>) -> Ty<'d> {
    match of {
        Ty::Optional(of) => Ty::optional(item(of)),
        Ty::List(of) | Ty::Map(_, of) => (**of).clone(),
        _ => Ty::Dyn,
    }
}

/// What a function gives.
fn result<'d>(name: &str, target: Option<&Ty<'d>>, args: &[Ty<'d>]) -> Ty<'d> {
    let arg = |at: usize| args.get(at).cloned().unwrap_or(Ty::Dyn);
    let own = || target.cloned().unwrap_or(Ty::Dyn);
    let inner = |ty: Ty<'d>| match ty {
        Ty::Optional(of) | Ty::List(of) => *of,
        _ => Ty::Dyn,
    };
    match name {
        "_+_" | "_-_" | "_*_" | "_/_" | "_%_" => arithmetic(arg(0), arg(1)),
        "-_" => arg(0),
        "_?_:_" => arg(1).or(arg(2)),
        "_[_]" => item(&arg(0)),
        "_[?_]" => match item(&arg(0)) {
            found @ Ty::Optional(_) => found,
            found => Ty::optional(found),
        },
        "_?._" => Ty::optional(Ty::Dyn),
        "cel.@mapInsert" => match args {
            [map, key, value] => {
                map.clone().or(Ty::Map(Box::new(key.clone()), Box::new(value.clone())))
            }
            _ => arg(0).or(arg(1)),
        },
        "optional.of" | "optional.ofNonZeroValue" => Ty::optional(arg(0)),
        "optional.none" => Ty::optional(Ty::Free),
        "value" | "sum" => inner(own()),
        "orValue" => inner(own()).or(arg(0)),
        "min" | "max" => inner(own()),
        "or" | "reverse" | "slice" | "distinct" | "sort" | "@sortByAssociatedKeys" => own(),
        "first" | "last" => Ty::optional(inner(own())),
        "flatten" => match own() {
            Ty::List(of) if matches!(*of, Ty::List(_)) => *of,
            other => other,
        },
        "lists.range" => Ty::list(Ty::Int),
        "split" | "findAll" => Ty::list(Ty::Text),
        "getQuery" => Ty::Map(Box::new(Ty::Text), Box::new(Ty::list(Ty::Text))),
        "validate" => Ty::optional(Ty::list(Ty::Text)),
        "format.named" => Ty::optional(Ty::Named("format")),
        name if name.starts_with("format.") => Ty::Named("format"),
        "add" | "sub" => Ty::Named("quantity"),
        "masked" => Ty::Named("cidr"),
        name => plain(name),
    }
}

fn arithmetic<'d>(a: Ty<'d>, b: Ty<'d>) -> Ty<'d> {
    match (a, b) {
        (Ty::Timestamp, Ty::Timestamp) => Ty::Duration,
        (Ty::Timestamp, _) | (_, Ty::Timestamp) => Ty::Timestamp,
        (a, b) if a.is_any() => b,
        (a, b) if b.is_any() => a,
        (a, b) => a.or(b),
    }
}

/// What functions give that always give the same type.
fn plain(name: &str) -> Ty<'static> {
    const TEXT: &str = " string charAt join lowerAscii upperAscii quote strings.quote replace \
        substring trim format find getScheme getHost getHostname getPort getEscapedPath reason \
        error jsonpatch.escapeKey ";
    const INT: &str = " int size indexOf lastIndexOf compareTo sign asInteger major minor patch \
        family prefixLength getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours \
        getMilliseconds getMinutes getMonth getSeconds ";
    const NAMED: [&str; 5] = ["ip", "cidr", "quantity", "url", "semver"];
    let is_of = |words: &str| words.contains(&format!(" {name} "));
    match name {
        "uint" => Ty::Uint,
        "double" | "asApproximateFloat" => Ty::Double,
        "bytes" => Ty::Bytes,
        "duration" => Ty::Duration,
        "timestamp" => Ty::Timestamp,
        "dyn" | "_?._" => Ty::Dyn,
        "type" => Ty::Type,
        _ if is_of(TEXT) => Ty::Text,
        _ if is_of(INT) => Ty::Int,
        name => NAMED.iter().find(|known| **known == name).map_or(Ty::Bool, |own| Ty::Named(own)),
    }
}
