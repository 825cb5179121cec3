//! Walks the tree.

use super::TemplateError;
use super::functions::{self, Set};
use super::parse::{Base, Command, Node, Operand, Pipeline};
use super::value::{Kind, Value};
use std::borrow::Cow;
use std::fmt::Write as _;

struct Exec<'t> {
    text: &'t str,
    set: Set,
    out: &'t mut String,
    /// What `$` is.
    root: Cow<'t, Value>,
    variables: Vec<(String, Value)>,
}

/// Whether a loop goes on.
enum Flow {
    On,
    Break,
    Continue,
}

pub(super) fn execute(
    text: &str,
    nodes: &[Node],
    dot: &Value,
    set: Set,
    out: &mut String,
) -> Result<(), TemplateError> {
    Exec { text, set, out, root: Cow::Borrowed(dot), variables: Vec::new() }.list(nodes, dot).map(drop)
}

impl Exec<'_> {
    /// Go's form: `LINE:COLUMN: executing "" at <WORD>: message`, with the column counted in bytes from 0.
    fn error(&self, operand: &Operand, message: &str) -> TemplateError {
        let before = &self.text[..operand.at];
        let line = before.matches('\n').count() + 1;
        let column = operand.at - before.rfind('\n').map_or(0, |newline| newline + 1);
        let word = &self.text[operand.start..operand.end];
        TemplateError(format!("{line}:{column}: executing \"\" at <{word}>: {message}"))
    }

    fn list(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, TemplateError> {
        for node in nodes {
            match self.node(node, dot)? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, TemplateError> {
        let scope = self.variables.len();
        let flow = match node {
            Node::Text(text) => {
                self.out.push_str(text);
                return Ok(Flow::On);
            }
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.print(&value);
                }
                return Ok(Flow::On);
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::If { branches, otherwise } => self.choose(branches, otherwise, dot)?,
            Node::With { pipeline, body, otherwise } => {
                let value = self.pipeline(pipeline, dot)?;
                if value.truth() { self.list(body, &value)? } else { self.list(otherwise, dot)? }
            }
            Node::Range { pipeline, body, otherwise } => self.range(pipeline, body, otherwise, dot)?,
        };
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn print(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.push_str("<no value>"),
            value => write!(self.out, "{value}").expect("a String takes any text"),
        }
    }

    fn choose(
        &mut self,
        branches: &[(Pipeline, Vec<Node>)],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        for (pipeline, body) in branches {
            if self.pipeline(pipeline, dot)?.truth() {
                return self.list(body, dot);
            }
        }
        self.list(otherwise, dot)
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        let value = self.commands(&pipeline.commands, dot)?;
        let items: Vec<(Value, Value)> = match value {
            Value::Null | Value::Nil => Vec::new(),
            Value::List(items) => (0..).map(Value::Int).zip(items).collect(),
            Value::Int(count) => (0..count).map(|n| (Value::Int(n), Value::Int(n))).collect(),
            Value::Object(Kind::Map | Kind::StrictMap | Kind::Struct(""), mut fields) => {
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                fields.into_iter().map(|(key, value)| (Value::Str(key.into_owned()), value)).collect()
            }
            other => {
                let operand = &pipeline.commands[0].words[0];
                return Err(self.error(operand, &format!("range can't iterate over {other}")));
            }
        };
        if items.is_empty() {
            return self.list(otherwise, dot);
        }
        for (key, item) in items {
            let scope = self.variables.len();
            match pipeline.variables.as_slice() {
                [one] => self.variables.push((one.clone(), item.clone())),
                [first, second, ..] => {
                    self.variables.push((first.clone(), key));
                    self.variables.push((second.clone(), item.clone()));
                }
                [] => {}
            }
            let flow = self.list(body, &item)?;
            self.variables.truncate(scope);
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        let value = self.commands(&pipeline.commands, dot)?;
        for name in &pipeline.variables {
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            match known {
                Some((_, old)) if !pipeline.declares => *old = value.clone(),
                None if name == "$" && !pipeline.declares => self.root = Cow::Owned(value.clone()),
                _ => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn commands(&mut self, commands: &[Command], dot: &Value) -> Result<Value, TemplateError> {
        let mut last = None;
        for command in commands {
            last = Some(self.command(command, last, dot)?);
        }
        Ok(last.unwrap_or_default())
    }

    fn command(
        &mut self,
        command: &Command,
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, TemplateError> {
        let (first, rest) = command.words.split_first().expect("the parser makes no empty command");
        if let Base::Function(name) = &first.base {
            let mut arguments = Vec::with_capacity(rest.len() + 1);
            for word in rest {
                arguments.push(self.operand(word, dot)?);
                // `and` and `or` stop at the first argument that decides.
                let decided = arguments.last().is_some_and(Value::truth);
                if (name == "and" && !decided) || (name == "or" && decided) {
                    return Ok(arguments.pop().unwrap_or_default());
                }
            }
            arguments.extend(piped);
            let result = functions::call(name, arguments, self.set)
                .map_err(|message| self.error(first, &format!("error calling {name}: {message}")))?;
            return self.fields(first, result);
        }
        let value = self.operand(first, dot)?;
        let mut arguments = Vec::with_capacity(rest.len());
        for word in rest {
            arguments.push(self.operand(word, dot)?);
        }
        arguments.extend(piped);
        match (value, arguments.as_slice()) {
            (Value::Method(method), [Value::Str(argument)]) => Ok(method.0(argument)),
            (Value::Method(_), _) => {
                let name = first.fields.last().map_or("", String::as_str);
                let message = format!("wrong number of args for {name}: want 1 got {}", arguments.len());
                Err(self.error(first, &message))
            }
            (value, []) => Ok(value),
            (_, _) => {
                let word = &self.text[first.start..first.end];
                let name = first.fields.last().map_or(word, String::as_str);
                let message = if first.fields.is_empty() {
                    format!("can't give argument to non-function {word}")
                } else {
                    format!("{name} has arguments but cannot be invoked as function")
                };
                Err(self.error(first, &message))
            }
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, TemplateError> {
        let base = match &operand.base {
            Base::Dot => return self.fields_of(operand, dot),
            Base::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                match found.map(|(_, value)| value).or_else(|| (name == "$").then_some(&*self.root)) {
                    Some(value) => return self.fields_of(operand, value),
                    None => Value::Null,
                }
            }
            Base::Literal(value) => value.clone(),
            Base::Nested(pipeline) => self.pipeline(pipeline, dot)?,
            Base::Function(name) => functions::call(name, Vec::new(), self.set)
                .map_err(|message| self.error(operand, &format!("error calling {name}: {message}")))?,
        };
        self.fields(operand, base)
    }

    fn fields(&self, operand: &Operand, base: Value) -> Result<Value, TemplateError> {
        if operand.fields.is_empty() {
            return Ok(base);
        }
        self.fields_of(operand, &base)
    }

    fn fields_of(&self, operand: &Operand, base: &Value) -> Result<Value, TemplateError> {
        let mut value = base;
        for name in &operand.fields {
            value = match value {
                Value::Object(kind, _) => match (value.get(name), kind) {
                    (Some(found), _) => found,
                    (None, Kind::Map) => return Ok(Value::Null),
                    (None, Kind::StrictMap | Kind::Struct("")) => {
                        return Err(self.error(operand, &format!("map has no entry for key {name:?}")));
                    }
                    (None, Kind::Struct(of)) => {
                        let message = format!("can't evaluate field {name} in type {of}");
                        return Err(self.error(operand, &message));
                    }
                },
                Value::Null | Value::Nil => {
                    return Err(self.error(operand, &format!("nil pointer evaluating interface {{}}.{name}")));
                }
                other => {
                    let message = format!("can't evaluate field {name} in type {}", type_name(other));
                    return Err(self.error(operand, &message));
                }
            };
        }
        Ok(value.clone())
    }
}

/// The type as Go would name it.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Nil => "nil",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Object(..) => "map[string]interface {}",
        Value::Method(_) => "func",
    }
}
