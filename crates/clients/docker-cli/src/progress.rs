//! Streams of progress: pull, push, load, import.

use crate::failure::{Failure, Outcome};
use crate::output;
use engine_client::Response;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message {
    status: String,
    stream: String,
    id: String,
    error: String,
    #[serde(rename = "errorDetail")]
    error_detail: Option<Detail>,
    #[serde(rename = "progressDetail")]
    progress: Option<Progress>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Detail {
    message: String,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct Progress {
    current: u64,
    total: u64,
}

/// Where progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    Stdout,
    Stderr,
    /// Nowhere; errors still fail.
    Nowhere,
}

impl To {
    fn is_terminal(self) -> bool {
        use std::io::IsTerminal as _;
        match self {
            Self::Stdout => std::io::stdout().is_terminal(),
            Self::Stderr => std::io::stderr().is_terminal(),
            Self::Nowhere => false,
        }
    }

    fn write(self, text: &str) -> Outcome {
        match self {
            Self::Stdout => output::stdout(text)?,
            Self::Stderr => output::stderr(text),
            Self::Nowhere => {}
        }
        Ok(())
    }
}

/// Shows a stream until its end: bars on a terminal, else plain lines without the bars.
pub(crate) async fn show(response: Response, to: To) -> Outcome {
    let mut messages = response.json_lines::<Message>();
    let mut bars = to.is_terminal().then(|| Bars::new(to));
    while let Some(message) = messages.next().await? {
        if let Some(text) = problem(&message) {
            return Err(Failure::new(text));
        }
        match &mut bars {
            Some(bars) => bars.update(&message),
            None => plain(&message, to)?,
        }
    }
    Ok(())
}

fn problem(message: &Message) -> Option<String> {
    let detail = message.error_detail.as_ref().map(|detail| detail.message.clone());
    detail
        .filter(|text| !text.is_empty())
        .or_else(|| (!message.error.is_empty()).then(|| message.error.clone()))
}

fn plain(message: &Message, to: To) -> Outcome {
    if !message.stream.is_empty() {
        return to.write(&message.stream);
    }
    if message.progress.is_some_and(|progress| progress.current > 0 || progress.total > 0) {
        return Ok(());
    }
    if message.status.is_empty() && message.id.is_empty() {
        return Ok(());
    }
    let prefix = if message.id.is_empty() { String::new() } else { format!("{}: ", message.id) };
    to.write(&format!("{prefix}{}\n", message.status))
}

/// How far, how fast, and how long still: it fits into 80 columns.
const BAR: &str =
    "{prefix}: {msg} [{bar:18.=>-}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";

/// One line a layer, rewritten in place.
struct Bars {
    lines: MultiProgress,
    by_id: BTreeMap<String, ProgressBar>,
}

impl Bars {
    fn new(to: To) -> Self {
        let target = match to {
            To::Stderr => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::stdout(),
        };
        Self { lines: MultiProgress::with_draw_target(target), by_id: BTreeMap::new() }
    }

    fn update(&mut self, message: &Message) {
        if message.id.is_empty() {
            let text = if message.stream.is_empty() { &message.status } else { &message.stream };
            self.lines.println(text.trim_end_matches('\n')).ok();
            return;
        }
        let bar = self
            .by_id
            .entry(message.id.clone())
            .or_insert_with(|| self.lines.add(ProgressBar::no_length().with_prefix(message.id.clone())));
        match message.progress.filter(|progress| progress.total > 0) {
            Some(progress) => {
                // What is known of the rate is of what was done before: downloading says nothing about extracting.
                if bar.message() != message.status {
                    bar.reset();
                }
                bar.set_style(style(BAR));
                bar.set_length(progress.total);
                bar.set_message(message.status.clone());
                bar.set_position(progress.current);
            }
            None => {
                bar.set_message(message.status.clone());
                bar.set_style(style("{prefix}: {msg}"));
                bar.tick();
            }
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        for bar in self.by_id.values() {
            bar.abandon();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
