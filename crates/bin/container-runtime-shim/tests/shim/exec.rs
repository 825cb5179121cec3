//! Further processes in a container.

use crate::support::{Fixture, is, lacks, message, open_files};
use containerd_shim_protos::api::Status;
use containerd_shim_protos::ttrpc::Code;
use serde_json::json;

#[test]
fn an_exec_has_streams_and_an_exit_code_of_its_own() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    container.exec(
        "e1",
        &["sh", "-c", "cat; echo err >&2; echo $E $HOME; exit 5"],
        &json!({"env": ["PATH=/bin", "E=x"]}),
    );
    assert_eq!(container.state("e1").status, Status::CREATED.into());
    let mut client = container.attach(Some("e1"));
    container.try_start("e1").unwrap();
    client.send("input\n");
    client.end_input();
    let (stdout, stderr) = client.read_frames();
    assert_eq!((stdout.as_str(), stderr.as_str()), ("input\nx /\n", "err\n"));
    assert_eq!(container.wait("e1").exit_status, 5);
    assert_eq!(container.delete("e1").unwrap().exit_status, 5);
    assert!(is(&container.delete("e1").unwrap_err(), Code::NOT_FOUND));
    assert_eq!(container.logged(), "", "an exec is not logged");
}

#[test]
fn an_exec_with_a_terminal() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    container.exec("t", &["sh"], &json!({"terminal": true, "consoleSize": {"height": 11, "width": 33}}));
    let mut client = container.attach(Some("t"));
    assert!(client.terminal);
    container.try_start("t").unwrap();
    client.send("stty size; exit 4\n");
    client.read_until("11 33");
    assert_eq!(container.wait("t").exit_status, 4);
}

#[test]
fn a_failed_exec_says_why_and_costs_nothing() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    let open = open_files(container.shim_pid).len();
    for n in 0..10 {
        let exec = format!("e{n}");
        container.exec(&exec, &["nonesuch"], &json!({}));
        let error = container.try_start(&exec).unwrap_err();
        assert!(is(&error, Code::INVALID_ARGUMENT), "{error}");
        assert_eq!(message(&error), "exec: \"nonesuch\": executable file not found in $PATH");
        container.delete(&exec).unwrap();
    }
    container.exec("cwd", &["true"], &json!({"cwd": "/nonesuch"}));
    let error = container.try_start("cwd").unwrap_err();
    assert!(message(&error).contains("chdir") && message(&error).contains("no such file"), "{error}");
    assert_eq!(open_files(container.shim_pid).len(), open, "{:?}", open_files(container.shim_pid));
}

#[test]
fn what_only_execve_finds_out_is_told_as_well() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]).with_file("/bin/text", b"just text", 0o755);
    container.run();
    container.exec("e", &["text"], &json!({}));
    let error = container.try_start("e").unwrap_err();
    assert_eq!(message(&error), "exec /bin/text: exec format error");
}

#[test]
fn an_exec_is_confined_like_the_container() {
    if lacks() {
        return;
    }
    for no_new_privileges in [json!(null), json!(false), json!(true)] {
        let mut container = Fixture::new(&["sh", "-c", "mkdir /tmp/x; cat /proc/self/status; sleep 1000"]);
        let rule = json!({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95});
        container.config["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
        if !no_new_privileges.is_null() {
            container.config["process"]["noNewPrivileges"] = no_new_privileges.clone();
        }
        container.create();
        let mut init = container.attach(None);
        container.start();
        container.exec("e", &["sh", "-c", "mkdir /tmp/x; cat /proc/self/status"], &json!({}));
        let mut client = container.attach(Some("e"));
        container.try_start("e").unwrap();
        let (exec, exec_errors) = client.read_frames();
        container.kill("", 9, false).unwrap();
        let (first, first_errors) = init.read_frames();
        for (text, errors) in [(&first, first_errors), (&exec, exec_errors)] {
            assert!(errors.contains("not supported"), "{no_new_privileges}: {errors}");
            assert!(text.contains("Seccomp:\t2"), "{no_new_privileges}: {text}");
        }
        for field in ["CapEff", "CapBnd", "CapPrm", "CapInh", "CapAmb", "NoNewPrivs", "Groups", "Uid"] {
            let value = |text: &str| text.lines().find(|line| line.starts_with(field)).map(str::to_owned);
            assert_eq!(value(&first), value(&exec), "{no_new_privileges}");
        }
    }
}

#[test]
fn masked_comparisons_take_the_first_value_as_the_mask() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["sh", "-c", "kill -CHLD $$; kill -URG $$; kill -CONT $$"]);
    let condition = json!({"index": 1, "value": 3, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"});
    let rule = json!({"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95, "args": [condition]});
    container.config["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
    container.run_to_end();
    // Of 17, 23 and 18 the first alone ends in binary 01.
    assert_eq!(container.logged().matches("not supported").count(), 1, "{}", container.logged());
}

#[test]
fn a_child_that_keeps_the_output_open_delays_the_end_a_little_only() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    container.exec("e", &["sh", "-c", "sleep 900 & echo done"], &json!({}));
    let mut client = container.attach(Some("e"));
    container.try_start("e").unwrap();
    assert_eq!(client.read_frames().0, "done\n");
    assert_eq!(container.wait("e").exit_status, 0);
}

#[test]
fn states_that_forbid_an_exec() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sh", "-c", "read x"]);
    container.create();
    container.exec("e", &["true"], &json!({}));
    assert!(is(&container.try_start("e").unwrap_err(), Code::FAILED_PRECONDITION));
    container.start();
    container.try_start("e").unwrap();
    container.wait("e");
    assert!(is(&container.try_start("e").unwrap_err(), Code::FAILED_PRECONDITION));
    assert!(is(&container.try_start("none").unwrap_err(), Code::NOT_FOUND));
}

#[test]
fn an_exec_can_be_killed_alone() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    container.exec("e", &["sleep", "1000"], &json!({}));
    container.try_start("e").unwrap();
    container.kill("e", 9, false).unwrap();
    assert_eq!(container.wait("e").exit_status, 137);
    assert_eq!(container.state("").status, Status::RUNNING.into());
}
