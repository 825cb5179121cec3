//! What the tests in a machine came to, out of what they printed.

use std::collections::BTreeMap;
use std::fmt;

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// With what was lacking.
    Skipped(String),
    /// Neither: the machine did not get that far.
    Cut,
}

/// All tests that were begun, by name.
#[derive(Debug, Default)]
pub(super) struct Report(BTreeMap<String, End>);

impl Report {
    /// From the output of Rust's test harness with one thread: `test NAME ... ` and, after whatever the test's programs
    /// print themselves, `ok` or `FAILED`.
    pub(super) fn read(text: &str) -> Self {
        let mut report = Self::default();
        let mut current = None;
        for line in text.lines().map(str::trim_end) {
            if let Some((name, end)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ...")) {
                report.0.insert(name.to_owned(), End::Cut);
                current = Some(name.to_owned());
                report.end(&mut current, end.trim());
            } else if let Some((name, lacking)) =
                line.strip_prefix("SKIPPED ").and_then(|rest| rest.split_once(": needs "))
            {
                report.0.insert(name.to_owned(), End::Skipped(lacking.to_owned()));
            } else {
                report.end(&mut current, line);
            }
        }
        report
    }

    fn end(&mut self, current: &mut Option<String>, text: &str) {
        // A program may have printed something without a line's end before it.
        let end = match text {
            _ if text.ends_with("FAILED") => End::Failed,
            _ if text.ends_with("ok") => End::Passed,
            _ => return,
        };
        if let Some(name) = current.take() {
            self.0.insert(name, end);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut modules: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for (name, end) in &self.0 {
            let counts = modules.entry(name.split("::").next().unwrap_or(name)).or_default();
            counts[match end {
                End::Passed => 0,
                End::Failed | End::Cut => 1,
                End::Skipped(_) => 2,
            }] += 1;
        }
        writeln!(f, "{:<16} passed failed skipped", "in the machine")?;
        for (module, [passed, failed, skipped]) in &modules {
            writeln!(f, "{module:<16} {passed:>6} {failed:>6} {skipped:>7}")?;
        }
        for (name, end) in &self.0 {
            match end {
                End::Passed => {}
                End::Failed => writeln!(f, "FAILED  {name}")?,
                End::Cut => writeln!(f, "NO END  {name}")?,
                End::Skipped(lacking) => writeln!(f, "SKIPPED {name}: needs {lacking}")?,
            }
        }
        let sum = |column: usize| modules.values().map(|counts| counts[column]).sum::<usize>();
        write!(f, "{} passed, {} failed, {} skipped", sum(0), sum(1), sum(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_among_what_programs_print() {
        let text = "running 4 tests\n\
            test a::one ... ok\n\
            test a::two ... write /dev/stdout: broken pipe\nok\n\
            test b::three ... FAILED\n\
            test b::four ... ok\n\
            test b::five ... \n\
            successes:\n---- b::four stdout ----\nSKIPPED b::four: needs the program x\n";
        let shown = Report::read(text).to_string();
        let expected = "in the machine   passed failed skipped\n\
            a                     2      0       0\n\
            b                     0      2       1\n\
            NO END  b::five\nSKIPPED b::four: needs the program x\nFAILED  b::three\n\
            2 passed, 2 failed, 1 skipped";
        assert_eq!(shown, expected);
    }
}
