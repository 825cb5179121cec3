//! Files into and out of containers: `docker cp`, and the API below it.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::fixtures::Archive;
use tests::{Run, TestEngine, wait_until, with_engine, with_private_engine};

/// A directory of the test's, with a file, a link and a directory in it.
fn source(engine: &TestEngine) -> PathBuf {
    let source = engine.directory().join("source");
    fs::create_dir_all(source.join("sub")).unwrap();
    fs::write(source.join("file"), "content").unwrap();
    fs::write(source.join("sub/deep"), "deep").unwrap();
    symlink("file", source.join("link")).unwrap();
    fs::set_permissions(source.join("file"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::chown(source.join("file"), Some(1234), Some(1235)).unwrap();
    source
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_str().unwrap().to_owned()
}

fn running(engine: &TestEngine, name: &str, options: &[&str]) {
    let run = [&["run", "-d", "--name", name], options, &["busybox", "sleep", "600"]].concat();
    engine.docker(&run).ok();
}

/// `cp` with a file on standard input.
fn cp_from(engine: &TestEngine, input: &Path, target: &str) -> Run {
    let command = engine.docker_command(&["cp", "-", target]);
    // `Run::of` closes standard input.
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" <\"$INPUT\"", "sh"]).arg(command.get_program());
    shell.args(command.get_args()).env("INPUT", input);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Run::of(&mut shell)
}

#[test]
fn files_go_both_ways_whatever_the_container_does() {
    with_engine(|engine| {
        let source = source(engine);
        engine.docker(&["create", "--name", "created", "busybox", "sleep", "600"]).ok();
        running(engine, "running", &[]);
        running(engine, "paused", &[]);
        engine.docker(&["pause", "paused"]).ok();
        running(engine, "stopped", &[]);
        engine.docker(&["stop", "-t", "0", "stopped"]).ok();
        for name in ["created", "running", "paused", "stopped"] {
            engine.docker(&["cp", &text(&source), &format!("{name}:/into")]).ok();
            let back = engine.directory().join(name);
            engine.docker(&["cp", &format!("{name}:/into"), &text(&back)]).ok();
            assert_eq!(fs::read_to_string(back.join("file")).unwrap(), "content", "{name}");
            assert_eq!(fs::read_to_string(back.join("sub/deep")).unwrap(), "deep", "{name}");
            assert_eq!(fs::read_link(back.join("link")).unwrap(), Path::new("file"), "{name}");
        }
        engine.docker(&["unpause", "paused"]).ok();
        engine.docker(&["start", "created", "stopped"]).ok();
        for name in ["created", "running", "paused", "stopped"] {
            let said =
                engine.docker(&["exec", name, "sh", "-c", "cat /into/file; stat -c ' %a %u:%g' /into/file"]);
            assert_eq!(said.ok(), "content 640 1234:1235\n", "{name}");
        }
    });
}

#[test]
fn what_is_written_beside_a_container_is_seen_in_it_at_once() {
    with_engine(|engine| {
        running(engine, "web", &[]);
        let file = engine.directory().join("file");
        // What a container has looked for and not found must appear, and what it has open must not change.
        engine.docker(&["exec", "web", "sh", "-c", "ls /new; echo old >/etc/conf; cat /etc/conf"]).ok();
        fs::write(&file, "new").unwrap();
        engine.docker(&["cp", &text(&file), "web:/new"]).ok();
        engine.docker(&["cp", &text(&file), "web:/etc/conf"]).ok();
        assert_eq!(engine.docker(&["exec", "web", "cat", "/new", "/etc/conf"]).ok(), "newnew");
        // A file that is mounted is written where it is, and its mount stays.
        fs::write(&file, "1.2.3.4 added\n").unwrap();
        engine.docker(&["cp", &text(&file), "web:/etc/hosts"]).ok();
        let said = engine.docker(&[
            "exec",
            "web",
            "sh",
            "-c",
            "cat /etc/hosts; grep -c ' /etc/hosts ' /proc/mounts",
        ]);
        assert_eq!(said.ok(), "1.2.3.4 added\n1\n");
    });
}

