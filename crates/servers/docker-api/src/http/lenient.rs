//! JSON into structs as leniently as Go does it, since Docker's clients were written against that: field names in
//! any case, `null` for any value (it leaves the default). The keys of maps stay as they are.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// A JSON value, read leniently.
pub(crate) struct Lenient(pub(crate) Value);

impl IntoDeserializer<'_, Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A `null` reads as the type's zero value.
macro_rules! null_is {
    ($($method:ident => $visit:ident($zero:expr)),* $(,)?) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Value::Null => visitor.$visit($zero),
                value => value.$method(visitor),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Lenient));
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Object(entries) => visit_map(entries, visitor),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(entries) => visit_map(named(entries, fields), visitor),
            Value::Null => visit_map(Map::new(), visitor),
            // Derived visitors would take the elements for the fields in order.
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visit_map(Map::new(), visitor),
            value => Lenient(value).deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => Lenient(Value::Array(Vec::new())).deserialize_any(visitor),
            value => Lenient(value).deserialize_any(visitor),
        }
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
        self.0.deserialize_enum(name, variants, visitor)
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
        deserialize_str => visit_str(""),
        deserialize_string => visit_str(""),
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

fn visit_map<'de, V: Visitor<'de>>(entries: Map<String, Value>, visitor: V) -> Result<V::Value, Error> {
    let mut entries = MapDeserializer::new(entries.into_iter().map(|(key, value)| (key, Lenient(value))));
    let value = visitor.visit_map(&mut entries)?;
    entries.end()?;
    Ok(value)
}

/// Without nulls, and with the struct's own spelling of its fields; an exact spelling wins.
fn named(entries: Map<String, Value>, fields: &'static [&'static str]) -> Map<String, Value> {
    let mut named = Map::new();
    for (key, value) in entries {
        if value.is_null() {
            continue;
        }
        let exact = fields.contains(&key.as_str());
        match fields.iter().find(|field| field.eq_ignore_ascii_case(&key)) {
            Some(field) if !exact => {
                named.entry(*field).or_insert(value);
            }
            _ => {
                named.insert(key, value);
            }
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
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

    fn read(value: Value) -> Result<Inner, Error> {
        Inner::deserialize(Lenient(value))
    }

    #[test]
    fn names_in_any_case_and_nulls_are_taken() {
        let inner = read(json!({
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
        assert_eq!(read(json!({"image": "a", "Image": "b"})).unwrap().image, "b");
        assert_eq!(read(json!({"Image": "b", "image": "a"})).unwrap().image, "b");
    }

    #[test]
    fn wrong_types_are_still_refused() {
        assert!(read(json!({"Image": 1})).is_err());
        assert!(read(json!({"Count": "a"})).is_err());
        assert!(read(json!({"Nested": []})).is_err());
        assert!(read(json!([])).is_err());
    }
}
