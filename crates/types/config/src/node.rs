//! YAML, and so JSON, as a tree that knows where everything stands. Types are not guessed here: whoever reads a key knows its own.

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};
use std::collections::HashMap;
use std::ops::Range;

/// Nodes that a text may stand for: aliases multiply.
const MOST_NODES: usize = 100_000;

/// A text that was read.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// None: it says nothing.
    pub root: Option<Node>,
    /// Its comments, in bytes.
    pub comments: Vec<Range<usize>>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// It.
    pub value: NodeValue,
    /// Bytes of the text. A block ends where its last value does.
    pub span: Range<usize>,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum NodeValue {
    /// Anything that is neither of the others.
    Scalar {
        /// What it says.
        text: String,
        /// Whether it stands without quotes.
        plain: bool,
    },
    /// `[a, b]`, or a line with a dash each.
    List {
        /// In their order.
        items: Vec<Node>,
    },
    /// `{a: b}`, or a line each.
    Map {
        /// In their order.
        entries: Vec<(Node, Node)>,
        /// Whether it stands in braces.
        flow: bool,
    },
}

/// Why a text can't be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Why.
    pub message: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is `null`, `~` or nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, NodeValue::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether both say the same, wherever and however it is written.
    pub fn says_what(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (NodeValue::Scalar { text, .. }, NodeValue::Scalar { text: others, .. }) => {
                self.is_null() == other.is_null() && (self.is_null() || text == others)
            }
            (NodeValue::List { items }, NodeValue::List { items: others }) => {
                items.len() == others.len()
                    && items.iter().zip(others).all(|(one, other)| one.says_what(other))
            }
            (NodeValue::Map { entries, .. }, NodeValue::Map { entries: others, .. }) => {
                let same = |(one, other): (&(Self, Self), &(Self, Self))| {
                    one.0.says_what(&other.0) && one.1.says_what(&other.1)
                };
                entries.len() == others.len() && entries.iter().zip(others).all(same)
            }
            _ => false,
        }
    }
}

/// Reads a text of one document.
///
/// # Errors
/// Says what is wrong with the text, and where: its grammar, a key that is there twice, a second document.
pub fn parse(text: &str) -> Result<Document, Unreadable> {
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str(text),
        document: Document::default(),
        anchors: HashMap::new(),
        nodes: 0,
    };
    let mut documents = 0;
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(unreadable("a second document begins here: there may be one", span));
                }
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            event => {
                let root = reader.node(event, span)?;
                // An empty document is a scalar of no length.
                if !(root.is_null() && root.span.is_empty()) {
                    reader.document.root = Some(root);
                }
            }
        }
    }
    Ok(reader.document)
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    document: Document,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    /// The next event that is no comment.
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Unreadable> {
        loop {
            match self.parser.next() {
                None => return Ok(None),
                Some(Ok((Event::Comment(..), span))) => self.document.comments.push(self.bytes(&span)),
                Some(Ok(event)) => return Ok(Some(event)),
                Some(Err(error)) => {
                    let at = error.marker();
                    return Err(Unreadable { message: error.info(), line: at.line(), column: at.col() + 1 });
                }
            }
        }
    }

    fn expect(&mut self, begun: Span) -> Result<(Event<'a>, Span), Unreadable> {
        self.next()?.ok_or_else(|| unreadable("it has no end", begun))
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Unreadable> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(unreadable("the text stands for too much", span));
        }
        let (value, end, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let range = self.bytes(&span);
                // The parser reads nothing as a `~`.
                let text = if plain && range.is_empty() { String::new() } else { text.into_owned() };
                (NodeValue::Scalar { text, plain }, range.end, anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                let (items, end) = self.items(span, style)?;
                (NodeValue::List { items }, end, anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                let (entries, end) = self.entries(span, style)?;
                (NodeValue::Map { entries, flow: style == StructureStyle::Flow }, end, anchor)
            }
            Event::Alias(id) => return self.alias(id, span),
            _ => return Err(unreadable("something else was expected", span)),
        };
        let mut start = self.bytes(&span).start;
        if let NodeValue::Map { entries, flow: false } = &value {
            start = entries.first().map_or(start, |(key, _)| key.span.start);
        }
        let node = Node {
            value,
            span: start..end.max(start),
            line: span.start.line(),
            column: span.start.col() + 1,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, Unreadable> {
        let found = self.anchors.get(&id).cloned();
        let mut node = found.ok_or_else(|| unreadable("an alias of something that has not ended", span))?;
        self.nodes += count(&node);
        if self.nodes > MOST_NODES {
            return Err(unreadable("the text stands for too much", span));
        }
        node.span = self.bytes(&span);
        (node.line, node.column) = (span.start.line(), span.start.col() + 1);
        Ok(node)
    }

    fn items(&mut self, begun: Span, style: StructureStyle) -> Result<(Vec<Node>, usize), Unreadable> {
        let mut items: Vec<Node> = Vec::new();
        let mut end = self.bytes(&begun).end;
        loop {
            match self.expect(begun)? {
                (Event::SequenceEnd, span) => {
                    return Ok((
                        items,
                        if style == StructureStyle::Flow { self.bytes(&span).end } else { end },
                    ));
                }
                (event, span) => {
                    let item = self.node(event, span)?;
                    end = end.max(item.span.end);
                    items.push(item);
                }
            }
        }
    }

    fn entries(
        &mut self,
        begun: Span,
        style: StructureStyle,
    ) -> Result<(Vec<(Node, Node)>, usize), Unreadable> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        let mut end = self.bytes(&begun).start;
        loop {
            let (event, span) = self.expect(begun)?;
            if event == Event::MappingEnd {
                return Ok((
                    entries,
                    if style == StructureStyle::Flow { self.bytes(&span).end } else { end },
                ));
            }
            let key = self.node(event, span)?;
            let Some(name) = key.text() else {
                return Err(unreadable("a key has to be a word", span));
            };
            if let Some((before, _)) = entries.iter().find(|(before, _)| before.text() == Some(name)) {
                let message = format!("'{name}' is there twice, first in line {}", before.line);
                return Err(unreadable(&message, span));
            }
            let (event, span) = self.expect(begun)?;
            let mut value = self.node(event, span)?;
            let colon = colon_after(self.text, key.span.end);
            if value.span.is_empty() {
                // The parser sees it where the next thing is.
                value.span = colon..colon;
                (value.line, value.column) = (key.line, key.column);
            }
            end = value.span.end.max(colon);
            entries.push((key, value));
        }
    }

    /// Without white space behind it, which block scalars end with.
    fn bytes(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        let end = self.text.get(range.clone()).map_or(range.end, |text| range.start + text.trim_end().len());
        range.start..end
    }
}

/// Behind the colon that follows a key.
pub(crate) fn colon_after(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    match rest.trim_start().strip_prefix(':') {
        Some(after) => text.len() - after.len(),
        None => end,
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        NodeValue::Scalar { .. } => 1,
        NodeValue::List { items } => 1 + items.iter().map(count).sum::<usize>(),
        NodeValue::Map { entries, .. } => {
            1 + entries.iter().map(|(_, value)| 1 + count(value)).sum::<usize>()
        }
    }
}

fn unreadable(message: &str, span: Span) -> Unreadable {
    Unreadable { message: message.to_owned(), line: span.start.line(), column: span.start.col() + 1 }
}

#[cfg(test)]
mod tests;
