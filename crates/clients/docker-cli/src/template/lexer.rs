//! Splits a template into text and actions, and actions into tokens.

use super::TemplateError;

/// A token and where in the template it begins and ends, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// Text outside of actions.
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// White space between the words of an action; it separates arguments.
    Space,
    /// `.`
    Dot,
    /// `.Name`
    Field(String),
    /// `$` or `$name`
    Variable(String),
    /// A function or keyword.
    Word(String),
    Str(String),
    Int(i64),
    Float(f64),
    Pipe,
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    LeftParen,
    RightParen,
}

/// All tokens of `text`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut trim = false;
    while let Some(open) = text[at..].find("{{").map(|found| at + found) {
        let trims_left = text[open + 2..].starts_with("- ") || text[open + 2..].starts_with("-\n");
        let mut plain = &text[at..open];
        if trim {
            plain = plain.trim_start();
        }
        if trims_left {
            plain = plain.trim_end();
        }
        push_text(&mut tokens, plain, at);
        let body = open + 2 + if trims_left { 2 } else { 0 };
        (at, trim) = match comment(text, body) {
            Some(after) => after,
            None => action(text, open, body, &mut tokens)?,
        };
    }
    let rest = &text[at..];
    push_text(&mut tokens, if trim { rest.trim_start() } else { rest }, at);
    Ok(tokens)
}

fn push_text(tokens: &mut Vec<Token>, plain: &str, at: usize) {
    if !plain.is_empty() {
        tokens.push(Token { kind: TokenKind::Text(plain.to_owned()), start: at, end: at + plain.len() });
    }
}

/// Skips `/* … */}}`; gives the place behind it and whether it trims what follows.
fn comment(text: &str, body: usize) -> Option<(usize, bool)> {
    let inner = text[body..].strip_prefix("/*")?;
    let end = body + 2 + inner.find("*/")? + 2;
    if text[end..].starts_with(" -}}") {
        return Some((end + 4, true));
    }
    text[end..].starts_with("}}").then_some((end + 2, false))
}

/// Reads one action up to its `}}`.
fn action(
    text: &str,
    open: usize,
    body: usize,
    tokens: &mut Vec<Token>,
) -> Result<(usize, bool), TemplateError> {
    tokens.push(Token { kind: TokenKind::Open, start: open, end: body });
    let mut at = body;
    loop {
        let rest = &text[at..];
        if rest.is_empty() {
            return Err(at_line(text, open, "unclosed action"));
        }
        if rest.starts_with(" -}}") {
            tokens.push(Token { kind: TokenKind::Close, start: at, end: at + 4 });
            return Ok((at + 4, true));
        }
        if rest.starts_with("}}") {
            tokens.push(Token { kind: TokenKind::Close, start: at, end: at + 2 });
            return Ok((at + 2, false));
        }
        let (kind, length) = token(text, at)?;
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
}

fn token(text: &str, at: usize) -> Result<(TokenKind, usize), TemplateError> {
    let rest = &text[at..];
    let first = rest.chars().next().unwrap_or_default();
    let name = |from: usize| {
        rest[from..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(rest.len() - from, |n| n)
    };
    Ok(match first {
        c if c.is_whitespace() => {
            let length = rest.len() - rest.trim_start().len();
            // The blank of ` -}}` belongs to the end mark.
            let length = if rest[length..].starts_with("-}}") { length - 1 } else { length };
            (TokenKind::Space, length.max(1))
        }
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(text, at)?,
        '.' => match name(1) {
            0 => (TokenKind::Dot, 1),
            length => (TokenKind::Field(rest[1..=length].to_owned()), length + 1),
        },
        '$' => {
            let length = name(1);
            (TokenKind::Variable(rest[..=length].to_owned()), length + 1)
        }
        '"' | '\'' => quoted(text, at, first)?,
        '`' => {
            let end =
                rest[1..].find('`').ok_or_else(|| at_line(text, at, "unterminated raw quoted string"))?;
            (TokenKind::Str(rest[1..=end].to_owned()), end + 2)
        }
        '|' => (TokenKind::Pipe, 1),
        ',' => (TokenKind::Comma, 1),
        '(' => (TokenKind::LeftParen, 1),
        ')' => (TokenKind::RightParen, 1),
        ':' if rest.starts_with(":=") => (TokenKind::Declare, 2),
        '=' => (TokenKind::Assign, 1),
        c if c.is_ascii_digit() || c == '-' || c == '+' => number(text, at)?,
        c if c.is_alphabetic() || c == '_' => {
            let length = name(0);
            (TokenKind::Word(rest[..length].to_owned()), length)
        }
        c => {
            let message = format!("unexpected {:?} in operand", c.to_string());
            return Err(at_line(text, at, &message));
        }
    })
}

fn number(text: &str, at: usize) -> Result<(TokenKind, usize), TemplateError> {
    let rest = &text[at..];
    let length = rest[1..]
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')
        .map_or(rest.len(), |n| n + 1);
    let word = &rest[..length];
    let plain = word.replace('_', "");
    let int = match plain.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => plain.parse().ok(),
    };
    if let Some(int) = int {
        return Ok((TokenKind::Int(int), length));
    }
    match plain.parse() {
        Ok(float) => Ok((TokenKind::Float(float), length)),
        Err(_) => Err(at_line(text, at, &format!("bad number syntax: {word:?}"))),
    }
}

fn quoted(text: &str, at: usize, quote: char) -> Result<(TokenKind, usize), TemplateError> {
    let unterminated = || {
        let what =
            if quote == '"' { "unterminated quoted string" } else { "unterminated character constant" };
        at_line(text, at, what)
    };
    let mut value = String::new();
    let mut chars = text[at + 1..].char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\n' => break,
            '\\' => {
                let (_, escaped) = chars.next().ok_or_else(unterminated)?;
                value.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    other => other,
                });
            }
            c if c == quote => {
                let kind = match (quote, value.chars().next()) {
                    ('\'', Some(constant)) => TokenKind::Int(i64::from(u32::from(constant))),
                    _ => TokenKind::Str(value),
                };
                return Ok((kind, index + 2));
            }
            c => value.push(c),
        }
    }
    Err(unterminated())
}

/// An error of parsing: Go gives the line only.
pub(super) fn at_line(text: &str, at: usize, message: &str) -> TemplateError {
    let line = text[..at.min(text.len())].matches('\n').count() + 1;
    TemplateError(format!("{line}: {message}"))
}
