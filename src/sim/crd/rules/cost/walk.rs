//! The estimate of a whole expression: part by part, in upstream's order.

use std::collections::BTreeMap;

use kube_cel::cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr,
};

use super::calls::{Arg, Estimate, LIST, Meaning, meanings, of_language, of_library};
use super::declared::Declared;
use super::expand::RESULT;
use super::path::Path;
use super::range::Range;
use super::types::{Ty, Types};

const ONE: Range = Range::exactly(1);
const MAP: Range = Range::exactly(30);
const STRUCT: Range = Range::exactly(40);

/// How large what stands in a list or map is.
#[derive(Clone, Copy)]
struct Entries {
    is_list: bool,
    key: Range,
    value: Range,
}

impl Entries {
    fn or(self, other: Self) -> Self {
        Self { key: self.key.or(other.key), value: self.value.or(other.value), ..self }
    }
}

/// A name that the expression itself gives.
#[derive(Clone)]
struct Local {
    name: String,
    path: Path,
    size: Option<Range>,
    entries: Option<Entries>,
}

/// What is known while an expression is walked through.
pub(super) struct Walk<'a, 'd> {
    root: &'d Declared,
    types: &'a Types<'d>,
    locals: Vec<Local>,
    paths: BTreeMap<u64, Path>,
    sizes: BTreeMap<u64, Range>,
    entries: BTreeMap<u64, Entries>,
}

