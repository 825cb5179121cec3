//! What can't be created, and what is said about it.

use crate::support::{Fixture, is, lacks, message};
use containerd_shim_protos::ttrpc::Code;

fn refusal(container: &Fixture) -> String {
    let error = container.try_create().unwrap_err();
    assert!(!is(&error, Code::NOT_FOUND), "{error}");
    message(&error)
}

#[test]
fn a_program_that_can_not_be_executed_is_explained_before_the_start() {
    if lacks() {
        return;
    }
    let cases: [(&str, &[u8], &str); 6] = [
        ("nonesuch", b"", "exec: \"nonesuch\": executable file not found in $PATH"),
        ("/nonesuch", b"", "exec: \"/nonesuch\": stat /nonesuch: no such file or directory"),
        ("/bin", b"", "exec: \"/bin\": is a directory: permission denied"),
        ("/etc/plain", b"", "exec: \"/etc/plain\": permission denied"),
        (
            "/bin/script",
            b"#!/bin/nonesuch\n",
            "exec: \"/bin/script\": the script's interpreter \"/bin/nonesuch\" is missing: no such file or directory",
        ),
        (
            "/bin/script",
            b"#!/bin/sh\r\n",
            "exec: \"/bin/script\": the script's lines end as on Windows (CRLF), so its interpreter would be \"/bin/sh\\r\": no such file or directory",
        ),
    ];
    for (program, script, expected) in cases {
        let container = Fixture::new(&[program]).with_file("/etc/plain", b"", 0o644);
        let container =
            if script.is_empty() { container } else { container.with_file("/bin/script", script, 0o755) };
        assert_eq!(refusal(&container), expected);
        assert!(!container.has_cgroup());
    }
}

#[test]
fn a_failed_create_can_be_repeated() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["nonesuch"]);
    assert!(is(&container.try_create().unwrap_err(), Code::INVALID_ARGUMENT));
    container.config["process"]["args"] = serde_json::json!(["true"]);
    assert_eq!(container.run_to_end(), 0);
}

#[test]
fn what_only_execve_finds_out_is_in_the_log_and_the_exit_code() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["/bin/text"]).with_file("/bin/text", b"just text", 0o755);
    assert_eq!(container.run_to_end(), 126);
    assert_eq!(container.logged(), "exec /bin/text: exec format error\n");
}

#[test]
fn the_cause_of_a_failed_mount_is_named() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["true"]);
    let mount =
        serde_json::json!({"destination": "/x", "type": "bind", "source": "/nonesuch", "options": ["rbind"]});
    container.config["mounts"].as_array_mut().unwrap().push(mount);
    for _ in 0..2 {
        let message = refusal(&container);
        assert!(message.contains("/nonesuch"), "{message}");
    }
}

#[test]
fn a_missing_layer_is_named() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["true"]);
    std::fs::remove_dir_all(container.bundle().join("lower")).unwrap();
    let message = refusal(&container);
    assert!(message.contains("overlay") && message.contains("/lower"), "{message}");
}

#[test]
fn broken_documents_are_invalid_arguments() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["true"]);
    container.config["process"]["args"] = 5.into();
    let message = refusal(&container);
    assert!(message.contains("invalid type"), "{message}");
    container.config["process"] = "text".into();
    let error = container.try_create().unwrap_err();
    assert!(is(&error, Code::INVALID_ARGUMENT), "{error}");
}
