//! The values that templates see.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::rc::Rc;

/// A value; objects keep the order of their fields.
#[derive(Debug, Clone, Default)]
pub(crate) enum Value {
    /// No value at all: prints as `<no value>` on its own.
    #[default]
    Null,
    /// A pointer to nothing: prints as `<nil>`.
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    List(Vec<Value>),
    Object(Kind, Vec<(Cow<'static, str>, Value)>),
    /// A method with parameters, such as `.Label "name"`.
    Method(Method),
}

/// What an object was in Go, which decides how it prints and what a missing field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A map: prints as `map[k:v]`, and has no value for keys that it lacks.
    Map,
    /// The same, but asking for a key that it lacks is an error (Go's `missingkey=error`).
    StrictMap,
    /// A struct of that type: prints as `{v v}`.
    Struct(&'static str),
}

/// Begins the key of a field that templates can ask for but that is not part of the document.
pub(crate) const HIDDEN: char = '\0';

/// A function of one string.
#[derive(Clone)]
pub(crate) struct Method(pub(crate) Rc<dyn Fn(&str) -> Value>);

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Method")
    }
}

impl Value {
    /// A struct with the given fields.
    pub(crate) fn structure(
        name: &'static str,
        fields: impl IntoIterator<Item = (&'static str, Self)>,
    ) -> Self {
        Self::Object(Kind::Struct(name), fields.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// The field or entry `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(_, fields) => {
                let is_named = |key: &str| key == name || key.strip_prefix(HIDDEN) == Some(name);
                fields.iter().find(|(key, _)| is_named(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Object(_, fields) => fields.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Go's notion of truth: not zero, not empty.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::Null | Self::Nil => false,
            Self::Bool(on) => *on,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Object(Kind::Map | Kind::StrictMap, fields) => !fields.is_empty(),
            Self::Object(..) | Self::Method(_) => true,
        }
    }

    /// Compact JSON, as docker's `json` function makes it: what is put together by the command line itself, such as
    /// the rows of a list, comes with `<`, `>` and `&` escaped, the daemon's documents do not.
    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        match self {
            Self::Object(Kind::Struct(name), _) if !name.is_empty() => {
                text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
            }
            _ => text,
        }
    }

    /// Makes strict maps of all objects, as Go has a document that it decoded without a type.
    pub(crate) fn untype(&mut self) {
        match self {
            Self::List(items) => items.iter_mut().for_each(Self::untype),
            Self::Object(kind, fields) => {
                *kind = Kind::StrictMap;
                fields.iter_mut().for_each(|(_, value)| value.untype());
            }
            _ => {}
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(on: bool) -> Self {
        Self::Bool(on)
    }
}

/// Go's `%v`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null | Self::Nil => f.write_str("<nil>"),
            Self::Bool(on) => write!(f, "{on}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => f.write_str(&float(*number)),
            Self::Str(text) => f.write_str(text),
            Self::List(items) => {
                f.write_char('[')?;
                spaced(f, items.iter())?;
                f.write_char(']')
            }
            Self::Object(Kind::Struct(_), fields) => {
                f.write_char('{')?;
                spaced(f, fields.iter().filter(|(key, _)| !key.starts_with(HIDDEN)).map(|(_, value)| value))?;
                f.write_char('}')
            }
            Self::Object(Kind::Map | Kind::StrictMap, fields) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                f.write_str("map[")?;
                for (index, (key, value)) in sorted.into_iter().enumerate() {
                    write!(f, "{}{key}:{value}", if index > 0 { " " } else { "" })?;
                }
                f.write_char(']')
            }
            Self::Method(_) => f.write_str("func"),
        }
    }
}

fn spaced<'v>(f: &mut fmt::Formatter<'_>, values: impl Iterator<Item = &'v Value>) -> fmt::Result {
    for (index, value) in values.enumerate() {
        write!(f, "{}{value}", if index > 0 { " " } else { "" })?;
    }
    Ok(())
}

/// Go's shortest form of a float: exponents from 1e21 on.
fn float(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{number}")
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::Nil | Self::Method(_) => serializer.serialize_unit(),
            Self::Bool(on) => serializer.serialize_bool(*on),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Str(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Object(_, fields) => {
                let mut map = serializer.serialize_map(None)?;
                let shown = |(key, value): &&(Cow<'static, str>, Self)| {
                    !matches!(value, Self::Method(_)) && !key.starts_with(HIDDEN)
                };
                for (key, value) in fields.iter().filter(shown) {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// Every JSON object becomes a nameless struct; [`Value::mark_maps`] says which are maps.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Json)
    }
}

struct Json;

impl<'de> Visitor<'de> for Json {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, on: bool) -> Result<Value, E> {
        Ok(Value::Bool(on))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Str(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, _>()? {
            fields.push((key.into(), value));
        }
        Ok(Value::Object(Kind::Struct(""), fields))
    }
}

impl Value {
    /// Makes maps of all objects that stand under one of `names`, at any depth.
    pub(crate) fn mark_maps(&mut self, names: &[&str]) {
        match self {
            Self::List(items) => items.iter_mut().for_each(|item| item.mark_maps(names)),
            Self::Object(_, fields) => {
                for (key, value) in fields {
                    value.mark_maps(names);
                    if let Self::Object(kind, _) = value
                        && names.contains(&key.as_ref())
                    {
                        *kind = Kind::Map;
                    }
                }
            }
            _ => {}
        }
    }
}
