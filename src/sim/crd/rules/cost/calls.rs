//! What a call costs, and how large what it gives is: the language's own functions by what their
//! arguments make of them, those of libraries by their names.

use kube_cel::cel::common::ast::{Expr, IdedExpr, LiteralValue};

use super::declared::Declared;
use super::path::Path;
use super::range::{Range, ceiled, float};
use super::types::Ty;

/// Of one byte or character of a text that is gone through.
pub(super) const TRAVERSAL: f64 = 0.1;
/// Of one character of a pattern.
const PATTERN: f64 = 0.25;
pub(super) const LIST: Range = Range::exactly(10);
const ONE: Range = Range::exactly(1);

/// An argument, or what a function is called on.
pub(super) struct Arg<'a, 'd> {
    pub(super) expression: &'a IdedExpr,
    pub(super) ty: &'a Ty<'d>,
    pub(super) path: Path,
    pub(super) size: Option<Range>,
}

impl Arg<'_, '_> {
    pub(super) fn size(&self) -> Range {
        self.size.unwrap_or(Range::UNKNOWN)
    }

    fn traversed(&self, times: f64) -> Range {
        self.size().scaled(times * TRAVERSAL)
    }

    /// The number that stands here as a literal.
    fn literal(&self) -> Option<u64> {
        match &self.expression.expr {
            Expr::Literal(LiteralValue::Int(number)) => {
                Some(u64::try_from(*number.inner()).unwrap_or(0))
            }
            _ => None,
        }
    }
}

/// What a call costs beside its arguments, and the size of what it gives where that is told.
pub(super) struct Estimate {
    pub(super) cost: Range,
    pub(super) size: Option<Range>,
}

const fn costs(cost: Range) -> Option<Estimate> {
    Some(Estimate { cost, size: None })
}

const fn gives(cost: Range, size: Range) -> Option<Estimate> {
    Some(Estimate { cost, size: Some(size) })
}

/// What an operator or function of the language is, by the types of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Of the same cost whatever is given.
    Plain,
    FormatText,
    ToBytes,
    ToText,
    Quote,
    Affix,
    InList,
    Matches,
    Contains,
    Logic,
    Conditional,
    AddText,
    AddList,
    Compare,
    IndexList,
    IndexMap,
}

/// All that a call may mean.
pub(super) fn meanings(name: &str, target: Option<&Arg>, args: &[Arg]) -> Vec<Meaning> {
    use Meaning::{AddList, AddText, Compare, InList, IndexList, IndexMap, Plain, ToBytes, ToText};
    let is_text = |ty: &Ty| matches!(ty, Ty::Text | Ty::Bytes);
    let (first, second) = (args.first().map(|arg| arg.ty), args.get(1).map(|arg| arg.ty));
    match (name, first, second) {
        ("_+_", Some(a), Some(b)) => match (a, b) {
            (a, b) if is_text(a) || is_text(b) => vec![AddText],
            (Ty::List(_), _) | (_, Ty::List(_)) => vec![AddList],
            (a, b) if a.is_any() && b.is_any() => vec![AddText, AddList, Plain],
            _ => vec![Plain],
        },
        ("_<_" | "_<=_" | "_>_" | "_>=_", Some(a), Some(b)) => match (a, b) {
            (a, b) if is_text(a) || is_text(b) => vec![Compare],
            (a, b) if a.is_any() && b.is_any() => vec![Compare, Plain],
            _ => vec![Plain],
        },
        ("_==_" | "_!=_", ..) => vec![Compare],
        ("_&&_" | "_||_", ..) => vec![Meaning::Logic],
        ("_?_:_", ..) => vec![Meaning::Conditional],
        ("@in", _, Some(Ty::List(_))) => vec![InList],
        ("@in", _, Some(of)) if of.is_any() => vec![InList, Plain],
        ("_[_]", Some(Ty::List(_)), _) => vec![IndexList],
        ("_[_]", Some(Ty::Map(..)), _) => vec![IndexMap],
        ("_[_]", Some(of), _) if of.is_any() => vec![IndexList, IndexMap],
        ("bytes", Some(Ty::Text), _) => vec![ToBytes],
        ("bytes", Some(of), _) if of.is_any() => vec![ToBytes, Plain],
        ("string", Some(Ty::Bytes), _) => vec![ToText],
        ("string", Some(of), _) if of.is_any() => vec![ToText, Plain],
        ("strings.quote", Some(_), _) => vec![Meaning::Quote],
        ("startsWith" | "endsWith", Some(_), None) => vec![Meaning::Affix],
        ("matches", Some(_), None) if target.is_some() => vec![Meaning::Matches],
        ("contains", Some(_), None) if target.is_some() => vec![Meaning::Contains],
        ("format", Some(_), None) if target.is_some() => vec![Meaning::FormatText],
        _ => vec![Plain],
    }
}

