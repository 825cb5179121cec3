//! Clients of the attach socket.

use crate::support::{Fixture, context, eventually, lacks};
use containerd_shim_protos::api::{CloseIORequest, ResizePtyRequest};
use shim_protocol::Hello;
use std::io::Read;

#[test]
fn who_attaches_before_the_start_misses_nothing() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sh", "-c", "echo out; echo err >&2; printf end"]);
    container.create();
    let mut client = container.attach(None);
    assert!(!client.terminal);
    container.start();
    assert_eq!(client.read_frames(), ("out\nend".to_owned(), "err\n".to_owned()));
    container.wait("");
    let refusal = container.attach_with(&Hello { exec: None, stdin: false, stdout: true, stderr: true });
    assert!(refusal.err().unwrap().contains("stopped"));
    assert!(container.logged().contains("end"), "a last line without a newline is logged");
}

#[test]
fn input_reaches_the_process_and_a_half_close_ends_it() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["cat"]);
    container.create();
    let mut client = container.attach(None);
    container.start();
    client.send("one\n");
    client.send("two\n");
    client.end_input();
    assert_eq!(client.read_frames().0, "one\ntwo\n");
    assert_eq!(container.wait("").exit_status, 0);
}

#[test]
fn without_stdin_once_the_input_stays_open_until_it_is_closed() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["cat"]);
    container.options.stdin_once = false;
    container.run();
    for text in ["first\n", "second\n"] {
        let mut client = container.attach(None);
        client.send(text);
        eventually("the text is logged", || container.logged().contains(text));
    }
    let request = CloseIORequest { id: container.id.clone(), stdin: true, ..CloseIORequest::default() };
    container.task.close_io(context(), &request).unwrap();
    assert_eq!(container.wait("").exit_status, 0);
}

#[test]
fn much_input_and_output_pass_unharmed_while_a_client_that_reads_nothing_stands_by() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["cat"]);
    container.create();
    let _idle =
        container.attach_with(&Hello { exec: None, stdin: false, stdout: true, stderr: true }).unwrap();
    let mut client = container.attach(None);
    container.start();
    let text: String = (0..400_000).map(|n| format!("{n:07}\n")).collect();
    let mut writer = client.reader.get_ref().try_clone().unwrap();
    let sent = text.clone();
    let writing = std::thread::spawn(move || {
        std::io::Write::write_all(&mut writer, sent.as_bytes()).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let (received, _) = client.read_frames();
    writing.join().unwrap();
    assert!(received == text, "{} of {} bytes", received.len(), text.len());
    assert_eq!(container.wait("").exit_status, 0);
}

#[test]
fn a_terminal_is_raw_has_a_size_and_belongs_to_its_user() {
    if lacks() {
        return;
    }
    let mut container = Fixture::new(&["sh"]).with_terminal();
    container.config["process"]["user"] = serde_json::json!({"uid": 1000, "gid": 1000});
    container.config["process"]["consoleSize"] = serde_json::json!({"height": 20, "width": 70});
    container.create();
    let mut client = container.attach(None);
    assert!(client.terminal);
    container.start();
    client.send("stty size; ls -l $(tty); echo > $(tty) && echo re''opened\n");
    let text = client.read_until("reopened");
    assert!(text.contains("20 70") && text.contains(" 1000 "), "{text}");
    let request =
        ResizePtyRequest { id: container.id.clone(), width: 132, height: 43, ..ResizePtyRequest::default() };
    container.task.resize_pty(context(), &request).unwrap();
    client.send("stty size\n");
    client.read_until("43 132");
    client.send("exit 3\n");
    let mut rest = Vec::new();
    client.reader.read_to_end(&mut rest).unwrap();
    assert_eq!(container.wait("").exit_status, 3);
    assert!(container.logged().contains("43 132"));
}

#[test]
fn a_greeting_that_is_none_is_refused() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sleep", "1000"]);
    container.run();
    let refusal = |exec: &str| {
        let exec = Some(exec.to_owned());
        container.attach_with(&Hello { exec, stdin: false, stdout: true, stderr: false }).err().unwrap()
    };
    assert!(refusal("none").contains("not found"));
}

#[test]
fn a_client_that_leaves_disturbs_nobody() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sh", "-c", "while read x; do echo $x; done"]);
    container.create();
    let watcher = Hello { exec: None, stdin: false, stdout: true, stderr: true };
    for _ in 0..20 {
        drop(container.attach_with(&watcher).unwrap());
    }
    container.start();
    let mut client = container.attach(None);
    client.send("still here\n");
    client.end_input();
    assert_eq!(client.read_frames().0, "still here\n");
    container.wait("");
}
