//! `docker run`: output, input, exit codes, and the options that make up a process.

use std::io::Write;
use std::process::Stdio;
use tests::{Run, TestEngine, with_engine};

/// `docker run --rm OPTIONS busybox COMMAND`.
#[track_caller]
fn run(engine: &TestEngine, options: &[&str], command: &[&str]) -> Run {
    engine.docker(&[&["run", "--rm"], options, &["busybox"], command].concat())
}

#[track_caller]
fn shell(engine: &TestEngine, options: &[&str], script: &str) -> String {
    run(engine, options, &["sh", "-c", script]).ok()
}

#[test]
fn prints_what_the_process_prints_on_both_streams() {
    with_engine(|engine| {
        assert_eq!(run(engine, &[], &["echo", "hi"]).ok(), "hi\n");
        let both = run(engine, &[], &["sh", "-c", "echo out; echo err >&2"]);
        assert_eq!((both.code, both.stdout.as_str(), both.stderr.as_str()), (0, "out\n", "err\n"));
    });
}

#[test]
fn passes_exit_codes_and_signals_on() {
    with_engine(|engine| {
        assert_eq!(run(engine, &[], &["sh", "-c", "exit 42"]).code, 42);
        assert_eq!(run(engine, &["--init"], &["sh", "-c", "kill -9 $$; sleep 60"]).code, 137);
        assert_eq!(run(engine, &["--init"], &["sh", "-c", "kill -TERM $$; sleep 60"]).code, 143);
    });
}

#[test]
fn says_125_126_and_127_as_docker_does() {
    with_engine(|engine| {
        run(engine, &["--runtime", "bogus"], &["true"]).fails(125, "bogus");
        run(engine, &["--memory", "1k"], &["true"]).fails(125, "Minimum memory limit allowed is 6MB");
        run(engine, &[], &["/etc/passwd"]).fails(126, "permission denied");
        run(engine, &[], &["/bin"]).fails(126, "");
        run(engine, &[], &["/no/such/program"]).fails(127, "no such file or directory");
        run(engine, &[], &["no-such-program"]).fails(127, "executable file not found in $PATH");
        run(engine, &[], &[""]).fails(127, "exec: \"\": executable file not found in $PATH");
        run(engine, &["--cap-add", "FLY"], &["true"])
            .fails(125, "invalid CapAdd: unknown capability: \"CAP_FLY\"");
        run(engine, &["--cap-drop", "FLY"], &["true"])
            .fails(125, "invalid CapDrop: unknown capability: \"CAP_FLY\"");
        assert_eq!(
            engine.docker(&["ps", "--all", "--quiet"]).ok(),
            "",
            "a failed start leaves no container of --rm"
        );
    });
}

#[test]
fn a_container_that_could_not_start_stays_created_with_its_error() {
    with_engine(|engine| {
        engine.docker(&["run", "--name", "broken", "busybox", "/no/such"]).fails(127, "no such file");
        assert_eq!(engine.inspect("broken", "{{.State.Status}} {{.State.ExitCode}}"), "created 127");
        assert!(engine.inspect("broken", "{{.State.Error}}").contains("no such file or directory"));
        engine.docker(&["rm", "broken"]).ok();
    });
}

