//! A real distribution's root, made with debootstrap: by `import` and as images that other programs make. What a container sees
//! is what was packed, entry by entry, and its programs run.

use std::path::Path;
use std::process::{Command, Stdio};
use tests::debian::Debian;
use tests::{Need, TestEngine, Tree, lacks, skip, wait_until, with_engine};

fn debian() -> Option<Debian> {
    let lacking = lacks(&[Need::Root, Need::Program("debootstrap"), Need::Program("skopeo")]);
    lacking.inspect(|lacking| skip(lacking)).is_none().then(Debian::made)
}

#[test]
fn a_debian_root_is_imported_as_it_is_and_runs() {
    let Some(debian) = debian() else { return };
    with_engine(|engine| {
        engine.docker(&["import", debian.root().to_str().unwrap(), "debian:12"]).ok();
        same_tree(engine, &debian);
        its_programs_run(engine);
        files_keep_what_they_grant(engine);
        let layers = |name| engine.inspect(name, "{{json .RootFS.Layers}}");
        import_by_our_command_line(engine, &debian);
        assert_eq!(layers("debian:piped"), layers("debian:12"));
        engine.docker(&["rmi", "debian:12", "debian:piped"]).ok();
    });
}

#[test]
fn a_debian_root_is_loaded_from_what_docker_save_and_skopeo_make() {
    let Some(debian) = debian() else { return };
    with_engine(|engine| {
        for archive in debian.archives() {
            let said = engine.docker(&["load", "--input", archive.to_str().unwrap()]).ok();
            assert_eq!(said, "Loaded image: debian:12\n", "{}", archive.display());
            same_tree(engine, &debian);
            // The layer too, so that each archive's own is unpacked.
            engine.docker(&["rmi", "debian:12"]).ok();
        }
    });
}

/// From a pipe, as `debian:piped`.
#[track_caller]
fn import_by_our_command_line(engine: &TestEngine, debian: &Debian) {
    let mut import = engine.cr_command(&["import", "--change", "CMD [\"bash\"]", "-", "debian:piped"]);
    let mut cat = Command::new("cat").arg(debian.root()).stdout(Stdio::piped()).spawn().unwrap();
    let output = import.stdin(cat.stdout.take().unwrap()).output().unwrap();
    assert!(output.status.success() && cat.wait().unwrap().success(), "{output:?}");
    assert_eq!(engine.inspect("debian:piped", "{{.Config.Cmd}}"), "[bash]");
}

/// Compares what a container of the image sees with the directory that was packed.
#[track_caller]
fn same_tree(engine: &TestEngine, debian: &Debian) {
    // `--bind` and not `--rbind`: without what is mounted in containers upon `/dev`, `/proc` and files of `/etc`.
    let script = "mount --bind / /mnt && apt-get --version && exec sleep 600";
    engine.docker(&["run", "-d", "--name", "tree", "--privileged", "debian:12", "sh", "-c", script]).ok();
    wait_until("the container's mount", || engine.docker(&["logs", "tree"]).stdout.starts_with("apt 2.6"));
    let pid = engine.inspect("tree", "{{.State.Pid}}");
    let mut seen = Tree::of(Path::new(&format!("/proc/{pid}/root/mnt"))).unwrap();
    let mut packed = debian.tree();
    assert!(packed.holds("srv/kept/setuid-id") && packed.holds("usr/bin/ping"));
    // What every container gets where its image lacks it, and where that is.
    for added in [".dockerenv", "etc/hosts", "etc/mtab"].iter().filter(|added| !packed.holds(added)) {
        seen.forget(added);
    }
    for written in [".", "etc"] {
        seen.forget_time(written);
        packed.forget_time(written);
    }
    let differences = packed.differences(&seen);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    engine.docker(&["rm", "--force", "tree"]).ok();
}

#[track_caller]
fn run(engine: &TestEngine, options: &[&str], command: &[&str]) -> tests::Run {
    engine.docker(&[&["run", "--rm"], options, &["debian:12"], command].concat())
}

fn its_programs_run(engine: &TestEngine) {
    let said = run(engine, &[], &["dpkg", "-l", "dpkg", "apt", "iputils-ping"]).ok();
    assert_eq!(said.lines().filter(|line| line.starts_with("ii ")).count(), 3, "{said}");
    // Sums of all files of a package, made by Debian.
    assert_eq!(run(engine, &[], &["dpkg", "--verify", "perl-base", "coreutils"]).ok(), "");
    assert_eq!(run(engine, &[], &["perl", "-e", "print 6 * 7"]).ok(), "42");
    assert_eq!(run(engine, &[], &["bash", "-c", "echo ${BASH_VERSINFO[0]}"]).ok(), "5\n");
    assert_eq!(run(engine, &["-u", "_apt"], &["sh", "-c", "id -un; id -gn"]).ok(), "_apt\nnogroup\n");
    assert_eq!(run(engine, &[], &["getent", "passwd", "www-data"]).ok().split(':').nth(2), Some("33"));
}

fn files_keep_what_they_grant(engine: &TestEngine) {
    let setuid = "/srv/kept/setuid-id";
    let nobody = ["-u", "nobody"];
    assert_eq!(run(engine, &nobody, &[setuid, "-u"]).ok(), "0\n");
    let bound = [&nobody[..], &["--security-opt", "no-new-privileges"]].concat();
    assert_eq!(run(engine, &bound, &[setuid, "-u"]).ok(), "65534\n");
    run(engine, &nobody, &["ping", "-c1", "127.0.0.1"]).ok();
    // A file with a capability that its process may not have is not run at all.
    let bare = [&nobody[..], &["--cap-drop", "ALL"]].concat();
    run(engine, &bare, &["sh", "-c", "ping -c1 127.0.0.1"]).fails(126, "Operation not permitted");
    assert_eq!(run(engine, &[], &["stat", "-c", "%h", "/usr/bin/perl"]).ok(), "2\n");
}