#[test]
fn names_and_ends_of_paths_mean_what_they_mean_to_docker() {
    with_engine(|engine| {
        running(engine, "web", &[]);
        let make = "mkdir -p /a/b; echo 1 >/a/b/f; ln -s b /a/l; ln -s /a/b /abs; ln -s ../../../../etc /out; ln -s /no /broken";
        engine.docker(&["exec", "web", "sh", "-c", make]).ok();
        let listed = |path: &str| {
            let archive = engine.api_raw("GET", &format!("/containers/web/archive?path={path}"), None);
            assert_eq!(archive.status, 200, "{path}");
            let mut tar = tar::Archive::new(archive.body.as_slice());
            let name = |entry: std::io::Result<tar::Entry<'_, _>>| text(entry.unwrap().path().unwrap());
            let mut names: Vec<String> = tar.entries().unwrap().map(name).collect();
            names.sort();
            names
        };
        assert_eq!(listed("/a/b"), ["b/", "b/f"]);
        assert_eq!(listed("a/b/"), ["b/", "b/f"]);
        assert_eq!(listed("/a/b/."), ["./", "./f"]);
        assert_eq!(listed("/a/b/f"), ["f"]);
        assert_eq!(listed("/a/l"), ["l"], "a link is itself");
        assert_eq!(listed("/a/l/"), ["l/", "l/f"], "and its target behind a slash");
        assert_eq!(listed("/abs/"), ["abs/", "abs/f"]);
        assert!(listed("/out/").contains(&"out/passwd".to_owned()), "the container's /etc");
        assert_eq!(listed("/broken"), ["broken"]);
    });
}

#[test]
fn errors_are_dockers() {
    with_engine(|engine| {
        running(engine, "web", &["--read-only", "-v", "/data", "-v", "keep:/ro:ro"]);
        let source = source(engine);
        let file = text(source.join("file"));
        let here = text(engine.directory());
        for (from, to, words) in [
            ("web:/nope", here.as_str(), "Could not find the file /nope in container web"),
            ("none:/x", &here, "No such container: none"),
            ("web:/etc/passwd/x", &here, "lstat /etc/passwd/x: not a directory"),
            (&file, "web:/nope/x", "Could not find the file /nope in container web"),
            (&file, "web:/etc/x", "container rootfs is marked read-only"),
            (&file, "web:/ro/x", "mounted volume is marked read-only"),
            (&text(&source), "web:/etc/passwd", "cannot copy directory"),
            (&file, "none:/x", "No such container: none"),
        ] {
            engine.docker(&["cp", from, to]).fails(1, words);
            engine.cr(&["cp", from, to]).fails(1, words);
        }
        engine.docker(&["cp", &file, "web:/data/x"]).ok();
        let asked = |method, query| {
            let answer = engine.api_raw(method, &format!("/containers/web/archive{query}"), None);
            (answer.status, String::from_utf8(answer.body).unwrap())
        };
        assert_eq!(asked("GET", ""), (400, "{\"message\":\"bad parameter: path cannot be empty\"}".into()));
        assert_eq!(asked("HEAD", "?path=/nope").0, 404);
        assert_eq!(asked("HEAD", "?path=/etc").0, 200);
        let put = engine.api_raw(
            "PUT",
            "/containers/web/archive?path=/etc/passwd",
            Some(("application/x-tar", b"")),
        );
        assert_eq!(put.status, 400);
        assert!(String::from_utf8(put.body).unwrap().contains("extraction point is not a directory"));
    });
}

#[test]
fn streams_of_archives() {
    with_engine(|engine| {
        running(engine, "web", &[]);
        let mut archive = Archive::default();
        archive.directory("d", 0o700);
        archive.file("d/a", 0o600, b"a");
        archive.link("d/b", "d/a");
        archive.file(".wh.d", 0o644, b"a name as any other");
        let path = engine.directory().join("stream.tar");
        fs::write(&path, archive.finish()).unwrap();
        cp_from(engine, &path, "web:/tmp").ok();
        let said =
            engine.docker(&["exec", "web", "sh", "-c", "cd /tmp; cat d/b; stat -c ' %h %a' d/a; ls -A"]).ok();
        assert_eq!(said, "a 2 600\n.wh.d\nd\n");
        cp_from(engine, &path, "web:/etc/passwd").fails(1, "must be a directory");
        let mut out = engine.docker_command(&["cp", "web:/tmp/d", "-"]);
        let out = out.output().unwrap();
        let names: Vec<String> = tar::Archive::new(out.stdout.as_slice())
            .entries()
            .unwrap()
            .map(|entry| text(entry.unwrap().path().unwrap()))
            .collect();
        assert_eq!(names, ["d/", "d/a", "d/b"]);
        for (name, bytes) in [
            ("garbage", b"no archive at all".repeat(100)),
            ("half", fs::read(&path).unwrap()[..600].to_vec()),
        ] {
            fs::write(&path, bytes).unwrap();
            let run = cp_from(engine, &path, "web:/tmp");
            assert_ne!(run.code, 0, "{name}: {run:?}");
        }
    });
}

