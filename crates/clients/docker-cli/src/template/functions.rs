//! Go's predefined functions and the ones that docker adds.

use super::printf::sprintf;
use super::value::{Kind, Value};
use std::cmp::Ordering;

/// For what a template is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// To data.
    Values,
    /// To a table's titles, which only `pad` and printing may change.
    Titles,
}

const NAMES: &[&str] = &[
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "printf",
    "println", "html", "js", "urlquery", "json", "split", "join", "title", "lower", "upper", "pad",
    "truncate",
];

pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

type Answer = Result<Value, String>;

pub(super) fn call(name: &str, mut arguments: Vec<Value>, set: Set) -> Answer {
    if set == Set::Titles
        && matches!(name, "json" | "split" | "join" | "title" | "lower" | "upper" | "truncate")
        && !arguments.is_empty()
    {
        return Ok(arguments.swap_remove(0));
    }
    match name {
        "and" | "or" => arguments.pop().ok_or_else(|| "missing argument".to_owned()),
        "not" => Ok(Value::Bool(!one(&arguments)?.truth())),
        "eq" => equal_to_any(&arguments).map(Value::Bool),
        "ne" => equal_to_any(&arguments).map(|same| Value::Bool(!same)),
        "lt" => order(&arguments).map(|order| Value::Bool(order.is_lt())),
        "le" => order(&arguments).map(|order| Value::Bool(order.is_le())),
        "gt" => order(&arguments).map(|order| Value::Bool(order.is_gt())),
        "ge" => order(&arguments).map(|order| Value::Bool(order.is_ge())),
        "len" => length(one(&arguments)?),
        "index" => index(arguments),
        "slice" => slice(&arguments),
        "print" => Ok(Value::Str(print(&arguments))),
        "println" => {
            let words: Vec<String> = arguments.iter().map(Value::to_string).collect();
            Ok(Value::Str(words.join(" ") + "\n"))
        }
        "printf" => {
            let (format, rest) = arguments.split_first().ok_or("missing format")?;
            Ok(Value::Str(sprintf(&text(format)?, rest)))
        }
        "html" => Ok(Value::Str(escape_html(&print(&arguments)))),
        "js" => {
            Ok(Value::Str(print(&arguments).replace('\\', "\\\\").replace('\'', "\\'").replace('"', "\\\"")))
        }
        "urlquery" => Ok(Value::Str(url_query(&print(&arguments)))),
        "json" => Ok(Value::Str(one(&arguments)?.to_json())),
        "split" => match arguments.as_slice() {
            [whole, separator] => Ok(split(&text(whole)?, &text(separator)?)),
            _ => Err(wrong_count("split", 2, &arguments)),
        },
        "join" => match arguments.as_slice() {
            [Value::List(items), separator] => {
                let words: Vec<String> = items.iter().map(Value::to_string).collect();
                Ok(Value::Str(words.join(&text(separator)?)))
            }
            [Value::Null | Value::Nil, _] => Ok(Value::from("")),
            [_, _] => Err("wrong type for value; expected []string".to_owned()),
            _ => Err(wrong_count("join", 2, &arguments)),
        },
        "title" => Ok(Value::Str(title(&text(one(&arguments)?)?))),
        "lower" => Ok(Value::Str(text(one(&arguments)?)?.to_lowercase())),
        "upper" => Ok(Value::Str(text(one(&arguments)?)?.to_uppercase())),
        "pad" => match arguments.as_slice() {
            [source, Value::Int(before), Value::Int(after)] => {
                Ok(Value::Str(pad(&text(source)?, *before, *after)))
            }
            _ => Err(wrong_count("pad", 3, &arguments)),
        },
        "truncate" => match arguments.as_slice() {
            [source, Value::Int(length)] => {
                Ok(Value::Str(text(source)?.chars().take(usize::try_from(*length).unwrap_or(0)).collect()))
            }
            _ => Err(wrong_count("truncate", 2, &arguments)),
        },
        _ => Err(format!("function {name:?} not defined")),
    }
}

fn wrong_count(name: &str, want: usize, arguments: &[Value]) -> String {
    format!("wrong number of args for {name}: want {want} got {}", arguments.len())
}

fn one(arguments: &[Value]) -> Result<&Value, String> {
    match arguments {
        [value] => Ok(value),
        _ => Err(format!("want 1 got {}", arguments.len())),
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Null | Value::Nil => Ok(String::new()),
        other => Err(format!("wrong type for value; expected string; got {other}")),
    }
}

