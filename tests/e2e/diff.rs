//! What a container changed: `docker diff`.

use tests::with_engine;

#[test]
fn a_diff_tells_what_was_added_changed_and_deleted() {
    with_engine(|engine| {
        let script = "touch /new; mkdir -p /t/u; echo 1 >/t/u/f; echo x >>/etc/passwd; rm /etc/group; \
                      rm -r /home; mkdir /home; echo >/home/f; chmod 700 /root; echo v >/data/in; rm /new";
        engine.docker(&["run", "--name", "web", "-v", "/data", "busybox", "sh", "-c", script]).ok();
        let expected = "A /data\nC /etc\nD /etc/group\nC /etc/passwd\nC /home\nA /home/f\nC /root\nA /t\nA /t/u\nA /t/u/f\n";
        assert_eq!(engine.docker(&["diff", "web"]).ok(), expected);
        assert_eq!(engine.cr(&["diff", "web"]).ok(), expected);
        engine.docker(&["create", "--name", "fresh", "busybox"]).ok();
        assert_eq!(engine.docker(&["diff", "fresh"]).ok(), "");
        assert_eq!(engine.cr(&["diff", "fresh"]).ok(), "");
        engine.docker(&["diff", "none"]).fails(1, "No such container: none");
    });
}

#[test]
fn looking_changes_nothing() {
    with_engine(|engine| {
        engine.docker(&["run", "-d", "--name", "web", "busybox", "sleep", "600"]).ok();
        engine.docker(&["cp", "web:/etc/hosts", engine.directory().to_str().unwrap()]).ok();
        engine.docker(&["cp", "web:/", engine.directory().join("all").to_str().unwrap()]).ok();
        assert_eq!(engine.docker(&["diff", "web"]).ok(), "");
        engine.docker(&["stop", "-t", "0", "web"]).ok();
        engine.docker(&["cp", "web:/etc/passwd", engine.directory().to_str().unwrap()]).ok();
        assert_eq!(engine.docker(&["diff", "web"]).ok(), "");
    });
}
