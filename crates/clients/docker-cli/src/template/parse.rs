//! Tokens to a tree.

use super::TemplateError;
use super::functions;
use super::lexer::{Token, TokenKind, at_line, tokens};
use super::value::Value;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipeline),
    If { branches: Vec<(Pipeline, Vec<Node>)>, otherwise: Vec<Node> },
    With { pipeline: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    Range { pipeline: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    Break,
    Continue,
}

/// `$a, $b := command | command`.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    pub(super) variables: Vec<String>,
    /// `:=` makes new variables, `=` changes old ones.
    pub(super) declares: bool,
    pub(super) commands: Vec<Command>,
}

/// Words beside each other: a function or method with its arguments, or one value.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) words: Vec<Operand>,
}

/// A value, and the fields asked of it.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) base: Base,
    pub(super) fields: Vec<String>,
    /// Its place in the template's text.
    pub(super) start: usize,
    /// The place that errors name: of a chain of fields, where the chain goes on.
    pub(super) at: usize,
    pub(super) end: usize,
}

#[derive(Debug)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Function(String),
    Literal(Value),
    Nested(Box<Pipeline>),
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    /// Names in scope, so that an unknown variable is an error of the template, as in Go.
    variables: Vec<String>,
    loops: usize,
}

/// How a list of nodes ended.
enum Stop {
    Text,
    End,
    Else,
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, variables: vec!["$".to_owned()], loops: 0 };
    let (nodes, stop) = parser.list()?;
    match stop {
        Stop::Text => Ok(nodes),
        Stop::End => Err(parser.error("unexpected {{end}}")),
        Stop::Else => Err(parser.error("unexpected {{else}}")),
    }
}