/// Its name, and what it puts into an archive.
type Attack<'a> = (&'a str, &'a dyn Fn(&mut Archive));

#[test]
fn hostile_archives_stay_in_the_container() {
    with_engine(|engine| {
        running(engine, "web", &[]);
        let outside = engine.directory().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "untouched").unwrap();
        fs::write(outside.join("secret"), "untouched").unwrap();
        let there = text(&outside);
        let links = format!(
            "ln -s {there} /way; ln -s ../../../../../../../../.. /up; ln -s {there}/secret /s; mkdir /t"
        );
        engine.docker(&["exec", "web", "sh", "-c", &links]).ok();
        let attacks: [Attack<'_>; 7] = [
            ("dots", &|archive| archive.raw_file("../../../../../../../../tmp/cr-escape-cp", b"x")),
            ("absolute", &|archive| archive.raw_file(&format!("{there}/absolute"), b"x")),
            ("a link of the container's", &|archive| archive.file("way/file", 0o644, b"x")),
            ("a climbing link", &|archive| archive.file(&format!("up{there}/file"), 0o644, b"x")),
            ("a link of its own", &|archive| {
                archive.symlink("l", &there);
                archive.file("l/file", 0o644, b"x");
            }),
            ("a hard link by dots", &|archive| archive.link("h", "../../../../../../etc/shadow")),
            ("a hard link through a link", &|archive| {
                archive.link("h2", "way/file");
                archive.file("h2", 0o644, b"x");
            }),
        ];
        let path = engine.directory().join("attack.tar");
        for (name, attack) in attacks {
            let mut archive = Archive::default();
            attack(&mut archive);
            fs::write(&path, archive.finish()).unwrap();
            for target in ["web:/", "web:/t"] {
                // Refused or made harmless: both are right.
                cp_from(engine, &path, target);
                let names: Vec<_> =
                    fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
                assert_eq!(names.len(), 2, "{name}: {names:?}");
                assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "untouched", "{name}");
            }
        }
        assert!(!Path::new("/tmp/cr-escape-cp").exists());
        // Out of the container its links are links, and lead nowhere else when they are followed.
        engine.docker(&["cp", "web:/way/secret", &there]).fails(1, "Could not find the file /way/secret");
        engine.docker(&["cp", "-L", "web:/s", &there]).fails(1, "Could not find the file");
    });
}

#[test]
fn volumes_and_binds_belong_to_it() {
    with_engine(|engine| {
        let bound = engine.directory().join("bound");
        fs::create_dir(&bound).unwrap();
        fs::write(bound.join("host"), "host").unwrap();
        let bind = format!("{}:/deep/bound", text(&bound));
        let options = ["-v", "copied:/data", "-v", bind.as_str(), "--tmpfs", "/memory"];
        let create = [&["create", "--name", "web"], &options[..], &["busybox", "sleep", "600"]].concat();
        engine.docker(&create).ok();
        let file = engine.directory().join("file");
        fs::write(&file, "mine").unwrap();
        // Before its first start, and while it runs.
        for round in ["one", "two"] {
            engine.docker(&["cp", &text(&file), &format!("web:/data/{round}")]).ok();
            engine.docker(&["cp", &text(&file), &format!("web:/deep/bound/{round}")]).ok();
            assert_eq!(fs::read_to_string(bound.join(round)).unwrap(), "mine");
            let back = engine.directory().join(round);
            engine.docker(&["cp", "web:/deep/", &text(&back)]).ok();
            assert_eq!(fs::read_to_string(back.join("bound/host")).unwrap(), "host");
            engine.docker(&["start", "web"]).ok();
            assert_eq!(engine.docker(&["exec", "web", "cat", &format!("/data/{round}")]).ok(), "mine");
        }
        let volume = engine.docker(&["volume", "inspect", "-f", "{{.Mountpoint}}", "copied"]).line();
        assert_eq!(fs::read_dir(volume).unwrap().count(), 2);
        engine.docker(&["rm", "-f", "web"]).ok();
        engine.docker(&["volume", "rm", "copied"]).ok();
    });
}

