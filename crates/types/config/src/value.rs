//! Values: from what a person wrote to what the tree of settings holds, by the kind of the key.

use crate::KeyPath;
use crate::key::{self, Found, Kind};
use crate::layer::unknown;
use crate::nearest::nearest;
use crate::node::{Node, NodeValue};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// The value of a scalar of this kind; of a list or map, what is wrong with that.
pub(crate) fn from_node(kind: Kind, node: &Node) -> Result<Value, (Wrong, usize, usize)> {
    let at = |wrong: Wrong| (wrong, node.line, node.column);
    match (kind, &node.value) {
        (Kind::List(kind), NodeValue::List { items }) => {
            Ok(Value::Array(items.iter().map(|item| from_node(*kind, item)).collect::<Result<_, _>>()?))
        }
        (Kind::List(_) | Kind::Map(_) | Kind::Mirrors, _) => Err(at(Wrong::shape(kind, node))),
        (kind, NodeValue::Scalar { text, .. }) => from_scalar(kind, text).map_err(at),
        (kind, _) => Err(at(Wrong::shape(kind, node))),
    }
}

/// What is wrong with a value, in a sentence that says what may stand there.
pub(crate) type Wrong = Sentence;

/// A sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence(pub(crate) String);

impl Sentence {
    fn shape(kind: Kind, node: &Node) -> Self {
        let is = match &node.value {
            NodeValue::List { .. } => "a list".to_owned(),
            NodeValue::Map { .. } => "a section".to_owned(),
            NodeValue::Scalar { text, .. } => format!("'{text}'"),
        };
        Self(format!("it is {is}, and must be {kind}"))
    }
}

/// The value of a word of this kind.
pub(crate) fn from_scalar(kind: Kind, text: &str) -> Result<Value, Wrong> {
    let wrong = || Sentence(format!("'{text}' is not allowed, it must be {kind}"));
    let number = |least: u64, most: u64| {
        let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
        number.map(Value::from).ok_or_else(wrong)
    };
    let text_if = |good: bool| if good { Ok(Value::from(text)) } else { Err(wrong()) };
    match kind {
        Kind::Bool => match text {
            "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
            _ => Err(wrong()),
        },
        Kind::Number(least, most) => number(least, most),
        Kind::Seconds(least) => number(least, u64::from(u32::MAX)),
        Kind::Bytes => bytes(text).map(Value::from).ok_or_else(wrong),
        Kind::Text => Ok(Value::from(text)),
        Kind::Choice(values) if values.contains(&text) => Ok(Value::from(text)),
        Kind::Choice(values) => {
            let near = nearest(text, values.iter().copied()).filter(|_| values.len() > 1);
            let meant = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
            Err(Sentence(format!("{}{meant}", wrong().0)))
        }
        Kind::Path => text_if(text.starts_with('/')),
        Kind::Program => text_if(text.starts_with('/') || (!text.is_empty() && !text.contains('/'))),
        Kind::Subnet => subnet(text),
        Kind::Address => text_if(text.parse::<IpAddr>().is_ok()),
        Kind::Listen => {
            listen_address(text).map(|address| Value::from(address.to_string())).map_err(Sentence)
        }
        Kind::List(_) | Kind::Map(_) | Kind::Mirrors => Err(wrong()),
    }
}

/// An address to listen on, as `127.0.0.1:5000`.
///
/// # Errors
/// Says what an address looks like: names of hosts are none, since one may stand for several.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| match text.strip_prefix("localhost:") {
        Some(port) => format!("write 127.0.0.1:{port}, or [::1]:{port}, for localhost"),
        None => format!(
            "'{text}' is no address and port: write 127.0.0.1:5000 for this host alone, 0.0.0.0:5000 for everybody"
        ),
    })
}

fn subnet(text: &str) -> Result<Value, Wrong> {
    let subnet: ipnet::Ipv4Net = text
        .parse()
        .map_err(|_| Sentence(format!("'{text}' is not allowed, it must be {}", Kind::Subnet)))?;
    if subnet.trunc() != subnet {
        return Err(Sentence(format!("{text} is an address in a subnet: that is {}", subnet.trunc())));
    }
    if subnet.prefix_len() > 29 {
        return Err(Sentence(format!("{text} has room for too few containers: /29 is the smallest")));
    }
    Ok(Value::from(text))
}

/// As sizes of memory are written: 1024 of one are one of the next.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// The value that a key is to have by a text in a variable, or behind a `=`. An empty one takes a name away.
///
/// # Errors
/// Says that it is no key, or what is wrong with the text.
pub fn value_of(path: &KeyPath, text: &str) -> Result<Node, String> {
    match key::find(path) {
        // A list too.
        Found::Named(_) if text.is_empty() => from_text(Kind::Text, text),
        found => from_text(found.kind().ok_or_else(|| unknown(path))?, text),
    }
}

/// A value as a node that stands nowhere.
pub(crate) fn node_of(value: &Value) -> Node {
    let scalar = |text: &str, plain| NodeValue::Scalar { text: text.to_owned(), plain };
    let value = match value {
        Value::Null => scalar("", true),
        Value::String(text) => scalar(text, false),
        Value::Bool(_) | Value::Number(_) => scalar(&value.to_string(), true),
        Value::Array(items) => NodeValue::List { items: items.iter().map(node_of).collect() },
        Value::Object(entries) => {
            let entry = |(name, value): (&String, &Value)| (node_of(&name.as_str().into()), node_of(value));
            NodeValue::Map { entries: entries.iter().map(entry).collect(), flow: true }
        }
    };
    Node { value, span: 0..0, line: 1, column: 1 }
}

