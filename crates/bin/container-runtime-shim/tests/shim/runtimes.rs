//! The same through programs with the OCI command line.

use crate::support::{Fixture, context, is, lacks, message};
use containerd_shim_protos::api::{PauseRequest, ResumeRequest, Status};
use containerd_shim_protos::ttrpc::Code;
use serde_json::json;
use std::path::Path;

/// runc and crun, those that are installed.
#[expect(clippy::print_stderr, reason = "a test that skips says why")]
fn programs() -> Vec<&'static str> {
    let (present, missing): (Vec<_>, Vec<_>) =
        ["/usr/bin/runc", "/usr/bin/crun"].into_iter().partition(|program| Path::new(program).exists());
    for program in missing {
        eprintln!("skipped: this test needs {program}");
    }
    present
}

#[test]
fn a_container_runs_to_its_end() {
    if lacks() {
        return;
    }
    for program in programs() {
        let container = Fixture::new(&["sh", "-c", "read x; echo got $x; exit 7"]).with_command(program);
        container.create();
        let mut client = container.attach(None);
        container.start();
        client.send("it\n");
        assert_eq!(client.read_frames().0, "got it\n", "{program}");
        assert_eq!(container.wait("").exit_status, 7, "{program}");
        assert_eq!(container.logged(), "got it\n");
        container.delete("").unwrap();
    }
}

#[test]
fn execs_terminals_and_pausing() {
    if lacks() {
        return;
    }
    for program in programs() {
        let container =
            Fixture::new(&["sh", "-c", "stty size; read x; exit 3"]).with_command(program).with_terminal();
        container.create();
        let mut terminal = container.attach(None);
        container.start();
        container.exec("e", &["sh", "-c", "cat; exit 5"], &json!({}));
        let mut client = container.attach(Some("e"));
        container.try_start("e").unwrap();
        client.send("through\n");
        client.end_input();
        assert_eq!(client.read_frames().0, "through\n", "{program}");
        assert_eq!(container.wait("e").exit_status, 5, "{program}");
        container
            .task
            .pause(context(), &PauseRequest { id: container.id.clone(), ..Default::default() })
            .unwrap();
        assert_eq!(container.state("").status, Status::PAUSED.into());
        container
            .task
            .resume(context(), &ResumeRequest { id: container.id.clone(), ..Default::default() })
            .unwrap();
        terminal.send("\n");
        assert_eq!(container.wait("").exit_status, 3, "{program}");
    }
}

#[test]
fn a_missing_program_is_told_in_dockers_words() {
    if lacks() {
        return;
    }
    for program in programs() {
        let container = Fixture::new(&["nonesuch"]).with_command(program);
        let error = container.try_create().unwrap_err();
        assert!(is(&error, Code::INVALID_ARGUMENT), "{program}: {error}");
        assert_eq!(message(&error), "exec: \"nonesuch\": executable file not found in $PATH", "{program}");
    }
}