#[test]
fn owners_are_the_archives_or_the_containers_user() {
    with_engine(|engine| {
        running(engine, "web", &["--user", "web"]);
        let file = text(source(engine).join("file"));
        engine.docker(&["cp", &file, "web:/tmp/plain"]).ok();
        engine.docker(&["cp", "-a", &file, "web:/tmp/users"]).ok();
        let said = engine.docker(&["exec", "web", "stat", "-c", "%u:%g", "/tmp/plain", "/tmp/users"]).ok();
        assert_eq!(said, "1234:1235\n1000:1000\n");
        let here = engine.directory().join("here");
        engine.cr(&["cp", "-a", "web:/tmp/plain", &text(&here)]).ok();
        assert_eq!(fs::metadata(&here).unwrap().uid(), 1234);
    });
}

#[test]
fn our_own_command_line_does_the_same() {
    with_engine(|engine| {
        let source = source(engine);
        running(engine, "web", &[]);
        let here = engine.directory().join("here");
        fs::create_dir(&here).unwrap();
        for (from, to, in_container) in [
            (text(&source), "web:/a", "/a/sub/deep"),
            (format!("{}/.", text(&source)), "web:/a", "/a/sub/deep"),
            (text(&source), "web:/a", "/a/source/sub/deep"),
            (text(source.join("sub/deep")), "web:/b", "/b"),
            (text(source.join("sub/deep")), "web:/a/", "/a/deep"),
        ] {
            engine.cr(&["cp", &from, to]).ok();
            assert_eq!(engine.docker(&["exec", "web", "cat", in_container]).ok(), "deep", "{from} {to}");
        }
        for (from, to, local) in [
            ("web:/a", "new", "new/sub/deep"),
            ("web:/a", "new", "new/a/sub/deep"),
            ("web:/a/.", "content", "content/sub/deep"),
            ("web:/b", "file", "file"),
            ("web:/b", "content", "content/b"),
        ] {
            engine.cr(&["cp", from, &text(here.join(to))]).ok();
            assert_eq!(fs::read_to_string(here.join(local)).unwrap(), "deep", "{from} {to}");
        }
    });
}

#[test]
fn a_start_waits_for_a_copy_and_a_copy_for_nothing() {
    with_private_engine(tests::Settings::default(), |engine| {
        engine.docker(&["create", "--name", "web", "busybox", "sleep", "600"]).ok();
        let fifo = engine.directory().join("fifo");
        Run::of(Command::new("mkfifo").arg(&fifo)).ok();
        std::thread::scope(|scope| {
            let copy = scope.spawn(|| cp_from_fifo(engine, &fifo));
            let mut writer = File::options().write(true).open(&fifo).unwrap();
            let mut archive = Archive::default();
            archive.file("tmp/slow", 0o644, b"slow");
            let bytes = archive.finish();
            std::io::Write::write_all(&mut writer, &bytes[..700]).unwrap();
            // It is in the middle of the copy once it holds the container's root.
            wait_until("the copy's beginning", || engine.docker(&["cp", "web:/tmp/slow", "-"]).code == 0);
            let start = scope.spawn(|| engine.docker(&["start", "web"]));
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert!(!start.is_finished(), "two mounts of one directory");
            assert_eq!(engine.inspect("web", "{{.State.Status}}"), "created", "nothing else waits");
            std::io::Write::write_all(&mut writer, &bytes[700..]).unwrap();
            drop(writer);
            copy.join().unwrap().ok();
            start.join().unwrap().ok();
        });
        assert_eq!(engine.docker(&["exec", "web", "cat", "/tmp/slow"]).ok(), "slow");
    });
}

fn cp_from_fifo(engine: &TestEngine, fifo: &Path) -> Run {
    cp_from(engine, fifo, "web:/")
}