/// The node that a person means by a text: lists may be `a,b`, and maps `a=b,c=d`.
fn from_text(kind: Kind, text: &str) -> Result<Node, String> {
    let scalar = |text: &str| node_of(&Value::from(text));
    let brackets = text.trim_start().starts_with(['[', '{', '-']);
    match kind {
        Kind::List(_) | Kind::Mirrors | Kind::Map(_) if brackets => {
            let read = crate::parse(text).map_err(|error| error.message)?;
            read.root.ok_or_else(|| format!("it must be {kind}"))
        }
        Kind::List(_) | Kind::Mirrors => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(scalar).collect();
            Ok(Node { value: NodeValue::List { items }, ..scalar("") })
        }
        Kind::Map(_) => {
            let pairs = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let pairs = pairs.map(|pair| {
                let (name, value) =
                    pair.split_once('=').ok_or_else(|| format!("'{pair}' is no name=value"))?;
                Ok((scalar(name), scalar(value)))
            });
            let entries = pairs.collect::<Result<_, String>>()?;
            Ok(Node { value: NodeValue::Map { entries, flow: true }, ..scalar("") })
        }
        _ if text.is_empty() || text == "null" => Ok(node_of(&Value::Null)),
        _ => Ok(scalar(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, text: &str) -> String {
        from_scalar(kind, text).map_or_else(|wrong| wrong.0, |value| value.to_string())
    }

    #[test]
    fn every_kind_says_what_it_allows() {
        for (kind, text, said) in [
            (Kind::Bool, "yes", "'yes' is not allowed, it must be true or false"),
            (
                Kind::Number(0, u64::MAX),
                "many",
                "'many' is not allowed, it must be a whole number, 0 or more",
            ),
            (Kind::Number(0, 100), "101", "'101' is not allowed, it must be a whole number from 0 to 100"),
            (
                Kind::Seconds(0),
                "5m",
                "'5m' is not allowed, it must be a whole number of seconds, as 3600 for an hour",
            ),
            (
                Kind::Bytes,
                "20 apples",
                "'20 apples' is not allowed, it must be a number of bytes, or one with k, m, g or t behind it, as 20g",
            ),
            (
                Kind::Choice(&["trace", "debug", "info"]),
                "dbug",
                "'dbug' is not allowed, it must be trace, debug or info: did you mean debug?",
            ),
            (Kind::Choice(&["overlay2"]), "overlay", "'overlay' is not allowed, it must be overlay2"),
            (Kind::Path, "var/lib", "'var/lib' is not allowed, it must be a path that begins with /"),
            (
                Kind::Program,
                "bin/runc",
                "'bin/runc' is not allowed, it must be a path that begins with /, or the name of a program",
            ),
            (
                Kind::Subnet,
                "172.30.0.0",
                "'172.30.0.0' is not allowed, it must be an IPv4 subnet, as 172.30.0.0/16",
            ),
            (Kind::Subnet, "172.30.0.1/16", "172.30.0.1/16 is an address in a subnet: that is 172.30.0.0/16"),
            (
                Kind::Subnet,
                "172.30.0.0/30",
                "172.30.0.0/30 has room for too few containers: /29 is the smallest",
            ),
            (Kind::Address, "example", "'example' is not allowed, it must be an IP address, as 192.0.2.1"),
            (Kind::Listen, "localhost:1", "write 127.0.0.1:1, or [::1]:1, for localhost"),
        ] {
            assert_eq!(of(kind, text), said);
        }
    }

    #[test]
    fn what_is_allowed_is_read() {
        for (kind, text, value) in [
            (Kind::Bool, "True", "true"),
            (Kind::Bytes, "20g", "21474836480"),
            (Kind::Bytes, "1 MiB", "1048576"),
            (Kind::Bytes, "7", "7"),
            (Kind::Subnet, "10.0.0.0/8", "\"10.0.0.0/8\""),
            (Kind::Text, "1", "\"1\""),
        ] {
            assert_eq!(of(kind, text), value);
        }
        assert_eq!(bytes("99999999t"), None);
    }

    #[test]
    fn lists_and_maps_are_read_from_words() {
        let list = from_text(Kind::List(&Kind::Text), "a, b,").unwrap();
        assert_eq!(from_node(Kind::List(&Kind::Text), &list).unwrap(), serde_json::json!(["a", "b"]));
        let list = from_text(Kind::List(&Kind::Text), "[a, 'b,c']").unwrap();
        assert_eq!(from_node(Kind::List(&Kind::Text), &list).unwrap(), serde_json::json!(["a", "b,c"]));
        assert_eq!(from_text(Kind::Map(&Kind::Text), "a").unwrap_err(), "'a' is no name=value");
        let NodeValue::Map { entries, .. } = from_text(Kind::Map(&Kind::Text), "a=b").unwrap().value else {
            panic!()
        };
        assert_eq!(entries[0].1.text(), Some("b"));
    }

    #[test]
    fn an_address_that_is_none_tells_what_to_write() {
        assert_eq!(listen_address("[::1]:5000").unwrap().port(), 5000);
        assert_eq!(
            listen_address("localhost:5001").unwrap_err(),
            "write 127.0.0.1:5001, or [::1]:5001, for localhost"
        );
        for text in [":5000", "5000", "127.0.0.1", "host:5000"] {
            assert!(listen_address(text).unwrap_err().contains("127.0.0.1:5000"), "{text}");
        }
    }
}
