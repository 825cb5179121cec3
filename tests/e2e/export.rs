//! Whole root file systems as archives: `docker export`.

use std::fs;
use std::io::Read;
use tests::{TestEngine, with_engine};

/// Names of an export, and the content of those that are files.
fn exported(engine: &TestEngine, name: &str) -> Vec<(String, String)> {
    let answer = engine.api_raw("GET", &format!("/containers/{name}/export"), None);
    assert_eq!(answer.status, 200);
    let mut archive = tar::Archive::new(answer.body.as_slice());
    let mut all = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        all.push((name, String::from_utf8_lossy(&content).into_owned()));
    }
    all
}

#[test]
fn an_export_has_what_the_container_sees_of_its_own() {
    with_engine(|engine| {
        let script = "mkdir /n; echo 1 >/n/a; ln /n/a /n/b; ln -s a /n/s; mkfifo /n/p; rm /etc/group; echo v >/data/in; sleep 600";
        engine.docker(&["run", "-d", "--name", "web", "-v", "/data", "busybox", "sh", "-c", script]).ok();
        tests::wait_until("the files", || {
            engine.docker(&["exec", "web", "test", "-e", "/data/in"]).code == 0
        });
        let while_running = exported(engine, "web");
        engine.docker(&["pause", "web"]).ok();
        assert_eq!(exported(engine, "web"), while_running);
        engine.docker(&["unpause", "web"]).ok();
        engine.docker(&["stop", "-t", "0", "web"]).ok();
        assert_eq!(exported(engine, "web"), while_running, "the same bytes from the same tree");
        let find =
            |name: &str| while_running.iter().find(|(other, _)| other == name).map(|(_, text)| text.as_str());
        assert_eq!(find("n/a"), Some("1\n"));
        for name in ["n/b", "n/s", "n/p", "data/", "etc/hosts"] {
            assert_eq!(find(name), Some(""), "{name}");
        }
        for name in ["etc/group", "data/in", "proc/1/", "./", ""] {
            assert_eq!(find(name), None, "{name}");
        }
    });
}

#[test]
fn an_export_becomes_an_image_again() {
    with_engine(|engine| {
        let file = engine.directory().join("root.tar");
        let file = file.to_str().unwrap();
        let script = "echo kept >/kept; chown 5:6 /kept; chmod 4750 /kept; touch -d @1000000000 /kept";
        engine.docker(&["run", "--name", "web", "busybox", "sh", "-c", script]).ok();
        for (client, name) in [
            (engine.docker(&["export", "-o", file, "web"]), "docker"),
            (engine.cr(&["export", "-o", file, "web"]), "ours"),
        ] {
            client.ok();
            let image = format!("again:{name}");
            engine.docker(&["import", file, &image]).ok();
            let said = engine.docker(&[
                "run",
                "--rm",
                &image,
                "/bin/sh",
                "-c",
                "cat /kept; stat -c '%u:%g %a %Y' /kept",
            ]);
            assert_eq!(said.ok(), "kept\n5:6 4750 1000000000\n", "{name}");
            engine.docker(&["rmi", &image]).ok();
        }
        fs::remove_file(file).unwrap();
        engine.docker(&["export", "-o", file, "none"]).fails(1, "No such container: none");
        engine.cr(&["export", "-o", file, "none"]).fails(1, "No such container: none");
        assert!(!fs::exists(file).unwrap());
    });
}

#[test]
fn a_container_at_work_gives_a_sound_archive() {
    with_engine(|engine| {
        let script = "while :; do mkdir -p /w/a/b; for i in 1 2 3 4 5 6 7 8; do echo $i$i$i >/w/a/b/$i; done; \
                      ln -s /etc /w/a/l; rm -rf /w/a; done";
        engine.docker(&["run", "-d", "--name", "busy", "busybox", "sh", "-c", script]).ok();
        tests::wait_until("the first round", || {
            engine.docker(&["exec", "busy", "test", "-e", "/w"]).code == 0
        });
        for _ in 0..15 {
            assert!(exported(engine, "busy").iter().any(|(name, _)| name == "etc/passwd"));
            let answer = engine.api_raw("GET", "/containers/busy/archive?path=/w", None);
            assert_eq!(answer.status, 200);
            let mut archive = tar::Archive::new(answer.body.as_slice());
            for entry in archive.entries().unwrap() {
                entry.unwrap();
            }
        }
    });
}
