//! Words of instructions: quotes, backslashes and variables.

use std::iter::Peekable;
use std::str::Chars;

/// Words separated by white space.
pub(super) fn split(text: &str, env: &[String]) -> Result<Vec<String>, &'static str> {
    let (mut words, mut chars) = (Vec::new(), text.chars().peekable());
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(words);
        }
        words.push(word(&mut chars, env, true)?);
    }
}

/// The whole text as one word.
pub(super) fn expand(text: &str, env: &[String]) -> Result<String, &'static str> {
    word(&mut text.chars().peekable(), env, false)
}

/// `key=value key=value…`, or the old form of one pair: `key value with spaces`.
pub(super) fn pairs(text: &str, env: &[String]) -> Result<Vec<(String, String)>, &'static str> {
    let first = text.split_whitespace().next().unwrap_or("");
    if !first.contains('=') && !first.starts_with(['"', '\'']) {
        let (key, value) = text.split_once(char::is_whitespace).ok_or("must have two arguments")?;
        return Ok(vec![(key.to_owned(), expand(value.trim_start(), env)?)]);
    }
    let pair = |word: String| match word.split_once('=') {
        Some(("", _)) => Err("names can not be blank"),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("has a word that is no key=value"),
    };
    split(text, env)?.into_iter().map(pair).collect()
}

fn word(
    chars: &mut Peekable<Chars<'_>>,
    env: &[String],
    stop_at_space: bool,
) -> Result<String, &'static str> {
    const OPEN: &str = "has a quotation that doesn't end";
    let (mut out, mut quote) = (String::new(), None);
    while let Some(c) = chars.next_if(|c| quote.is_some() || !stop_at_space || !c.is_whitespace()) {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', None) => out.extend(chars.next()),
            ('\\', Some('"')) => match chars.next().ok_or(OPEN)? {
                c @ ('"' | '$' | '\\') => out.push(c),
                c => out.extend(['\\', c]),
            },
            ('$', None | Some('"')) => variable(chars, env, &mut out)?,
            (c, _) => out.push(c),
        }
    }
    if quote.is_some() { Err(OPEN) } else { Ok(out) }
}

/// `$name`, `${name}`, `${name:-default}`, `${name:+other}`.
fn variable(chars: &mut Peekable<Chars<'_>>, env: &[String], out: &mut String) -> Result<(), &'static str> {
    let braces = chars.next_if_eq(&'{').is_some();
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    if name.is_empty() && !braces {
        out.push('$');
        return Ok(());
    }
    let value = env.iter().find_map(|line| line.strip_prefix(name.as_str())?.strip_prefix('=')).unwrap_or("");
    if !braces {
        out.push_str(value);
        return Ok(());
    }
    let mut rest = String::new();
    loop {
        match chars.next().ok_or("has a variable whose brace doesn't close")? {
            '}' => break,
            c => rest.push(c),
        }
    }
    let other = |operator| rest.strip_prefix(operator).map(|text| expand(text, env)).transpose();
    match (other(":-")?, other(":+")?) {
        _ if rest.is_empty() => out.push_str(value),
        (Some(default), _) => out.push_str(if value.is_empty() { &default } else { value }),
        (_, Some(other)) => out.push_str(if value.is_empty() { "" } else { &other }),
        _ => return Err("has a variable with an unknown modifier"),
    }
    Ok(())
}