/// What a function of the language costs. Logic, choice and sums of lists are `walk`'s.
pub(super) fn of_language(meaning: Meaning, target: Option<&Arg>, args: &[Arg]) -> Estimate {
    let arg = |at: usize| args.get(at).map_or(Range::UNKNOWN, Arg::size);
    let own = || target.map_or(Range::UNKNOWN, Arg::size);
    let traversed = |size: Range| size.scaled(TRAVERSAL);
    let found = match meaning {
        Meaning::FormatText => costs(traversed(own())),
        Meaning::ToBytes => {
            let size = arg(0);
            gives(traversed(size), Range { max: size.max.wrapping_mul(4), ..size })
        }
        Meaning::ToText => {
            let size = arg(0);
            gives(traversed(size), Range { min: size.min / 4, ..size })
        }
        Meaning::Quote => {
            let size = arg(0);
            let max = size.max.wrapping_mul(2).wrapping_add(2);
            gives(traversed(size), Range { min: size.min.wrapping_add(2), max })
        }
        Meaning::Affix => costs(traversed(arg(0))),
        Meaning::InList => costs(arg(1).scaled(1.0)),
        Meaning::Matches => costs(traversed(own().plus(ONE)).times(arg(0).scaled(PATTERN))),
        Meaning::Contains => costs(traversed(own()).times(traversed(arg(0)))),
        Meaning::AddText => {
            let size = arg(0).plus(arg(1));
            gives(traversed(size), size)
        }
        Meaning::AddList => gives(ONE, arg(0).plus(arg(1))),
        Meaning::Compare => {
            let max = arg(0).max.min(arg(1).max);
            costs(traversed(Range { min: max.min(1), max }))
        }
        Meaning::Plain
        | Meaning::Logic
        | Meaning::Conditional
        | Meaning::IndexList
        | Meaning::IndexMap => None,
    };
    found.unwrap_or(Estimate { cost: ONE, size: None })
}

