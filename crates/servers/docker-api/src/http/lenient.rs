//! JSON into structs as leniently as Go does it, since Docker's clients were written against that: field names in
//! any case, `null` for any value (it leaves the default). The keys of maps stay as they are.

use serde::Deserialize;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;
use serde_json::{Error, Value};
use std::borrow::Cow;
use std::fmt;

/// Documents within documents; what is deeper could overflow the stack.
const DEEPEST: u8 = 128;

/// A JSON value, read leniently. It stays text until it is known what it is to be: a tree of a client's 60,000 ports
/// would take thirty times the place of the text.
#[derive(Clone, Copy)]
pub(crate) struct Lenient<'a> {
    text: &'a RawValue,
    depth: u8,
}

/// What stands in an object.
type Entries<'a> = Vec<(Key<'a>, &'a RawValue)>;

/// As in the text, where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Lenient<'a> {
    /// A whole document.
    pub(crate) fn new(text: &'a RawValue) -> Self {
        Self { text, depth: 0 }
    }

    fn is_null(self) -> bool {
        self.text.get() == "null"
    }

    fn begins_with(self, bracket: char) -> bool {
        self.text.get().starts_with(bracket)
    }

    /// Read as it is.
    fn value(self) -> Result<Value, Error> {
        serde_json::from_str(self.text.get())
    }

    fn items(self) -> Result<Vec<&'a RawValue>, Error> {
        self.is_shallow()?;
        serde_json::from_str(self.text.get())
    }

    fn entries(self) -> Result<Entries<'a>, Error> {
        self.is_shallow()?;
        serde_json::Deserializer::from_str(self.text.get()).deserialize_map(AllEntries)
    }

    fn is_shallow(self) -> Result<(), Error> {
        if self.depth == DEEPEST { Err(Error::custom("nested too deep")) } else { Ok(()) }
    }

    fn within(self, text: &'a RawValue) -> Self {
        Self { text, depth: self.depth + 1 }
    }

    fn visit_map<V: Visitor<'a>>(self, entries: Entries<'a>, visitor: V) -> Result<V::Value, Error> {
        let entries = entries.into_iter().map(|(key, text)| (key.0, self.within(text)));
        let mut entries = MapDeserializer::new(entries);
        let value = visitor.visit_map(&mut entries)?;
        entries.end()?;
        Ok(value)
    }

    fn visit_seq<V: Visitor<'a>>(self, items: Vec<&'a RawValue>, visitor: V) -> Result<V::Value, Error> {
        let mut items = SeqDeserializer::new(items.into_iter().map(|text| self.within(text)));
        let value = visitor.visit_seq(&mut items)?;
        items.end()?;
        Ok(value)
    }
}

struct AllEntries;

impl<'de> Visitor<'de> for AllEntries {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Entries::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl<'de> IntoDeserializer<'de, Error> for Lenient<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A `null` reads as the type's zero value.
macro_rules! null_is {
    ($($method:ident => $visit:ident($zero:expr)),* $(,)?) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            if self.is_null() { visitor.$visit($zero) } else { self.value()?.$method(visitor) }
        }
    )* };
}

impl<'de> Deserializer<'de> for Lenient<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.begins_with('[') {
            self.visit_seq(self.items()?, visitor)
        } else if self.begins_with('{') {
            self.visit_map(self.entries()?, visitor)
        } else {
            self.value()?.deserialize_any(visitor)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.begins_with('{') {
            return self.visit_map(named(self.entries()?, fields), visitor);
        }
        if self.begins_with('[') {
            // Derived visitors would take the elements for the fields in order.
            return Err(Error::invalid_type(Unexpected::Seq, &visitor));
        }
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { self.visit_map(Entries::new(), visitor) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { self.visit_seq(Vec::new(), visitor) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    /// Without a copy, if it is a text: there may be some hundred thousand.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.begins_with('"') {
            serde_json::Deserializer::from_str(self.text.get()).deserialize_str(visitor)
        } else if self.is_null() {
            visitor.visit_str("")
        } else {
            self.value()?.deserialize_str(visitor)
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    null_is! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_i8(0),
        deserialize_i16 => visit_i16(0),
        deserialize_i32 => visit_i32(0),
        deserialize_i64 => visit_i64(0),
        deserialize_u8 => visit_u8(0),
        deserialize_u16 => visit_u16(0),
        deserialize_u32 => visit_u32(0),
        deserialize_u64 => visit_u64(0),
        deserialize_f32 => visit_f32(0.0),
        deserialize_f64 => visit_f64(0.0),
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The struct's fields with its own spelling, without nulls; an exact spelling wins over others, and of exact ones the last.
fn named<'a>(entries: Entries<'a>, fields: &'static [&'static str]) -> Entries<'a> {
    let mut named = Entries::with_capacity(entries.len().min(fields.len()));
    for (key, text) in entries.into_iter().filter(|(_, text)| text.get() != "null") {
        let exact = fields.iter().find(|field| **field == key.0);
        let Some(field) = exact.or_else(|| fields.iter().find(|field| field.eq_ignore_ascii_case(&key.0)))
        else {
            continue;
        };
        match named.iter_mut().find(|(other, _)| other.0 == *field) {
            Some(known) if exact.is_some() => known.1 = text,
            Some(_) => {}
            None => named.push((Key(Cow::Borrowed(field)), text)),
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default, rename_all = "PascalCase")]
    struct Inner {
        image: String,
        count: i64,
        list: Vec<String>,
        map: BTreeMap<String, Vec<u8>>,
        nested: Option<Box<Inner>>,
    }

    fn read(value: &Value) -> Result<Inner, Error> {
        let text = serde_json::value::to_raw_value(value).unwrap();
        Inner::deserialize(Lenient::new(&text))
    }

    #[test]
    fn names_in_any_case_and_nulls_are_taken() {
        let inner = read(&json!({
            "image": "x", "COUNT": 3, "List": null, "unknown": [1],
            "map": {"Key": null, "key": [1]}, "nested": {"IMAGE": "y", "count": null},
        }))
        .unwrap();
        assert_eq!((inner.image.as_str(), inner.count), ("x", 3));
        assert_eq!(inner.map, BTreeMap::from([("Key".into(), vec![]), ("key".into(), vec![1])]));
        assert_eq!(inner.nested.unwrap().image, "y");
    }

    #[test]
    fn an_exact_name_wins() {
        assert_eq!(read(&json!({"image": "a", "Image": "b"})).unwrap().image, "b");
        assert_eq!(read(&json!({"Image": "b", "image": "a"})).unwrap().image, "b");
    }

    #[test]
    fn wrong_types_are_still_refused() {
        assert!(read(&json!({"Image": 1})).is_err());
        assert!(read(&json!({"Count": "a"})).is_err());
        assert!(read(&json!({"Nested": []})).is_err());
        assert!(read(&json!([])).is_err());
    }

    #[test]
    fn any_depth_is_read_or_refused() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let read = |text: &str| {
            let text: &RawValue = serde_json::from_str(text).unwrap();
            Value::deserialize(Lenient::new(text))
        };
        assert!(read(&deep(100)).is_ok());
        assert!(read(&deep(10_000)).is_err());
        let beside = format!(r#"{{"unknown":{},"Image":"x"}}"#, deep(1_000_000));
        let beside: &RawValue = serde_json::from_str(&beside).unwrap();
        assert_eq!(Inner::deserialize(Lenient::new(beside)).unwrap().image, "x");
    }
}
