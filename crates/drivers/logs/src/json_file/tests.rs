//! Writer and reader together, over real files.

use super::*;
use crate::{Entry, ReadOptions, Stream};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

struct Log {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Log {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x-json.log");
        Self { _directory: directory, path }
    }

    fn writer(&self, options: &[(&str, &str)]) -> Writer {
        let options: BTreeMap<_, _> =
            options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Writer::open(&self.path, &options).unwrap()
    }

    fn raw(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn read(&self, options: ReadOptions) -> Vec<Entry> {
        drain(&mut Reader::open(&self.path, options).unwrap())
    }

    fn texts(&self, options: ReadOptions) -> Vec<String> {
        self.read(options).into_iter().map(text).collect()
    }
}

fn text(entry: Entry) -> String {
    String::from_utf8(entry.bytes).unwrap().trim_end().to_owned()
}

/// Entries up to the first moment at which there is none.
fn drain(reader: &mut Reader) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let Next::Entry(entry) = reader.read().unwrap() {
        entries.push(entry);
    }
    entries
}

/// `count` lines named by their number, a second apart, in files of about ten lines.
fn numbered(log: &Log, count: i64, options: &[(&str, &str)]) -> Writer {
    let mut writer = log.writer(options);
    for number in 0..count {
        let stream = if number % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
        writer.write(stream, number * 1_000_000_000, format!("{number}\n").as_bytes()).unwrap();
    }
    writer
}

const SMALL: [(&str, &str); 2] = [("max-size", "600"), ("max-file", "100")];

fn names(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers.into_iter().map(|number| number.to_string()).collect()
}

#[test]
fn begun_lines_wait_for_their_newline_per_stream() {
    let log = Log::new();
    let mut writer = log.writer(&[]);
    writer.write(Stream::Stdout, 1, b"a").unwrap();
    writer.write(Stream::Stderr, 2, b"e\npart").unwrap();
    writer.write(Stream::Stdout, 3, b"b\nc\n").unwrap();
    writer.flush(4).unwrap();
    assert_eq!(
        log.raw(),
        "{\"log\":\"e\\n\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:00.000000002Z\"}\n\
         {\"log\":\"ab\\n\",\"stream\":\"stdout\",\"time\":\"1970-01-01T00:00:00.000000003Z\"}\n\
         {\"log\":\"c\\n\",\"stream\":\"stdout\",\"time\":\"1970-01-01T00:00:00.000000003Z\"}\n\
         {\"log\":\"part\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:00.000000004Z\"}\n"
    );
}

#[test]
fn a_line_without_end_becomes_pieces_that_add_up() {
    let log = Log::new();
    let mut writer = log.writer(&[]);
    let line = "é".repeat(LINE_LIMIT) + "x\n";
    for chunk in line.as_bytes().chunks(65_521) {
        writer.write(Stream::Stdout, 0, chunk).unwrap();
    }
    let entries = log.read(ReadOptions::all());
    assert_eq!(entries.len(), 3);
    assert_eq!(entries.concat_bytes(), line.as_bytes());
}

trait Concat {
    fn concat_bytes(&self) -> Vec<u8>;
}
impl Concat for Vec<Entry> {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|entry| entry.bytes.iter().copied()).collect()
    }
}

#[test]
fn rotation_keeps_as_many_files_as_asked() {
    let log = Log::new();
    numbered(&log, 200, &[("max-size", "600"), ("max-file", "3")]);
    let mut found: Vec<_> = fs::read_dir(log.path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, ["x-json.log", "x-json.log.1", "x-json.log.2"]);
    let texts = log.texts(ReadOptions::all());
    let first = 200 - i64::try_from(texts.len()).unwrap();
    assert_eq!(texts, names(first..200));
    assert!((17..=30).contains(&texts.len()), "{}", texts.len());
}

#[test]
fn a_single_file_is_emptied() {
    let log = Log::new();
    numbered(&log, 100, &[("max-size", "600"), ("max-file", "1")]);
    assert!(fs::metadata(&log.path).unwrap().len() < 800);
    assert_eq!(log.texts(ReadOptions::all()).last().unwrap(), "99");
}