#[test]
fn feeds_standard_input_and_its_end() {
    with_engine(|engine| {
        let mut child = engine
            .docker_command(&["run", "--rm", "-i", "busybox", "md5sum"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = vec![b'x'; 3 << 20];
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}  -\n", md5(&input)));
    });
}

fn md5(bytes: &[u8]) -> String {
    let mut child =
        std::process::Command::new("md5sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn loses_no_byte_of_much_output() {
    with_engine(|engine| {
        let command = [
            "run",
            "--rm",
            "busybox",
            "sh",
            "-c",
            "dd if=/dev/zero bs=64k count=320 2>/dev/null | tr '\\0' 'a'",
        ];
        let output = engine.docker_command(&command).output().unwrap();
        assert_eq!(output.stdout.len(), 320 * 64 * 1024);
        assert!(output.stdout.iter().all(|byte| *byte == b'a'));
    });
}

#[test]
fn sets_environment_directory_user_and_host_name() {
    with_engine(|engine| {
        let file = engine.directory().join("env");
        std::fs::write(&file, "# a comment\nFROM_FILE=1\nEMPTY=\n").unwrap();
        let options = ["-e", "A=b c", "--env-file", file.to_str().unwrap(), "-e", "A=last"];
        let env = shell(engine, &options, "env | sort");
        for line in ["A=last", "FROM_FILE=1", "EMPTY=", "PATH=/usr/local/sbin", "HOME=/root", "HOSTNAME="] {
            assert!(env.lines().any(|known| known.starts_with(line)), "{line}: {env}");
        }
        assert_eq!(shell(engine, &["-w", "/made/here"], "pwd"), "/made/here\n");
        assert_eq!(
            shell(engine, &["--hostname", "box", "--domainname", "d"], "hostname; cat /etc/hostname"),
            "box\nbox\n"
        );
        assert_eq!(
            shell(engine, &["-u", "web"], "id -u; id -g; echo $HOME; id -G"),
            "1000\n1000\n/home\n1000 29\n"
        );
        assert_eq!(shell(engine, &["-u", "1234:5678"], "id -u; id -g; echo $HOME"), "1234\n5678\n/\n");
        assert_eq!(shell(engine, &["--group-add", "audio", "--group-add", "77"], "id -G"), "0 29 77\n");
        run(engine, &["-u", "nobody-at-all"], &["true"]).fails(125, "unable to find user nobody-at-all");
    });
}

#[test]
fn the_environment_is_in_dockers_order() {
    with_engine(|engine| {
        // One of the user's alone: docker's CLI sends several in any order.
        let options = ["-t", "-e", "PATH=/bin", "-e", "A=1", "--hostname", "box"];
        let env = run(engine, &options, &["env"]).ok();
        let lines: Vec<_> = env.lines().map(str::trim).collect();
        assert_eq!(lines, ["PATH=/bin", "HOSTNAME=box", "TERM=xterm", "A=1", "HOME=/root"]);
        engine.docker(&["create", "--name", "e1", "-e", "A=1", "busybox"]).ok();
        let kept = engine.inspect("e1", "{{json .Config.Env}}");
        assert!(kept.starts_with("[\"A=1\",\"PATH="), "{kept}");
        engine.docker(&["rm", "e1"]).ok();
    });
}

#[test]
fn with_the_hosts_uts_namespace_the_files_name_the_container() {
    with_engine(|engine| {
        let script =
            "hostname; cat /etc/hostname; echo $HOSTNAME; tail -n 1 /etc/hosts | cut -f 2; sleep 600";
        let id = engine.docker(&["run", "-d", "--uts", "host", "busybox", "sh", "-c", script]).line();
        let said = tests::eventually("four lines", || {
            let said = engine.docker(&["logs", &id]).ok();
            (said.lines().count() == 4).then_some(said)
        });
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let own = &id[..12];
        assert_eq!(said.lines().collect::<Vec<_>>(), [host.trim(), own, own, own]);
        engine.docker(&["rm", "-f", &id]).ok();
    });
}

#[test]
fn entrypoint_and_command_combine() {
    with_engine(|engine| {
        assert_eq!(run(engine, &["--entrypoint", "echo"], &["a", "b"]).ok(), "a b\n");
        assert_eq!(run(engine, &["--entrypoint", "/bin/hostname", "--hostname", "x"], &[]).ok(), "x\n");
    });
}

#[test]
fn init_reaps_and_forwards() {
    with_engine(|engine| {
        assert_eq!(shell(engine, &["--init"], "cat /proc/1/cmdline | tr '\\0' ' ' | grep -c init"), "1\n");
        assert_eq!(run(engine, &["--init"], &["sh", "-c", "exit 5"]).code, 5);
        // An orphan that ended is gone, not a zombie.
        let script = "(sleep 0.1 &) ; sleep 0.5; ps -o stat | grep -c Z";
        assert_eq!(run(engine, &["--init"], &["sh", "-c", script]).stdout, "0\n");
    });
}

#[test]
fn detached_prints_the_id_and_rm_removes_at_the_end() {
    with_engine(|engine| {
        let id = engine.docker(&["run", "--detach", "--rm", "--name", "gone", "busybox", "true"]).line();
        assert_eq!(id.len(), 64);
        tests::wait_until("--rm", || engine.docker(&["inspect", "gone"]).code != 0);
        engine.docker(&["inspect", "gone"]).fails(1, "No such object: gone");
    });
}

#[test]
fn names_ids_and_prefixes_find_a_container_and_are_unique() {
    with_engine(|engine| {
        let id = engine.docker(&["create", "--name", "web.1", "busybox"]).line();
        for name in ["web.1", "/web.1", &id, &id[..12], &id[..8]] {
            assert_eq!(engine.inspect(name, "{{.Id}} {{.Name}}"), format!("{id} /web.1"));
        }
        let conflict = engine.docker(&["create", "--name", "web.1", "busybox"]);
        conflict.fails(
            1,
            &format!("Conflict. The container name \"/web.1\" is already in use by container \"{id}\""),
        );
        engine.docker(&["create", "--name", "a/b", "busybox"]).fails(1, "Invalid container name (a/b)");
        let generated = engine.docker(&["create", "busybox"]).line();
        assert!(engine.inspect(&generated, "{{.Name}}").contains('_'));
        engine.docker(&["rm", "web.1", &generated]).ok();
    });
}

#[test]
fn limits_sysctls_and_shared_memory_are_set() {
    with_engine(|engine| {
        assert_eq!(shell(engine, &["--ulimit", "nofile=123:456"], "ulimit -Sn; ulimit -Hn"), "123\n456\n");
        assert_eq!(
            shell(engine, &["--sysctl", "net.ipv4.ip_forward=1"], "cat /proc/sys/net/ipv4/ip_forward"),
            "1\n"
        );
        assert_eq!(
            shell(engine, &["--shm-size", "17m"], "df -k /dev/shm | tail -1 | awk '{print $2}'"),
            "17408\n"
        );
        assert_eq!(shell(engine, &[], "df -k /dev/shm | tail -1 | awk '{print $2}'"), "65536\n");
        assert_eq!(shell(engine, &["--oom-score-adj", "500"], "cat /proc/self/oom_score_adj"), "500\n");
    });
}

#[test]
fn a_cidfile_holds_the_id() {
    with_engine(|engine| {
        let file = engine.directory().join("cid");
        let id = engine.docker(&["create", "--cidfile", file.to_str().unwrap(), "busybox"]).line();
        assert_eq!(std::fs::read_to_string(file).unwrap(), id);
        engine.docker(&["rm", &id]).ok();
    });
}

#[test]
fn an_image_that_nobody_has_is_named() {
    with_engine(|engine| {
        let run = engine.docker(&["run", "--rm", "--pull", "never", "no-such-image:1", "true"]);
        run.fails(125, "No such image: no-such-image:1");
    });
}
