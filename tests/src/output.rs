//! What a client printed and how it ended.

use std::process::{Command, Output, Stdio};

/// A client's run, finished.
#[derive(Debug, Clone)]
pub struct Run {
    /// As it was typed.
    pub line: String,
    /// Exit code; -1: killed by a signal.
    pub code: i32,
    /// Standard output; bytes that are no UTF-8 replaced.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Runs the command to its end, with nothing on standard input unless the command says otherwise.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let line = format!("{command:?}");
        let Output { status, stdout, stderr } = command
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("cannot run {line}: {error}"));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { line, code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Standard output of a run that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.stdout
    }

    /// The same without white space at its ends.
    #[track_caller]
    pub fn line(self) -> String {
        self.ok().trim().to_owned()
    }

    /// The same, wherever the words were printed: what a runtime says of an exec comes as the exec's output.
    #[track_caller]
    pub fn fails_saying(self, code: i32, words: &str) {
        let said = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(self.code == code && said, "expected {code} and '{words}': {self:#?}");
    }

    /// Standard error of a run that must have failed with this code and these words.
    #[track_caller]
    pub fn fails(self, code: i32, words: &str) -> String {
        assert!(self.code == code && self.stderr.contains(words), "expected {code} and '{words}': {self:#?}");
        self.stderr
    }
}
