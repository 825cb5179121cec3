//! Go's `Sprintf` for the values of a template.

use super::value::Value;

/// The flags, width and precision between `%` and the verb.
#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats as Go does, mistakes included (`%!d(string=x)`).
pub(super) fn sprintf(format: &str, arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut arguments_left = arguments.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-+0# ".contains(*c)) {
            match flag {
                '-' => spec.minus = true,
                '+' => spec.plus = true,
                '0' => spec.zero = true,
                '#' => spec.sharp = true,
                _ => {}
            }
        }
        spec.width = digits(&mut chars).unwrap_or(0).min(4096);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(digits(&mut chars).unwrap_or(0));
        }
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match arguments_left.next() {
                None => out.push_str(&format!("%!{verb}(MISSING)")),
                Some(value) => pad(&mut out, &one(verb, value, &spec), &spec),
            },
        }
    }
    let extra: Vec<String> = arguments_left.map(|value| format!("{}={value}", kind(value))).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).unwrap_or(0) as usize;
        number = Some(number.unwrap_or(0usize).saturating_mul(10).saturating_add(digit));
    }
    number
}

fn pad(out: &mut String, text: &str, spec: &Spec) {
    let missing = spec.width.saturating_sub(text.chars().count());
    if spec.minus {
        out.push_str(text);
        out.push_str(&" ".repeat(missing));
    } else if spec.zero && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
        out.push_str(sign);
        out.push_str(&"0".repeat(missing));
        out.push_str(rest);
    } else {
        out.push_str(&" ".repeat(missing));
        out.push_str(text);
    }
}

fn one(verb: char, value: &Value, spec: &Spec) -> String {
    let plus = if spec.plus { "+" } else { "" };
    match (verb, value) {
        ('q', Value::Str(text)) => format!("{text:?}"),
        ('q', Value::List(items)) => {
            let words: Vec<String> = items.iter().map(|item| one('q', item, spec)).collect();
            format!("[{}]", words.join(" "))
        }
        ('v', Value::Str(text)) if spec.sharp => format!("{text:?}"),
        ('s' | 'v', Value::Str(text)) => match spec.precision {
            Some(limit) => text.chars().take(limit).collect(),
            None => text.clone(),
        },
        ('v', value) => value.to_string(),
        ('s', Value::List(_) | Value::Object(..)) => value.to_string(),
        ('t', Value::Bool(on)) => on.to_string(),
        ('d', Value::Int(number)) if *number >= 0 => format!("{plus}{number}"),
        ('d', Value::Int(number)) => number.to_string(),
        ('x', Value::Int(number)) => format!("{number:x}"),
        ('X', Value::Int(number)) => format!("{number:X}"),
        ('o', Value::Int(number)) => format!("{number:o}"),
        ('b', Value::Int(number)) => format!("{number:b}"),
        ('c', Value::Int(number)) => {
            u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
        }
        ('x', Value::Str(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('f' | 'F', Value::Float(number)) => format!("{number:.*}", spec.precision.unwrap_or(6)),
        ('e', Value::Float(number)) => format!("{number:.*e}", spec.precision.unwrap_or(6)),
        ('g', Value::Float(_)) => value.to_string(),
        ('T', value) => kind(value).to_owned(),
        (verb, Value::Null | Value::Nil) => format!("%!{verb}(<nil>)"),
        (verb, value) => format!("%!{verb}({}={value})", kind(value)),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Object(..) => "map[string]interface {}",
        Value::Method(_) => "func",
    }
}
