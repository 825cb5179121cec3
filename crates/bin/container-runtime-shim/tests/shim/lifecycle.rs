//! From Create to Delete.

use crate::support::{Fixture, context, eventually, is, lacks, open_files};
use containerd_shim_protos::api::{
    ConnectRequest, PauseRequest, PidsRequest, ResumeRequest, Status, UpdateTaskRequest,
};
use containerd_shim_protos::protobuf::well_known_types::any::Any;
use containerd_shim_protos::ttrpc::Code;
use serde_json::json;

#[test]
fn a_container_runs_and_its_exit_code_and_log_are_kept() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    let pid = container.create();
    assert_eq!(container.state("").status, Status::CREATED.into());
    container.start();
    assert_eq!(container.wait("").exit_status, 7);
    let exit = container.exit_file();
    assert_eq!((exit.status, exit.oom_killed), (7, false));
    let mut log = container.log();
    log.sort();
    let line = |stream: &str, text: &str| (stream.to_owned(), text.to_owned());
    assert_eq!(log, [line("stderr", "err\n"), line("stdout", "out\n")]);
    let deleted = container.delete("").unwrap();
    assert_eq!((deleted.exit_status, deleted.pid), (7, pid));
    assert!(is(&container.delete("").unwrap_err(), Code::NOT_FOUND));
}

/// What is kept open of a deleted container must not wake the shim any more: the kernel signals some of it for ever.
#[test]
fn a_shim_sleeps_once_its_container_is_deleted() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["true"]);
    container.run_to_end();
    container.delete("").unwrap();
    let sleeps = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", container.shim_pid)).unwrap();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
    };
    eventually("the shim sleeps", sleeps);
}

#[test]
fn the_process_gets_what_the_specification_says_and_nothing_of_the_shims() {
    if lacks() {
        return;
    }
    let container =
        Fixture::new(&["env"]).with_file("/etc/passwd", b"root:x:0:0::/somewhere:/bin/sh\n", 0o644);
    container.run_to_end();
    assert_eq!(container.logged(), "PATH=/bin\nB=2\nA=1\nHOME=/somewhere\n", "the order is kept");
    let mut container = Fixture::new(&["sh", "-c", "cat /proc/self/status; pwd; ls -l /proc/self/fd"]);
    container.config["process"]["cwd"] = "/tmp".into();
    container.run_to_end();
    let text = container.logged();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    for (name, value) in [
        ("SigIgn:", "0000000000000000"),
        ("SigBlk:", "0000000000000000"),
        ("Groups:", ""),
        ("Umask:", "0022"),
    ] {
        assert_eq!(field(name), value, "{name}");
    }
    assert!(text.contains("\n/tmp\n"), "{text}");
    // Of the directory that `ls` reads nothing is left to tell.
    let descriptors = text.lines().filter(|line| line.contains(" -> ")).count();
    assert_eq!(descriptors, 3, "{text}");
    assert!(!text.contains("socket:"), "{text}");
}

#[test]
fn a_process_without_root_may_reopen_its_output() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["sh", "-c", "id -u; echo again > /dev/stdout"]);
    container.config["process"]["user"] = json!({"uid": 1000, "gid": 1000, "additionalGids": [7]});
    assert_eq!(container.run_to_end(), 0, "{}", container.logged());
    assert_eq!(container.logged(), "1000\nagain\n");
}

