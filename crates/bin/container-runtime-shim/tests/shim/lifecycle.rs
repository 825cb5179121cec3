//! From Create to Delete.

use crate::support::{Fixture, is, lacks};
use containerd_shim_protos::ttrpc::Code;

#[test]
fn a_container_runs_and_its_exit_code_and_log_are_kept() {
    if lacks() {
        return;
    }
    let box_ = Fixture::new(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    let pid = box_.create();
    assert!(pid > 0);
    box_.start();
    assert_eq!(box_.wait("").exit_status, 7);
    assert_eq!(box_.exit_file().status, 7);
    let mut log = box_.log();
    log.sort();
    let line = |stream: &str, text: &str| (stream.to_owned(), text.to_owned());
    assert_eq!(log, [line("stderr", "err\n"), line("stdout", "out\n")]);
    let deleted = box_.delete("").unwrap();
    assert_eq!((deleted.exit_status, deleted.pid), (7, pid));
    assert!(is(&box_.delete("").unwrap_err(), Code::NOT_FOUND));
}
