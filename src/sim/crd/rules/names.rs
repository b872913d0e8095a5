//! What can be said of a rule before it runs: names and fields that are not there, and comparisons
//! of what cannot be equal. cel-go's checker says more.

use kube_cel::cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr};

use super::compile::shown;
use crate::object::schema::node::{Additional, Node};

/// What a rule is about.
#[derive(Clone, Copy)]
pub(super) struct Scope<'n> {
    pub(super) root: &'n Node,
    /// Whether it is an object of its own, whose type and name rules may use.
    pub(super) is_resource: bool,
}

/// What is known of a value in a rule.
#[derive(Clone, Copy)]
enum Known<'n> {
    /// A value of this schema; the flag says whether it is an object of its own.
    Of(&'n Node, bool),
    /// A value of this type.
    Type(&'static str),
    Any,
}

/// A fault, and the text in the source that it is about.
struct Fault {
    text: String,
    /// What stands where the caret is to be.
    at: String,
}

impl<'n> Scope<'n> {
    /// The first fault of an expression, as it is shown.
    pub(super) fn fault(self, source: &str, expression: &IdedExpr) -> Option<String> {
        let mut found = None;
        self.known(expression, &mut Vec::new(), &mut found);
        let fault: Fault = found?;
        let mut at = position(source, &fault.at)?;
        // A function is pointed at where its arguments begin.
        if fault.at.ends_with('(') {
            at += fault.at.len() - 1;
        }
        let before = &source[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rfind('\n').map_or(at, |newline| at - newline - 1) + 1;
        let (line, column) = (isize::try_from(line).ok()?, isize::try_from(column).ok()?);
        Some(shown(source, line, column, &fault.text))
    }

    /// The type of what an expression comes to, if it is known.
    pub(super) fn type_of(self, expression: &IdedExpr) -> Option<&'static str> {
        type_name(self.known(expression, &mut Vec::new(), &mut None))
    }

    fn known(
        self,
        expression: &IdedExpr,
        bound: &mut Vec<String>,
        fault: &mut Option<Fault>,
    ) -> Known<'n> {
        match &expression.expr {
            Expr::Ident(name) => self.ident(name, bound, fault),
            Expr::Literal(LiteralValue::Null) => Known::Any,
            Expr::Literal(literal) => Known::Type(literal_type(literal)),
            Expr::Select(select) => self.select(select, bound, fault),
            Expr::Call(call) => self.call(call, bound, fault),
            Expr::Comprehension(c) => {
                self.known(&c.iter_range, bound, fault);
                self.known(&c.accu_init, bound, fault);
                let before = bound.len();
                bound.extend([c.iter_var.clone(), c.accu_var.clone()]);
                bound.extend(c.iter_var2.clone());
                for part in [&c.loop_cond, &c.loop_step, &c.result] {
                    self.known(part, bound, fault);
                }
                bound.truncate(before);
                Known::Any
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.known(element, bound, fault);
                }
                Known::Any
            }
            Expr::Struct(of) => {
                let text = undeclared(&of.type_name);
                fault.get_or_insert(Fault { text, at: "{".to_owned() });
                Known::Any
            }
            Expr::Map(_) | Expr::Unspecified => Known::Any,
        }
    }

    fn ident(self, name: &str, bound: &[String], fault: &mut Option<Fault>) -> Known<'n> {
        if bound.iter().any(|known| known == name) {
            return Known::Any;
        }
        match name {
            "self" => Known::Of(self.root, self.is_resource),
            "oldSelf" => Known::Any,
            name if GLOBALS.contains(&name) || name.starts_with(['@', '#']) => Known::Any,
            name => {
                let text = undeclared(name);
                fault.get_or_insert(Fault { text, at: name.to_owned() });
                Known::Any
            }
        }
    }

    fn select(
        self,
        select: &SelectExpr,
        bound: &mut Vec<String>,
        fault: &mut Option<Fault>,
    ) -> Known<'n> {
        // A name with dots may be that of a function's library.
        if let Expr::Ident(name) = &select.operand.expr
            && GLOBALS.contains(&name.as_str())
        {
            return Known::Any;
        }
        let operand = self.known(&select.operand, bound, fault);
        let (found, missing) = field(operand, &select.field);
        if missing {
            let text = format!("undefined field '{}'", select.field);
            // What `has` asks for is told of at its bracket.
            let chain = chain(&select.operand.expr).filter(|_| select.test);
            let at = chain.map(|chain| format!("({chain}.{}", select.field));
            let at = at.unwrap_or_else(|| format!(".{}", select.field));
            fault.get_or_insert(Fault { text, at });
        }
        if select.test { Known::Type("bool") } else { found }
    }

    fn call(
        self,
        call: &CallExpr,
        bound: &mut Vec<String>,
        fault: &mut Option<Fault>,
    ) -> Known<'n> {
        if let Some(target) = &call.target {
            let is_library =
                matches!(&target.expr, Expr::Ident(name) if GLOBALS.contains(&name.as_str()));
            if !is_library {
                self.known(target, bound, fault);
            }
        }
        let name = call.func_name.as_str();
        if !FUNCTIONS.split(' ').any(|known| known == name)
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            let text = undeclared(name);
            fault.get_or_insert(Fault { text, at: format!("{name}(") });
        }
        if MACROS.split(' ').any(|known| known == name) {
            return Known::Any;
        }
        let args: Vec<Known<'n>> =
            call.args.iter().map(|arg| self.known(arg, bound, fault)).collect();
        match (call.func_name.as_str(), args.as_slice()) {
            ("_[_]", [Known::Of(node, _), _]) => item(node),
            (operator @ ("_==_" | "_!=_"), [a, b]) => {
                if let (Some(a), Some(b)) = (type_name(*a), type_name(*b))
                    && a != b
                {
                    let text = format!(
                        "found no matching overload for '{operator}' applied to '({a}, {b})'"
                    );
                    let at = operator.trim_matches('_').to_owned();
                    fault.get_or_insert(Fault { text, at });
                }
                Known::Type("bool")
            }
            ("_<_" | "_<=_" | "_>_" | "_>=_" | "_&&_" | "_||_" | "!_" | "@in", _) => {
                Known::Type("bool")
            }
            ("_?_:_", [_, a, _]) => *a,
            ("size", _) => Known::Type("int"),
            ("string", _) => Known::Type("string"),
            _ => Known::Any,
        }
    }
}

