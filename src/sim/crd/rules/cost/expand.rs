//! An expression in the form that upstream estimates: the macros that come as calls written out,
//! functions of libraries under their full names, each part with a number of its own.

use kube_cel::cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr,
};

/// The accumulator of a macro.
pub(super) const RESULT: &str = "@result";
const SORTED: &str = "@__sortBy_input__";

/// Functions that stand behind the name of their library.
const QUALIFIED: &str = " sets.contains sets.equivalent sets.intersects optional.of \
    optional.none optional.ofNonZeroValue strings.quote lists.range ip.isCanonical format.named \
    format.dns1123Label format.dns1123Subdomain format.dns1035Label format.qualifiedName \
    format.dns1123LabelPrefix format.dns1123SubdomainPrefix format.dns1035LabelPrefix \
    format.labelValue format.uri format.uuid format.byte format.date format.datetime ";

/// Writes an expression out.
pub(super) fn expanded(expression: &IdedExpr) -> IdedExpr {
    let mut expression = expression.clone();
    let mut next = 0;
    expand(&mut expression);
    number(&mut expression, &mut next);
    expression
}

/// Calls `act` for each part of an expression.
fn each(expression: &mut IdedExpr, act: &mut dyn FnMut(&mut IdedExpr)) {
    match &mut expression.expr {
        Expr::Call(call) => {
            call.target.as_deref_mut().into_iter().chain(&mut call.args).for_each(act);
        }
        Expr::Comprehension(c) => {
            let c = &mut **c;
            let head = [&mut c.iter_range, &mut c.accu_init, &mut c.loop_cond];
            head.into_iter().chain([&mut c.loop_step, &mut c.result]).for_each(act);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(act),
        Expr::Map(MapExpr { entries }) => entries.iter_mut().for_each(|e| entry(&mut e.expr, act)),
        Expr::Struct(of) => of.entries.iter_mut().for_each(|e| entry(&mut e.expr, act)),
        Expr::Select(select) => act(&mut select.operand),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

fn entry(entry: &mut EntryExpr, act: &mut dyn FnMut(&mut IdedExpr)) {
    match entry {
        EntryExpr::StructField(field) => act(&mut field.value),
        EntryExpr::MapEntry(entry) => {
            act(&mut entry.key);
            act(&mut entry.value);
        }
    }
}

fn number(expression: &mut IdedExpr, next: &mut u64) {
    *next += 1;
    expression.id = *next;
    each(expression, &mut |part| number(part, next));
}

fn expand(expression: &mut IdedExpr) {
    each(expression, &mut expand);
    let Expr::Call(call) = &mut expression.expr else { return };
    if let Some(written) = macro_of(call) {
        expression.expr = written;
        return;
    }
    let Some(Expr::Ident(library)) = call.target.as_deref().map(|target| &target.expr) else {
        return;
    };
    let name = format!("{library}.{}", call.func_name);
    if QUALIFIED.contains(&format!(" {name} ")) {
        call.func_name = name;
        call.target = None;
    }
}

/// What a macro stands for.
fn macro_of(call: &CallExpr) -> Option<Expr> {
    let target = call.target.as_deref()?;
    let args = call.args.as_slice();
    let name = |at: usize| match args.get(at).map(|arg| &arg.expr) {
        Some(Expr::Ident(name)) => Some(name.as_str()),
        _ => None,
    };
    match (call.func_name.as_str(), args.len()) {
        ("optMap", 2) => Some(opt_map(target, name(0)?, &args[1], true)),
        ("optFlatMap", 2) => Some(opt_map(target, name(0)?, &args[1], false)),
        ("sortBy", 2) => {
            let input = || ident(SORTED);
            let step = add(result(), list(vec![args[1].clone()]));
            let keys = over(&input(), (name(0)?, None), list(vec![]), yes(), step, result());
            let sort = member("@sortByAssociatedKeys", input(), vec![of(keys)]);
            Some(bind(SORTED, target.clone(), sort))
        }
        (of_two, 3 | 4) => two_variables(of_two, target, (name(0)?, Some(name(1)?)), &args[2..]),
        _ => None,
    }
}

fn opt_map(target: &IdedExpr, name: &str, body: &IdedExpr, wraps: bool) -> Expr {
    let value = member("value", target.clone(), vec![]);
    let bound = of(bind(name, value, body.clone()));
    let some = if wraps { function("optional.of", vec![bound]) } else { bound };
    let has = member("hasValue", target.clone(), vec![]);
    function("_?_:_", vec![has, some, function("optional.none", vec![])]).expr
}

/// A macro that iterates over keys and values.
fn two_variables(
    name: &str,
    range: &IdedExpr,
    vars: (&str, Option<&str>),
    rest: &[IdedExpr],
) -> Option<Expr> {
    let body = rest.last()?.clone();
    let filter = (rest.len() == 2).then(|| rest[0].clone());
    let filtered = |step: IdedExpr| match filter.clone() {
        Some(filter) => function("_?_:_", vec![filter, step, result()]),
        None => step,
    };
    let goes_on = |arg: IdedExpr| function("@not_strictly_false", vec![arg]);
    let one = || of(Expr::Literal(LiteralValue::Int(1.into())));
    let no_map = || of(Expr::Map(MapExpr { entries: vec![] }));
    let insert = |args: Vec<IdedExpr>| function("cel.@mapInsert", args);
    Some(match name {
        "all" if filter.is_none() => {
            let step = function("_&&_", vec![result(), body]);
            over(range, vars, yes(), goes_on(result()), step, result())
        }
        "exists" if filter.is_none() => {
            let step = function("_||_", vec![result(), body]);
            let goes_on = goes_on(function("!_", vec![result()]));
            over(range, vars, truth(false), goes_on, step, result())
        }
        "existsOne" | "exists_one" if filter.is_none() => {
            let step = function("_?_:_", vec![body, add(result(), one()), result()]);
            let zero = of(Expr::Literal(LiteralValue::Int(0.into())));
            let found = function("_==_", vec![result(), one()]);
            over(range, vars, zero, yes(), step, found)
        }
        "transformList" => {
            let step = filtered(add(result(), list(vec![body])));
            over(range, vars, list(vec![]), yes(), step, result())
        }
        "transformMap" => {
            let step = filtered(insert(vec![result(), ident(vars.0), body]));
            over(range, vars, no_map(), yes(), step, result())
        }
        "transformMapEntry" => {
            let step = filtered(insert(vec![result(), body]));
            over(range, vars, no_map(), yes(), step, result())
        }
        _ => return None,
    })
}

fn over(
    range: &IdedExpr,
    (first, second): (&str, Option<&str>),
    accu_init: IdedExpr,
    loop_cond: IdedExpr,
    loop_step: IdedExpr,
    result: IdedExpr,
) -> Expr {
    Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: range.clone(),
        iter_var: first.to_owned(),
        iter_var2: second.map(str::to_owned),
        accu_var: RESULT.to_owned(),
        accu_init,
        loop_cond,
        loop_step,
        result,
    }))
}