impl Parser<'_> {
    fn error(&self, message: &str) -> TemplateError {
        let at = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |token| token.start);
        at_line(self.text, at, message)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&TokenKind::Space) {
            self.at += 1;
        }
    }

    fn list(&mut self) -> Result<(Vec<Node>, Stop), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(token) = self.next() {
            if let TokenKind::Text(text) = token.kind {
                nodes.push(Node::Text(text));
                continue;
            }
            self.skip_space();
            let Some(TokenKind::Word(word)) = self.peek().cloned() else {
                nodes.push(self.action()?);
                continue;
            };
            match word.as_str() {
                "end" => {
                    self.at += 1;
                    self.close("end")?;
                    return Ok((nodes, Stop::End));
                }
                "else" => {
                    self.at += 1;
                    return Ok((nodes, Stop::Else));
                }
                "if" | "with" | "range" => {
                    self.at += 1;
                    nodes.push(self.block(&word)?);
                }
                "break" | "continue" => {
                    self.at += 1;
                    if self.loops == 0 {
                        return Err(self.error(&format!("{{{{{word}}}}} outside {{{{range}}}}")));
                    }
                    self.close(&word)?;
                    nodes.push(if word == "break" { Node::Break } else { Node::Continue });
                }
                "define" | "template" | "block" => {
                    return Err(self.error(&format!("{{{{{word}}}}} is not supported in a format")));
                }
                _ => nodes.push(self.action()?),
            }
        }
        Ok((nodes, Stop::Text))
    }

    fn action(&mut self) -> Result<Node, TemplateError> {
        let pipeline = self.pipeline("command")?;
        self.close("command")?;
        Ok(Node::Action(pipeline))
    }

    fn close(&mut self, context: &str) -> Result<(), TemplateError> {
        self.skip_space();
        match self.next() {
            Some(Token { kind: TokenKind::Close, .. }) => Ok(()),
            Some(token) => {
                let what = &self.text[token.start..token.end];
                Err(self.error(&format!("unexpected {what:?} in {context}")))
            }
            None => Err(self.error("unclosed action")),
        }
    }

    fn block(&mut self, word: &str) -> Result<Node, TemplateError> {
        let scope = self.variables.len();
        let pipeline = self.pipeline(word)?;
        self.close(word)?;
        self.loops += usize::from(word == "range");
        let (body, stop) = self.list()?;
        self.loops -= usize::from(word == "range");
        let mut branches = vec![(pipeline, body)];
        let otherwise = self.otherwise(word, stop, &mut branches)?;
        self.variables.truncate(scope);
        if word == "if" {
            return Ok(Node::If { branches, otherwise });
        }
        let (pipeline, body) = branches.remove(0);
        Ok(match word {
            "with" => Node::With { pipeline, body, otherwise },
            _ => Node::Range { pipeline, body, otherwise },
        })
    }

    /// What follows the first body: `{{else if …}}`, `{{else}}`, `{{end}}`.
    fn otherwise(
        &mut self,
        word: &str,
        mut stop: Stop,
        branches: &mut Vec<(Pipeline, Vec<Node>)>,
    ) -> Result<Vec<Node>, TemplateError> {
        loop {
            match stop {
                Stop::End => return Ok(Vec::new()),
                Stop::Text => return Err(self.error("unexpected EOF")),
                Stop::Else => {}
            }
            self.skip_space();
            if word == "if" && self.peek() == Some(&TokenKind::Word("if".to_owned())) {
                self.at += 1;
                let pipeline = self.pipeline("if")?;
                self.close("if")?;
                let (body, next) = self.list()?;
                branches.push((pipeline, body));
                stop = next;
                continue;
            }
            self.close("else")?;
            let (nodes, stop) = self.list()?;
            return match stop {
                Stop::End => Ok(nodes),
                Stop::Else => Err(self.error("expected end; found {{else}}")),
                Stop::Text => Err(self.error("unexpected EOF")),
            };
        }
    }

    fn pipeline(&mut self, context: &str) -> Result<Pipeline, TemplateError> {
        let mut pipeline = Pipeline::default();
        self.declarations(&mut pipeline);
        loop {
            self.skip_space();
            match self.peek() {
                Some(TokenKind::Close | TokenKind::RightParen) | None => break,
                Some(TokenKind::Pipe) => {
                    self.at += 1;
                    return Err(self.error(&format!("missing value for {context}")));
                }
                _ => {}
            }
            let command = self.command(context)?;
            pipeline.commands.push(command);
            self.skip_space();
            if self.peek() == Some(&TokenKind::Pipe) {
                self.at += 1;
                self.skip_space();
                if matches!(self.peek(), Some(TokenKind::Close | TokenKind::RightParen)) {
                    return Err(self.error(&format!("missing value for {context}")));
                }
            }
        }
        if pipeline.commands.is_empty() {
            return Err(self.error(&format!("missing value for {context}")));
        }
        if pipeline.declares {
            self.variables.extend(pipeline.variables.iter().cloned());
        }
        Ok(pipeline)
    }

    /// `$x :=`, `$x =`, `$i, $x :=`; anything else is left unread.
    fn declarations(&mut self, pipeline: &mut Pipeline) {
        let begin = self.at;
        let mut names = Vec::new();
        loop {
            self.skip_space();
            let Some(TokenKind::Variable(name)) = self.peek().cloned() else { break };
            self.at += 1;
            names.push(name);
            self.skip_space();
            match self.peek() {
                Some(TokenKind::Comma) => self.at += 1,
                Some(TokenKind::Declare | TokenKind::Assign) => {
                    pipeline.declares = self.peek() == Some(&TokenKind::Declare);
                    pipeline.variables = names;
                    self.at += 1;
                    return;
                }
                _ => break,
            }
        }
        self.at = begin;
    }

    fn command(&mut self, context: &str) -> Result<Command, TemplateError> {
        let mut words = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(TokenKind::Close | TokenKind::RightParen | TokenKind::Pipe) | None => break,
                _ => words.push(self.operand(context)?),
            }
        }
        Ok(Command { words })
    }

    fn operand(&mut self, context: &str) -> Result<Operand, TemplateError> {
        let Some(token) = self.next() else { return Err(self.error("unclosed action")) };
        let start = token.start;
        let mut fields = Vec::new();
        let base = match token.kind {
            TokenKind::Dot => Base::Dot,
            TokenKind::Field(name) => {
                fields.push(name);
                Base::Dot
            }
            TokenKind::Variable(name) if self.variables.contains(&name) => Base::Variable(name),
            TokenKind::Variable(name) => return Err(self.error(&format!("undefined variable {name:?}"))),
            TokenKind::Str(text) => Base::Literal(Value::Str(text)),
            TokenKind::Int(number) => Base::Literal(Value::Int(number)),
            TokenKind::Float(number) => Base::Literal(Value::Float(number)),
            TokenKind::Word(word) => match word.as_str() {
                "true" => Base::Literal(Value::Bool(true)),
                "false" => Base::Literal(Value::Bool(false)),
                "nil" => Base::Literal(Value::Null),
                _ if functions::exists(&word) => Base::Function(word),
                _ => return Err(self.error(&format!("function {word:?} not defined"))),
            },
            TokenKind::LeftParen => {
                let inner = self.pipeline("parenthesized pipeline")?;
                self.skip_space();
                match self.next().map(|token| token.kind) {
                    Some(TokenKind::RightParen) => Base::Nested(Box::new(inner)),
                    _ => return Err(self.error("unclosed left paren")),
                }
            }
            _ => {
                let what = &self.text[token.start..token.end];
                return Err(self.error(&format!("unexpected {what:?} in {context}")));
            }
        };
        let at = match self.tokens.get(self.at) {
            Some(Token { kind: TokenKind::Field(_), start, .. }) => *start,
            _ => start,
        };
        while let Some(TokenKind::Field(name)) = self.peek().cloned() {
            self.at += 1;
            fields.push(name);
        }
        let end = self.tokens[self.at - 1].end;
        Ok(Operand { base, fields, start, at, end })
    }
}

/// Whether a field of that name is asked of anything.
pub(super) fn mentions(nodes: &[Node], name: &str) -> bool {
    any(nodes, &|word| asks(word, name))
}

/// Whether the template could show that field: it asks for it, or takes something as a whole.
pub(super) fn may_show(nodes: &[Node], name: &str) -> bool {
    let is_whole =
        |word: &Operand| word.fields.is_empty() && matches!(word.base, Base::Dot | Base::Variable(_));
    any(nodes, &|word| asks(word, name) || is_whole(word))
}

fn asks(word: &Operand, name: &str) -> bool {
    word.fields.iter().any(|field| field == name)
}

fn any(nodes: &[Node], holds: &impl Fn(&Operand) -> bool) -> bool {
    nodes.iter().any(|node| match node {
        Node::Action(pipeline) => any_in(pipeline, holds),
        Node::If { branches, otherwise } => {
            branches.iter().any(|(pipeline, body)| any_in(pipeline, holds) || any(body, holds))
                || any(otherwise, holds)
        }
        Node::With { pipeline, body, otherwise } | Node::Range { pipeline, body, otherwise } => {
            any_in(pipeline, holds) || any(body, holds) || any(otherwise, holds)
        }
        Node::Text(_) | Node::Break | Node::Continue => false,
    })
}

fn any_in(pipeline: &Pipeline, holds: &impl Fn(&Operand) -> bool) -> bool {
    let mut words = pipeline.commands.iter().flat_map(|command| &command.words);
    words.any(|word| holds(word) || matches!(&word.base, Base::Nested(inner) if any_in(inner, holds)))
}