/// Names that stand for types and libraries.
pub(super) const GLOBALS: [&str; 22] = [
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional",
    "math",
    "sets",
    "cel",
    "base64",
    "strings",
    "google",
    "net",
    "kubernetes",
    "format",
    "ip",
    "lists",
];

/// Macros that name variables of their own, where they come as calls.
const MACROS: &str = "all bind exists exists_one existsOne filter map optFlatMap optMap sortBy \
    transformList transformMap transformMapEntry";

/// The functions that rules may call, of the language and of Kubernetes.
const FUNCTIONS: &str = "\
    abs add all allocatable allowed asApproximateFloat asInteger bind bitAnd bitNot bitOr \
    bitShiftLeft bitShiftRight bitXor bool byte bytes ceil charAt check cidr compareTo contains \
    containsCIDR containsIP date datetime decode denied distinct dns1035Label dns1035LabelPrefix \
    dns1123Label dns1123LabelPrefix dns1123Subdomain dns1123SubdomainPrefix double duration dyn \
    encode endsWith equals equivalent \
    error errored exists existsOne exists_one family fieldSelector filter find findAll first flatten \
    floor format getDate getDayOfMonth getDayOfWeek getDayOfYear getEscapedPath getFullYear \
    getHost getHostname getHours getMilliseconds getMinutes getMonth getPort getQuery \
    getScheme getSeconds greatest group has hasValue includes indexOf int intersects ip isCIDR \
    isCanonical isFinite isGlobalUnicast isGreaterThan isIP isInf isInteger isLessThan \
    isLinkLocalMulticast isLinkLocalUnicast isLoopback isNaN isQuantity isSemver isSorted \
    isURL isUnspecified join labelSelector labelValue last lastIndexOf least lowerAscii major map masked \
    matches max min minor named namespace none of ofNonZeroValue optFlatMap optMap or orValue \
    patch path prefixLength qualifiedName quantity quote range reason regex replace resource reverse round \
    semver serviceAccount sets sign size slice sort sortBy split sqrt startsWith string \
    strings sub subresource substring sum timestamp transformList transformMap \
    transformMapEntry trim trunc type uint unwrap unwrapOpt upperAscii uri url uuid validate value verb";