impl<'a, 'd> Walk<'a, 'd> {
    pub(super) fn new(root: &'d Declared, types: &'a Types<'d>) -> Self {
        Self {
            root,
            types,
            locals: Vec::new(),
            paths: BTreeMap::new(),
            sizes: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }

    /// What an expression may cost.
    pub(super) fn cost(&mut self, expression: &IdedExpr) -> Range {
        match &expression.expr {
            Expr::Literal(_) | Expr::Unspecified => Range::default(),
            Expr::Ident(name) => {
                let local = self.local(name).map(|local| local.path.clone());
                let path = local.unwrap_or_else(|| Path::of_variable(name));
                self.paths.insert(expression.id, path);
                ONE
            }
            Expr::Select(select) => self.select(expression.id, select),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(list) => self.list(expression.id, &list.elements),
            Expr::Map(map) => {
                let entries: Vec<&EntryExpr> = map.entries.iter().map(|e| &e.expr).collect();
                self.map(expression.id, &entries)
            }
            Expr::Struct(of) => of.entries.iter().fold(STRUCT, |sum, entry| match &entry.expr {
                EntryExpr::StructField(field) => sum.plus(self.cost(&field.value)),
                EntryExpr::MapEntry(entry) => sum.plus(self.cost(&entry.value)),
            }),
            Expr::Comprehension(c) if is_bind(c) => self.bind(expression.id, c),
            Expr::Comprehension(c) => self.comprehension(expression.id, c),
        }
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.iter().rev().find(|local| local.name == name)
    }

    fn local_of(&self, expression: &IdedExpr) -> Option<&Local> {
        match &expression.expr {
            Expr::Ident(name) => self.local(name),
            _ => None,
        }
    }

    fn path(&self, expression: &IdedExpr) -> Path {
        match self.local_of(expression) {
            Some(local) => local.path.clone(),
            None => self.paths.get(&expression.id).cloned().unwrap_or_default(),
        }
    }

    fn entries(&self, expression: &IdedExpr) -> Option<Entries> {
        let own = self.entries.get(&expression.id).copied();
        own.or_else(|| self.local_of(expression)?.entries)
    }

    fn size(&mut self, expression: &IdedExpr) -> Option<Range> {
        if let Some(size) = self.sizes.get(&expression.id) {
            return Some(*size);
        }
        if let Some(size) = written_size(&expression.expr) {
            return Some(size);
        }
        if let Some(most) = self.path(expression).elements_max(self.root) {
            self.sizes.insert(expression.id, Range::up_to(most));
            return Some(Range::up_to(most));
        }
        if self.types.get(expression).is_scalar() {
            return Some(ONE);
        }
        self.local_of(expression)?.size
    }

    fn size_or_unknown(&mut self, expression: &IdedExpr) -> Range {
        self.size(expression).unwrap_or(Range::UNKNOWN)
    }

    fn select(&mut self, id: u64, select: &SelectExpr) -> Range {
        let operand = self.cost(&select.operand);
        if select.test {
            return operand;
        }
        let ty = self.types.get(&select.operand);
        let counts = match ty {
            Ty::Map(..) | Ty::Object(_) => true,
            Ty::Named(name) => !matches!(*name, "ip" | "cidr"),
            _ => false,
        };
        let path = self.path(&select.operand).below(&select.field);
        self.paths.insert(id, path);
        if counts { operand.plus(ONE) } else { operand }
    }

    fn list(&mut self, id: u64, elements: &[IdedExpr]) -> Range {
        let mut cost = Range::default();
        let mut value = if elements.is_empty() { Range::default() } else { Range::NONE };
        for element in elements {
            cost = cost.plus(self.cost(element));
            value = value.or(self.size_or_unknown(element));
        }
        self.entries.insert(id, Entries { is_list: true, key: ONE, value });
        cost.plus(LIST)
    }

    fn map(&mut self, id: u64, all: &[&EntryExpr]) -> Range {
        let mut cost = Range::default();
        let first = if all.is_empty() { Range::default() } else { Range::NONE };
        let (mut key, mut value) = (first, first);
        for entry in all {
            if let EntryExpr::MapEntry(entry) = entry {
                cost = cost.plus(self.cost(&entry.key)).plus(self.cost(&entry.value));
                key = key.or(self.size_or_unknown(&entry.key));
                value = value.or(self.size_or_unknown(&entry.value));
            }
        }
        self.entries.insert(id, Entries { is_list: false, key, value });
        cost.plus(MAP)
    }

    /// A name for what an expression comes to.
    fn name(&mut self, name: &str, of: &IdedExpr) {
        let (path, entries) = (self.path(of), self.entries(of));
        let size = self.size(of);
        self.locals.push(Local { name: name.to_owned(), path, size, entries });
    }

    /// Names for what an iteration gives.
    fn iterate(&mut self, c: &ComprehensionExpr) {
        let entries = self.entries(&c.iter_range);
        let is_list = match entries {
            Some(entries) => entries.is_list,
            None => matches!(self.types.get(&c.iter_range), Ty::List(_)),
        };
        let key = (if is_list { "@indices" } else { "@keys" }, entries.map(|e| e.key));
        let value = (if is_list { "@items" } else { "@values" }, entries.map(|e| e.value));
        let given = match &c.iter_var2 {
            Some(second) => vec![(&c.iter_var, key), (second, value)],
            None => vec![(&c.iter_var, if is_list { value } else { key })],
        };
        for (name, (step, size)) in given {
            let path = self.path(&c.iter_range).below(step);
            self.locals.push(Local { name: name.clone(), path, size, entries: None });
        }
    }

    fn comprehension(&mut self, id: u64, c: &ComprehensionExpr) -> Range {
        let before = self.locals.len();
        let head = self.cost(&c.iter_range).plus(self.cost(&c.accu_init));
        self.name(&c.accu_var, &c.accu_init);
        self.iterate(c);
        let condition = self.cost(&c.loop_cond);
        let step = self.cost(&c.loop_step);
        self.locals.truncate(before + 1);
        let result = self.cost(&c.result);
        self.locals.truncate(before);
        let count = self.size_or_unknown(&c.iter_range);
        match &c.accu_init.expr {
            Expr::Literal(_) => {
                if let Some(size) = self.size(&c.accu_init) {
                    self.sizes.insert(id, size);
                }
            }
            Expr::List(_) | Expr::Map(_) => {
                self.sizes.insert(id, count);
                if let Some(entries) = self.entries(&c.loop_step) {
                    self.entries.insert(id, entries);
                }
            }
            _ => {}
        }
        head.plus(result).plus(count.times(step.plus(condition)))
    }

    fn bind(&mut self, id: u64, c: &ComprehensionExpr) -> Range {
        let before = self.locals.len();
        let head = self.cost(&c.iter_range).plus(self.cost(&c.accu_init));
        self.name(&c.accu_var, &c.accu_init);
        let result = self.cost(&c.result);
        self.locals.truncate(before);
        self.copy(id, &c.result);
        head.plus(result)
    }

    /// Gives a part the sizes of another.
    fn copy(&mut self, id: u64, from: &IdedExpr) {
        if let Some(size) = self.size(from) {
            self.sizes.insert(id, size);
        }
        if let Some(entries) = self.entries(from) {
            self.entries.insert(id, entries);
        }
    }

    fn arg<'e>(&mut self, expression: &'e IdedExpr) -> Arg<'e, 'd>
    where
        'a: 'e,
    {
        let size = self.size(expression);
        Arg { expression, ty: self.types.get(expression), path: self.path(expression), size }
    }