fn equal_to_any(arguments: &[Value]) -> Result<bool, String> {
    match arguments.split_first() {
        Some((first, rest)) if !rest.is_empty() => {
            rest.iter().try_fold(false, |found, other| Ok(found || equal(first, other)?))
        }
        _ => Err("missing argument for comparison".to_owned()),
    }
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Null | Value::Nil, Value::Null | Value::Nil) => Ok(true),
        (Value::Null | Value::Nil, _) | (_, Value::Null | Value::Nil) => Ok(false),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Str(a), Value::Str(b)) => Ok(a == b),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn order(arguments: &[Value]) -> Result<Ordering, String> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => Ok(a.cmp(b)),
        [Value::Float(a), Value::Float(b)] => a.partial_cmp(b).ok_or_else(|| "not a number".to_owned()),
        [Value::Str(a), Value::Str(b)] => Ok(a.cmp(b)),
        [_, _] => Err("incompatible types for comparison".to_owned()),
        _ => Err("missing argument for comparison".to_owned()),
    }
}

fn length(value: &Value) -> Answer {
    let length = match value {
        Value::Str(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Object(Kind::Map | Kind::StrictMap | Kind::Struct(""), fields) => fields.len(),
        Value::Null | Value::Nil => 0,
        other => return Err(format!("len of type {other}")),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// `index x 1 "a"` is `x[1]["a"]`; a missing key of a map is no value, a missing element is an error.
fn index(arguments: Vec<Value>) -> Answer {
    let mut arguments = arguments.into_iter();
    let mut value = arguments.next().ok_or("missing argument")?;
    for key in arguments {
        value = match (value, key) {
            (Value::List(items), Value::Int(at)) => {
                let found = usize::try_from(at).ok().and_then(|at| items.into_iter().nth(at));
                found.ok_or_else(|| format!("reflect: slice index out of range: {at}"))?
            }
            (Value::Object(_, fields), Value::Str(name)) => {
                // Go gives the zero value of the map's type, which only shows for maps of strings.
                let strings = fields.iter().all(|(_, value)| matches!(value, Value::Str(_)));
                let zero = if strings { Value::from("") } else { Value::Null };
                fields.into_iter().find(|(key, _)| *key == name).map_or(zero, |(_, value)| value)
            }
            (Value::Str(text), Value::Int(at)) => {
                let byte = usize::try_from(at).ok().and_then(|at| text.as_bytes().get(at).copied());
                Value::Int(i64::from(byte.ok_or_else(|| format!("index out of range: {at}"))?))
            }
            (Value::Null | Value::Nil, _) => return Err("index of untyped nil".to_owned()),
            (other, _) => return Err(format!("can't index item of type {other}")),
        };
    }
    Ok(value)
}

fn slice(arguments: &[Value]) -> Answer {
    let (value, bounds) = arguments.split_first().ok_or("missing argument")?;
    let length = match value {
        Value::Str(text) => text.len(),
        Value::List(items) => items.len(),
        other => return Err(format!("can't slice item of type {other}")),
    };
    let bound = |at: usize, default: usize| match bounds.get(at) {
        None => Ok(default),
        Some(Value::Int(n)) => usize::try_from(*n)
            .ok()
            .filter(|n| *n <= length)
            .ok_or_else(|| format!("index out of range: {n}")),
        Some(other) => Err(format!("cannot index slice/array with type {other}")),
    };
    let (from, to) = (bound(0, 0)?, bound(1, length)?);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    match value {
        Value::Str(text) => {
            text.get(from..to).map(Value::from).ok_or_else(|| "slice within a character".to_owned())
        }
        Value::List(items) => Ok(Value::List(items[from..to].to_vec())),
        _ => unreachable!("checked above"),
    }
}

/// Go's `Sprint`: a blank between two operands when neither is a string.
fn print(arguments: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in arguments.iter().enumerate() {
        let strings = |v: &Value| matches!(v, Value::Str(_));
        if at > 0 && !strings(value) && !strings(&arguments[at - 1]) {
            out.push(' ');
        }
        out.push_str(&value.to_string());
    }
    out
}

fn split(whole: &str, separator: &str) -> Value {
    if separator.is_empty() {
        return Value::List(whole.chars().map(|c| Value::Str(c.to_string())).collect());
    }
    Value::List(whole.split(separator).map(Value::from).collect())
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.push(c)
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphanumeric() || c == '_' || c == '\'';
    }
    out
}

fn pad(source: &str, before: i64, after: i64) -> String {
    if source.is_empty() {
        return String::new();
    }
    let blanks = |count: i64| " ".repeat(usize::try_from(count).unwrap_or(0).min(4096));
    blanks(before) + source + &blanks(after)
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn url_query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