#[test]
fn tail_since_until_and_streams_select_over_all_files() {
    let log = Log::new();
    numbered(&log, 300, &SMALL);
    let second = 1_000_000_000;
    let all = ReadOptions::all();
    assert_eq!(log.texts(all.clone()), names(0..300));
    for count in [0_i64, 1, 5, 17, 299, 300, 1000] {
        let from = (300 - count).max(0);
        let tail = Some(count.unsigned_abs());
        assert_eq!(log.texts(ReadOptions { tail, ..all.clone() }), names(from..300), "{count}");
    }
    for since in [-5, 0, 1, 9, 10, 11, 150, 298, 299, 300] {
        let options = ReadOptions { since: Some(since * second), ..all.clone() };
        assert_eq!(log.texts(options), names(since.max(0)..300), "{since}");
    }
    let options = ReadOptions { until: Some(20 * second), tail: Some(3), ..ReadOptions::all() };
    assert_eq!(log.texts(options), names(18..=20));
    let options = ReadOptions { stdout: false, tail: Some(2), ..ReadOptions::all() };
    assert_eq!(log.texts(options), names([297, 299]));
    let options = ReadOptions { since: Some(290 * second), tail: Some(200), ..ReadOptions::all() };
    assert_eq!(log.texts(options), names(290..300));
}

#[test]
fn torn_lines_cost_only_themselves() {
    let log = Log::new();
    numbered(&log, 2, &[]);
    fs::OpenOptions::new().append(true).open(&log.path).unwrap().write_all(b"{\"log\":\"to").unwrap();
    assert_eq!(log.texts(ReadOptions::all()), names(0..2));
    assert_eq!(log.texts(ReadOptions { tail: Some(1), ..ReadOptions::all() }), names([1]));
    log.writer(&[]).write(Stream::Stdout, 2_000_000_000, b"2\n").unwrap();
    assert_eq!(log.texts(ReadOptions::all()), names(0..3));
    assert_eq!(log.texts(ReadOptions { tail: Some(2), ..ReadOptions::all() }), names(1..3));
    assert_eq!(log.texts(ReadOptions { since: Some(2_000_000_000), ..ReadOptions::all() }), names([2]));
}

#[test]
fn compressed_files_are_read_like_others() {
    let log = Log::new();
    let mut writer = numbered(&log, 100, &SMALL);
    compress_rotated(&log.path).unwrap();
    assert!(files::rotated(&log.path).unwrap().iter().all(|rotated| rotated.compressed));
    for number in 100..150 {
        writer.write(Stream::Stdout, number * 1_000_000_000, format!("{number}\n").as_bytes()).unwrap();
    }
    compress_rotated(&log.path).unwrap();
    assert_eq!(log.texts(ReadOptions::all()), names(0..150));
    assert_eq!(log.texts(ReadOptions { tail: Some(60), ..ReadOptions::all() }), names(90..150));
}

fn following(path: &Path, tail: Option<u64>) -> Reader {
    Reader::open(path, ReadOptions { follow: true, tail, ..ReadOptions::all() }).unwrap()
}

#[test]
fn a_follower_of_a_log_that_does_not_exist_yet_sleeps() {
    let log = Log::new();
    let mut reader = following(&log.path, None);
    for _ in 0..2 {
        assert_eq!(reader.read().unwrap(), Next::Pending);
        // Something else happens in the directory: it wakes once, not for ever.
        fs::write(log.path.with_extension("other"), "x").unwrap();
        assert!(reader.wait(Duration::from_secs(5)).unwrap());
        assert_eq!(reader.read().unwrap(), Next::Pending);
        assert!(!reader.wait(Duration::ZERO).unwrap());
    }
    numbered(&log, 1, &[]);
    assert!(reader.wait(Duration::from_secs(5)).unwrap());
    assert_eq!(drain(&mut reader).len(), 1);
}