    fn call<'e>(&mut self, expression: &'e IdedExpr, call: &'e CallExpr) -> Range
    where
        'a: 'e,
    {
        if let ("dyn", [arg]) = (call.func_name.as_str(), call.args.as_slice()) {
            let cost = self.cost(arg);
            self.copy(expression.id, arg);
            return cost.plus(ONE);
        }
        let (mut args, mut costs) = (Vec::new(), Vec::new());
        for arg in &call.args {
            costs.push(self.cost(arg));
            args.push(self.arg(arg));
        }
        let mut own = Range::default();
        let target = call.target.as_deref().map(|target| {
            own = self.cost(target);
            self.arg(target)
        });
        let (mut cost, mut size) = (Range::NONE, None);
        for meaning in meanings(&call.func_name, target.as_ref(), &args) {
            let found = self.means(expression, call, meaning, target.as_ref(), (&args, &costs));
            cost = cost.or(found.cost);
            size = match (size, found.size) {
                (Some(size), Some(other)) => Some(Range::or(size, other)),
                (size, other) => size.or(other),
            };
            if let (Meaning::IndexList | Meaning::IndexMap, [of, ..]) = (meaning, &call.args[..]) {
                size = self.entries(of).map(|entries| entries.value);
                let step = if meaning == Meaning::IndexList { "@items" } else { "@values" };
                let path = self.path(of).below(step);
                self.paths.insert(expression.id, path);
            }
            size = size.or_else(|| self.size(expression));
        }
        if let Some(size) = size {
            self.sizes.insert(expression.id, size);
        }
        own.plus(cost)
    }

    /// What a call costs in one of its meanings, its arguments with it.
    fn means(
        &mut self,
        expression: &IdedExpr,
        call: &CallExpr,
        meaning: Meaning,
        target: Option<&Arg>,
        (args, costs): (&[Arg], &[Range]),
    ) -> Estimate {
        let sum = costs.iter().fold(Range::default(), |sum, cost| sum.plus(*cost));
        if let Some(found) = of_library(&call.func_name, target, args, self.root) {
            return Estimate { cost: found.cost.plus(sum), ..found };
        }
        match (meaning, args, costs) {
            (Meaning::Logic, _, [first, second]) => {
                // The second may not be looked at.
                let cost = Range { min: first.min, max: first.plus(*second).max };
                Estimate { cost, size: None }
            }
            (Meaning::Conditional, [_, yes, no], [first, second, third]) => {
                self.either(expression.id, yes, no);
                let cost = first.plus(second.or(*third));
                Estimate { cost, size: Some(yes.size().or(no.size())) }
            }
            (Meaning::AddText | Meaning::AddList, [a, b], _) => {
                self.either(expression.id, a, b);
                let found = of_language(meaning, target, args);
                Estimate { cost: found.cost.plus(sum), ..found }
            }
            _ => {
                let found = of_language(meaning, target, args);
                Estimate { cost: found.cost.plus(sum), ..found }
            }
        }
    }

    /// What stands in the result may be of the one or of the other.
    fn either(&mut self, id: u64, a: &Arg, b: &Arg) {
        if let (Some(a), Some(b)) = (self.entries(a.expression), self.entries(b.expression)) {
            self.entries.insert(id, a.or(b));
        }
    }
}

/// Whether an iteration only names a value.
fn is_bind(c: &ComprehensionExpr) -> bool {
    let is_over_nothing =
        matches!(&c.iter_range.expr, Expr::List(list) if list.elements.is_empty());
    let ends =
        matches!(&c.loop_cond.expr, Expr::Literal(LiteralValue::Boolean(go)) if !*go.inner());
    is_over_nothing && ends && c.accu_var != RESULT
}

/// The size of what is written down.
fn written_size(expr: &Expr) -> Option<Range> {
    let count = match expr {
        Expr::Literal(LiteralValue::String(text)) => text.inner().chars().count(),
        Expr::Literal(LiteralValue::Bytes(bytes)) => bytes.inner().len(),
        Expr::Literal(_) => 1,
        Expr::List(list) => list.elements.len(),
        Expr::Map(map) => map.entries.len(),
        _ => return None,
    };
    Some(Range::exactly(count as u64))
}