/// A name for a value within `body`: an iteration over nothing, whose accumulator is the name.
fn bind(name: &str, value: IdedExpr, body: IdedExpr) -> Expr {
    Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: list(vec![]),
        iter_var: "#unused".to_owned(),
        iter_var2: None,
        accu_var: name.to_owned(),
        accu_init: value,
        loop_cond: truth(false),
        loop_step: ident(name),
        result: body,
    }))
}

fn of(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

fn ident(name: &str) -> IdedExpr {
    of(Expr::Ident(name.to_owned()))
}

fn result() -> IdedExpr {
    ident(RESULT)
}

fn list(elements: Vec<IdedExpr>) -> IdedExpr {
    of(Expr::List(ListExpr::new(elements)))
}

fn truth(value: bool) -> IdedExpr {
    of(Expr::Literal(LiteralValue::Boolean(value.into())))
}

fn yes() -> IdedExpr {
    truth(true)
}

fn add(a: IdedExpr, b: IdedExpr) -> IdedExpr {
    function("_+_", vec![a, b])
}

fn function(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    of(Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }))
}

fn member(name: &str, target: IdedExpr, args: Vec<IdedExpr>) -> IdedExpr {
    let target = Some(Box::new(target));
    of(Expr::Call(CallExpr { func_name: name.to_owned(), target, args }))
}