/// What a function of a library costs; `None` for those that cost as the language says.
pub(super) fn of_library(
    name: &str,
    target: Option<&Arg>,
    args: &[Arg],
    root: &Declared,
) -> Option<Estimate> {
    const NOMINAL: &str = " serviceAccount path group resource subresource namespace name allowed \
        reason error errored masked prefixLength family isUnspecified isLoopback \
        isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger \
        isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch \
        getScheme getHostname getHost getPort getEscapedPath getQuery ";
    if let Some(found) = of_lists(name, target, args) {
        return Some(found);
    }
    if NOMINAL.contains(&format!(" {name} ")) {
        return costs(ONE);
    }
    match (name, target, args) {
        ("check", ..) => costs(Range::exactly(350_000)),
        ("fieldSelector" | "labelSelector", _, [selector]) => costs(of_selector(selector.size())),
        ("isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf", Some(list), _) => {
            costs(each_compared(list, root))
        }
        ("url" | "jsonpatch.escapeKey", _, [text]) => gives(text.traversed(1.0), text.size()),
        ("lowerAscii" | "upperAscii" | "substring" | "trim", Some(text), _) => {
            gives(text.traversed(1.0), text.size())
        }
        ("replace", Some(text), [old, new, ..]) => {
            gives(text.traversed(2.0), replaced(text.size(), old.size(), new.size()))
        }
        ("split", Some(text), _) => {
            let limit = args.get(1).and_then(Arg::literal);
            gives(text.traversed(2.0), Range::up_to(limit.unwrap_or(text.size().max)))
        }
        ("join", Some(list), _) => {
            let size = joined(list, args.first(), root);
            gives(size.scaled(TRAVERSAL), size)
        }
        ("find" | "findAll", Some(text), [pattern, ..]) => {
            let size = text.size();
            let cost = size.plus(ONE).scaled(TRAVERSAL).times(pattern.size().scaled(PATTERN));
            gives(cost, Range::up_to(size.max))
        }
        ("ip", Some(_), []) => costs(ONE),
        ("cidr" | "isIP" | "isCIDR" | "ip", _, [text, ..])
        | ("quantity" | "isQuantity" | "semver" | "isSemver", _, [text, ..]) => {
            costs(text.traversed(1.0))
        }
        ("ip.isCanonical", _, [text, ..]) => costs(text.traversed(2.0)),
        ("containsIP" | "containsCIDR", _, [other, ..]) => costs(within(name, other)),
        // A format's own pattern is taken to be of 128 characters.
        ("validate", _, [text, ..]) => costs(text.traversed(1.0).scaled(128.0 * PATTERN)),
        ("_==_", _, [a, b]) if a.ty == b.ty => match a.ty {
            Ty::Named("ip" | "cidr" | "quantity" | "semver") => costs(ONE),
            Ty::Named("format") => costs(Range { min: 1, max: 64 }.scaled(TRAVERSAL)),
            Ty::Named("url") => {
                let max = b.size.map_or(1, |size| size.max);
                costs(Range { min: 1, max }.scaled(TRAVERSAL))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The functions on lists and sets that came with the language's extensions.
fn of_lists(name: &str, target: Option<&Arg>, args: &[Arg]) -> Option<Estimate> {
    let makes = |factor: f64, size: Range| gives(size.scaled(factor).plus(ONE).plus(LIST), size);
    let squared = |of: &Arg, factor: f64| makes(factor, of.size().times(of.size()));
    let sorted = |by: &Arg| match by.ty {
        Ty::List(of) if !matches!(**of, Ty::Text | Ty::Bytes) && !of.is_any() => squared(by, 2.0),
        _ => squared(by, 2.0 + TRAVERSAL),
    };
    match (name, target, args) {
        ("slice", Some(list), [start, end]) => {
            let end = end.literal().unwrap_or(list.size().max);
            makes(1.0, Range::exactly(end.wrapping_sub(start.literal().unwrap_or(0))))
        }
        ("flatten", Some(list), []) => makes(1.0, list.size()),
        ("flatten", Some(list), [depth]) => {
            makes(float(depth.literal().unwrap_or(u64::MAX)), list.size())
        }
        ("lists.range", None, [count]) => {
            makes(1.0, Range::exactly(count.literal().unwrap_or(u64::MAX)))
        }
        ("reverse", Some(list), []) => makes(1.0, list.size()),
        ("distinct", Some(list), []) => squared(list, 2.0),
        ("sort", Some(list), []) => sorted(list),
        ("@sortByAssociatedKeys", Some(_), [keys]) => sorted(keys),
        ("sets.contains" | "sets.intersects", None, [a, b]) => {
            costs(a.size().times(b.size()).scaled(1.0).plus(ONE))
        }
        ("sets.equivalent", None, [a, b]) => costs(a.size().times(b.size()).scaled(2.0).plus(ONE)),
        _ => None,
    }
}

/// A list or map of requirements, a struct each, of two characters at least.
fn of_selector(length: Range) -> Range {
    LIST.plus(length.scaled(TRAVERSAL)).plus(length.scaled(0.5).scaled(50.0))
}

/// The size of what stands in a list, by where the list stands.
fn item_size(list: &Arg, root: &Declared) -> Range {
    let at = (!list.path.is_empty()).then(|| list.path.alone().below("@items"));
    let most = at.and_then(|path| path.elements_max(root));
    most.map_or(Range::UNKNOWN, Range::up_to)
}

fn each_compared(list: &Arg, root: &Declared) -> Range {
    match list.ty.parameter() {
        Some(Ty::Text | Ty::Bytes) => {
            list.size().times(ONE.plus(item_size(list, root).scaled(TRAVERSAL)))
        }
        Some(_) => list.size(),
        None => list.traversed(1.0),
    }
}

fn joined(list: &Arg, separator: Option<&Arg>, root: &Declared) -> Range {
    let count = list.size();
    let items = match list.ty.parameter() {
        Some(_) => count.times(item_size(list, root)),
        None => Range::default(),
    };
    let between = Range { min: count.min.saturating_sub(1), max: count.max.saturating_sub(1) };
    match separator {
        Some(separator) => items.plus(separator.size().times(between)),
        None => items,
    }
}

/// The size of a text in which `old` was replaced by `new`.
fn replaced(text: Range, old: Range, new: Range) -> Range {
    let (mut count, mut kept) = (Range::default(), Range::default());
    if old.min == 0 {
        (count.max, kept.max) = (text.max.saturating_add(1), text.max);
    } else if new.max <= old.min {
        kept.max = text.max;
    } else {
        count.max = divided(text.max, old.min);
    }
    if old.max == 0 {
        (count.min, kept.min) = (text.min.saturating_add(1), text.min);
    } else if old.max <= new.min {
        kept.min = text.min;
    } else {
        count.min = divided(text.min, old.max);
    }
    count.times(new).plus(kept)
}

fn divided(whole: u64, by: u64) -> u64 {
    ceiled(float(whole) / float(by))
}

/// Whether an address or a range is in a range: two addresses are compared, and read if they are
/// texts.
fn within(name: &str, other: &Arg) -> Range {
    let address = Range { min: 4, max: 16 };
    let mut cost = address.plus(address).scaled(TRAVERSAL);
    if name == "containsCIDR" {
        cost = cost.plus(address.scaled(TRAVERSAL)).plus(ONE);
    }
    match other.ty {
        Ty::Text | Ty::Dyn => cost.plus(other.traversed(1.0)),
        _ => cost,
    }
}