#[test]
fn signals_and_states() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    let pid = container.create();
    assert!(is(&container.kill("nobody", 15, false).unwrap_err(), Code::NOT_FOUND));
    container.start();
    assert!(is(&container.try_start("").unwrap_err(), Code::FAILED_PRECONDITION));
    assert!(is(&container.try_create().unwrap_err(), Code::ALREADY_EXISTS));
    assert!(is(&container.delete("").unwrap_err(), Code::FAILED_PRECONDITION));
    let connected = container.task.connect(context(), &ConnectRequest::default()).unwrap();
    assert_eq!(connected.shim_pid, container.shim_pid);
    let request = PidsRequest { id: container.id.clone(), ..PidsRequest::default() };
    let pids = container.task.pids(context(), &request).unwrap().processes;
    assert_eq!(pids.iter().map(|process| process.pid).collect::<Vec<_>>(), [pid]);
    container.kill("", 9, false).unwrap();
    assert_eq!(container.wait("").exit_status, 137);
    assert_eq!(container.state("").status, Status::STOPPED.into());
    assert!(is(&container.kill("", 9, false).unwrap_err(), Code::NOT_FOUND));
}

#[test]
fn a_paused_container_is_frozen_and_can_be_killed() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    let pause = PauseRequest { id: container.id.clone(), ..PauseRequest::default() };
    let resume = ResumeRequest { id: container.id.clone(), ..ResumeRequest::default() };
    assert!(is(&container.task.resume(context(), &resume).unwrap_err(), Code::FAILED_PRECONDITION));
    container.task.pause(context(), &pause).unwrap();
    assert_eq!(container.state("").status, Status::PAUSED.into());
    assert!(is(&container.task.pause(context(), &pause).unwrap_err(), Code::FAILED_PRECONDITION));
    container.task.resume(context(), &resume).unwrap();
    assert_eq!(container.state("").status, Status::RUNNING.into());
    container.task.pause(context(), &pause).unwrap();
    container.kill("", 9, false).unwrap();
    assert_eq!(container.wait("").exit_status, 137);
}

#[test]
fn a_container_that_never_started_can_be_deleted() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["true"]);
    container.create();
    assert_eq!(container.delete("").unwrap().exit_status, 137);
    assert!(!container.has_cgroup());
}

#[test]
fn everybody_who_waits_is_answered() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| container.wait("").exit_status)).collect();
        container.kill("", 15, false).unwrap();
        container.kill("", 9, false).unwrap();
        for waiter in waiting {
            assert_eq!(waiter.join().unwrap(), 137);
        }
    });
}

#[test]
fn without_a_pid_namespace_what_outlives_the_first_process_is_killed() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["sh", "-c", "sleep 1000 & echo up"]);
    container.config["linux"]["namespaces"]
        .as_array_mut()
        .unwrap()
        .retain(|namespace| namespace["type"] != "pid");
    assert_eq!(container.run_to_end(), 0);
    assert_eq!(container.logged(), "up\n");
    let request = PidsRequest { id: container.id.clone(), ..PidsRequest::default() };
    eventually("no process is left", || {
        container.task.pids(context(), &request).unwrap().processes.is_empty()
    });
}

#[test]
fn limits_change_while_it_runs() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    let resources = json!({"pids": {"limit": 17}}).to_string().into_bytes();
    let request = UpdateTaskRequest {
        id: container.id.clone(),
        resources: Some(Any { value: resources, ..Any::default() }).into(),
        ..UpdateTaskRequest::default()
    };
    container.task.update(context(), &request).unwrap();
    assert!(container.cgroup_file("pids", "pids.max").contains("17"));
}

#[test]
fn running_out_of_memory_is_told_from_being_killed() {
    if lacks() {
        return;
    }
    let script = "head -c 200000000 /dev/zero | tail -c 200000000 > /dev/null; echo survived; kill -9 $$";
    let mut container = Fixture::new(&["sh", "-c", script]);
    container.config["linux"]["resources"]["memory"] = json!({"limit": 16 << 20, "swap": 16 << 20});
    container.config["process"]["env"] = json!(["PATH=/bin"]);
    let events = container.take_events();
    container.run_to_end();
    assert!(container.exit_file().oom_killed, "{:?}", container.exit_file());
    assert_eq!(events.next_topic(), "/tasks/oom");
}

#[test]
fn the_shim_keeps_few_descriptors() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    let open = open_files(container.shim_pid);
    assert!(open.len() <= 22, "{open:#?}");
}
