//! Platforms: parsing `os/architecture/variant`, normal forms, and which of several images a host should run.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// More than three components, or an empty or odd one.
    #[error("\"{text}\" is an invalid platform: expected os[/architecture[/variant]]")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// One word that is neither a known operating system nor a known architecture.
    #[error("\"{text}\" is an invalid OS or architecture")]
    Unknown {
        /// What was given.
        text: String,
    },
}

impl errors::Classified for PlatformError {
    fn class(&self) -> errors::Class {
        errors::Class::Invalid
    }
}

/// What an image is made for, in Go's names and in normal form (`amd64` not `x86_64`, `arm64` without `v8`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7`; empty where the architecture's normal form has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

impl Platform {
    /// A platform in normal form.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            "" => "linux".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, variant) =
            normalise(&architecture.to_ascii_lowercase(), &variant.to_ascii_lowercase());
        Self { os, architecture, variant }
    }

    /// The platform that this program was built for, which is the one it runs.
    pub fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, "")
    }

    /// How well this host platform runs an image made for `image`: 0 is best, none: not at all.
    ///
    /// A newer arm runs code of older variants, arm64 also runs 32-bit arm.
    pub fn rank(&self, image: &Self) -> Option<usize> {
        if self.os != image.os {
            return None;
        }
        self.runs().iter().position(|(architecture, variant)| {
            *architecture == image.architecture && *variant == image.variant
        })
    }

    /// Architectures and variants that this one runs, best first.
    fn runs(&self) -> Vec<(String, String)> {
        let level = |prefix: &str| self.variant.strip_prefix(prefix).and_then(|n| n.parse::<u8>().ok());
        let pairs = |architecture: &str, from: u8, to: u8| {
            (to..=from).rev().map(|v| (architecture.to_owned(), format!("v{v}"))).collect::<Vec<_>>()
        };
        let mut runs = vec![(self.architecture.clone(), self.variant.clone())];
        match self.architecture.as_str() {
            "amd64" => {
                runs.extend(pairs("amd64", level("v").unwrap_or(1).saturating_sub(1), 2));
                runs.push(("amd64".to_owned(), String::new()));
            }
            "arm" => runs.extend(pairs("arm", level("v").unwrap_or(7).saturating_sub(1), 5)),
            "arm64" => {
                runs.push(("arm64".to_owned(), String::new()));
                runs.extend(pairs("arm", 8, 5));
            }
            _ => {}
        }
        runs
    }
}

fn normalise(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("i386" | "i486" | "i586" | "i686" | "x86", _) => ("386", ""),
        ("aarch64" | "arm64", "8" | "v8" | "") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        ("powerpc64le", variant) => ("ppc64le", variant),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

const SYSTEMS: &[&str] = &["linux", "windows", "darwin", "macos", "freebsd", "netbsd", "openbsd", "wasi"];
const ARCHITECTURES: &[&str] =
    &["amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64", "mips64le", "mips64", "wasm"];

impl FromStr for Platform {
    type Err = PlatformError;
    /// `os/architecture/variant`, `os/architecture`, or one of both with the rest taken from the host.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(word) {
            return Err(PlatformError::Malformed { text: text.to_owned() });
        }
        match parts[..] {
            [os, architecture] => Ok(Self::new(os, architecture, "")),
            [os, architecture, variant] => Ok(Self::new(os, architecture, variant)),
            [one] => {
                let lower = one.to_ascii_lowercase();
                let (architecture, variant) = normalise(&lower, "");
                if SYSTEMS.contains(&lower.as_str()) {
                    let host = Self::host();
                    Ok(Self::new(&lower, &host.architecture, &host.variant))
                } else if ARCHITECTURES.contains(&architecture.as_str()) {
                    Ok(Self::new("linux", &architecture, &variant))
                } else {
                    Err(PlatformError::Unknown { text: text.to_owned() })
                }
            }
            _ => Err(PlatformError::Malformed { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_have_one_normal_form() {
        for (text, normal) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("Linux/ARM64/v9", "linux/arm64/v9"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("arm64", "linux/arm64"),
            ("i686", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), normal, "{text}");
        }
        for bad in ["", "/", "linux/", "linux/a/b/c", "potato", "linux/am d64"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_prefers_its_own_and_runs_older_variants() {
        let rank = |host: &str, image: &str| host.parse::<Platform>().unwrap().rank(&image.parse().unwrap());
        assert_eq!(rank("linux/amd64", "linux/amd64"), Some(0));
        assert_eq!(rank("linux/amd64", "linux/arm64"), None);
        assert_eq!(rank("linux/amd64", "linux/amd64/v3"), None);
        assert_eq!(rank("linux/amd64", "windows/amd64"), None);
        assert!(rank("linux/amd64/v3", "linux/amd64/v2") < rank("linux/amd64/v3", "linux/amd64"));
        assert!(rank("linux/arm64", "linux/arm64") < rank("linux/arm64", "linux/arm/v7"));
        assert!(rank("linux/arm64", "linux/arm/v7") < rank("linux/arm64", "linux/arm/v6"));
        assert!(rank("linux/arm/v6", "linux/arm/v7").is_none());
    }
}
