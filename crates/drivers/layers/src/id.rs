//! Names of layer directories.

use crate::LayerError;
use std::fmt;
use std::str::FromStr;

/// The name of a layer's directory: six lower-case letters and digits, drawn at random, meaning nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(Box<str>);

impl LayerId {
    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LayerId {
    type Err = LayerError;
    fn from_str(text: &str) -> Result<Self, LayerError> {
        let sound = text.len() == 6 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if sound { Ok(Self(text.into())) } else { Err(LayerError::BadId { text: text.to_owned() }) }
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