#[test]
fn a_writer_tells_when_there_is_something_to_compress() {
    let log = Log::new();
    let options = [("max-size", "600"), ("compress", "true")];
    let mut writer = log.writer(&options);
    assert!(writer.take_uncompressed().is_none());
    for number in 0..20 {
        writer.write(Stream::Stdout, number, b"x\n").unwrap();
    }
    assert_eq!(writer.take_uncompressed(), Some(log.path.as_path()));
    assert!(writer.take_uncompressed().is_none());
    assert!(log.writer(&options).take_uncompressed().is_some(), "an earlier writer's");
    assert!(numbered(&Log::new(), 100, &SMALL).take_uncompressed().is_none());
}

#[test]
fn a_follower_sees_every_line_through_rotations_and_the_end() {
    let log = Log::new();
    // The log does not exist yet when it is first looked at.
    let mut reader = following(&log.path, None);
    assert_eq!(reader.read().unwrap(), Next::Pending);
    std::thread::scope(|scope| {
        let written = scope.spawn(|| drop(numbered(&log, 3000, &[("max-size", "5k"), ("max-file", "100")])));
        let mut seen = Vec::new();
        let limit = Instant::now() + Duration::from_secs(20);
        while seen.len() < 3000 && Instant::now() < limit {
            match reader.read().unwrap() {
                Next::Entry(entry) => seen.push(text(entry)),
                Next::Pending => drop(reader.wait(Duration::from_secs(1)).unwrap()),
                Next::End => panic!("ended while the writer lives"),
            }
        }
        written.join().unwrap();
        assert_eq!(seen, names(0..3000));
    });
    assert_eq!(reader.read().unwrap(), Next::Pending);
    reader.finish();
    assert_eq!(reader.read().unwrap(), Next::End);
}

#[test]
fn a_follower_that_fell_behind_goes_on_with_what_is_left() {
    let log = Log::new();
    let mut writer = numbered(&log, 5, &[("max-size", "600"), ("max-file", "2")]);
    let mut reader = following(&log.path, Some(2));
    assert_eq!(drain(&mut reader).into_iter().map(text).collect::<Vec<_>>(), names(3..5));
    for number in 5..100 {
        writer.write(Stream::Stdout, number * 1_000_000_000, format!("{number}\n").as_bytes()).unwrap();
    }
    let rest: Vec<_> = drain(&mut reader).into_iter().map(text).collect();
    let left = log.texts(ReadOptions::all());
    // What it held open when the log rotated is not lost for it.
    assert!(rest.ends_with(&left), "{rest:?} {left:?}");
    assert_eq!(rest.first().unwrap(), "5");
}

#[test]
fn a_follower_of_an_emptied_file_goes_on_from_its_beginning() {
    let log = Log::new();
    let mut writer = numbered(&log, 5, &[]);
    let mut reader = following(&log.path, None);
    assert_eq!(drain(&mut reader).len(), 5);
    fs::File::options().write(true).open(&log.path).unwrap().set_len(0).unwrap();
    writer.write(Stream::Stdout, 9_000_000_000, b"9\n").unwrap();
    assert!(reader.wait(Duration::from_secs(5)).unwrap());
    assert_eq!(drain(&mut reader).into_iter().map(text).collect::<Vec<_>>(), names([9]));
}

#[test]
fn a_follower_of_a_removed_log_ends() {
    let log = Log::new();
    numbered(&log, 1, &[]);
    let mut reader = following(&log.path, None);
    assert_eq!(drain(&mut reader).len(), 1);
    fs::remove_dir_all(log.path.parent().unwrap()).unwrap();
    assert!(reader.wait(Duration::from_secs(5)).unwrap());
    assert_eq!(reader.read().unwrap(), Next::End);
}

#[test]
fn until_ends_a_follower() {
    let log = Log::new();
    numbered(&log, 10, &[]);
    let options = ReadOptions { follow: true, until: Some(3_000_000_000), ..ReadOptions::all() };
    let mut reader = Reader::open(&log.path, options).unwrap();
    assert_eq!(drain(&mut reader).len(), 4);
    assert_eq!(reader.read().unwrap(), Next::End);
}