/// Where a text stands that does not go on after its end.
fn position(source: &str, text: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = text.ends_with(is_word);
    let is_it = |at: &usize| {
        let (before, after) = (&source[..*at], &source[at + text.len()..]);
        let begins = text.starts_with(is_word);
        let goes_on = word && after.starts_with(is_word);
        let went_before = begins && before.ends_with(is_word);
        // A function may be called on something, a name stands by itself.
        let is_field = word && begins && before.ends_with('.');
        !goes_on && !went_before && !is_field
    };
    source.match_indices(text).map(|(at, _)| at).find(is_it)
}

/// A name with the fields behind it, as it was written; `None` of what is put together otherwise.
fn chain(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", chain(&select.operand.expr)?, select.field)),
        _ => None,
    }
}

/// What stands in a field, and whether there is no such field.
fn field<'n>(of: Known<'n>, name: &str) -> (Known<'n>, bool) {
    let Known::Of(node, is_resource) = of else { return (Known::Any, false) };
    if node.ty != "object" || node.int_or_string {
        return (Known::Any, false);
    }
    if let Additional::Schema(schema) = &node.additional {
        return (Known::Of(schema, schema.embedded), false);
    }
    if is_resource && matches!(name, "apiVersion" | "kind" | "metadata") {
        return (Known::Any, false);
    }
    let mut properties = node.properties.iter();
    match properties.find(|(key, _)| super::values::is_written(key, name)) {
        Some((_, below)) => (Known::Of(below, below.embedded), !has_type(below)),
        None => (Known::Any, true),
    }
}

fn item(node: &Node) -> Known<'_> {
    match (&node.items, &node.additional) {
        (Some(items), _) => Known::Of(items, items.embedded),
        (None, Additional::Schema(schema)) => Known::Of(schema, schema.embedded),
        _ => Known::Any,
    }
}

/// The name of a type that is not put together from others.
fn type_name(known: Known<'_>) -> Option<&'static str> {
    match known {
        Known::Type(name) => Some(name),
        Known::Of(node, _) if node.int_or_string || node.nullable => None,
        Known::Of(node, _) => match (node.ty.as_str(), node.format.as_str()) {
            ("integer", _) => Some("int"),
            ("number", _) => Some("double"),
            ("boolean", _) => Some("bool"),
            ("string", "byte" | "date" | "date-time" | "duration") => None,
            ("string", _) => Some("string"),
            _ => None,
        },
        Known::Any => None,
    }
}

/// Whether rules can look at values of a schema: they cannot where nothing says what is in them.
fn has_type(node: &Node) -> bool {
    if node.int_or_string {
        return true;
    }
    match node.ty.as_str() {
        "array" => node.items.as_deref().is_some_and(has_type),
        "object" => match &node.additional {
            Additional::Schema(schema) => has_type(schema),
            _ => true,
        },
        "string" | "integer" | "number" | "boolean" => true,
        _ => false,
    }
}

/// What is said of a name that nothing declares.
pub(in crate::sim) fn undeclared(name: &str) -> String {
    format!("undeclared reference to '{name}' (in container '')")
}

/// The type of a literal, as rules name it.
pub(super) fn literal_type(literal: &LiteralValue) -> &'static str {
    match literal {
        LiteralValue::Boolean(_) => "bool",
        LiteralValue::Bytes(_) => "bytes",
        LiteralValue::Double(_) => "double",
        LiteralValue::Int(_) => "int",
        LiteralValue::String(_) => "string",
        LiteralValue::UInt(_) => "uint",
        LiteralValue::Null => "null_type",
    }
}
