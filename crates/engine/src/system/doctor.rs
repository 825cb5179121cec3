//! `system doctor`: what this host lacks, or has wrong, for the engine. Needs no engine, and leaves the host as it is.
//!
//! `gather.rs` looks facts up, `probes.rs` tries what is only known once it was tried, `judge.rs` concludes.

mod gather;
mod judge;
mod probes;

use std::path::PathBuf;

/// What is to be examined.
#[derive(Debug, Clone)]
pub struct Examination {
    /// Where an engine has, or would have, what must survive a reboot.
    pub root: PathBuf,
    /// Our shim's program, or why there is none.
    pub shim: Result<PathBuf, String>,
}

/// What is known of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `kernel`, `packet filter`, …
    pub subject: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// In a sentence: what there is, or what does not work.
    pub finding: String,
    /// What to do about it.
    pub next: Option<String>,
}

/// How a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something does not work, and the rest does.
    Degraded,
    /// No container can run, or what runs is in danger.
    Broken,
}

impl Verdict {
    /// As reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
        }
    }
}

/// Examines the host; blocks for some tens of milliseconds.
pub fn doctor(examination: &Examination) -> Vec<Line> {
    judge::judge(&gather::gather(examination))
}
