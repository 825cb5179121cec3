//! What is said to whoever made a mistake: groups without a verb, addresses, buckets, and engines that are not there.

use std::net::TcpListener;
use std::path::Path;
use tests::{Moto, Run, Settings, TestEngine, with_engine, with_private_engine};

#[test]
fn groups_of_our_own_verbs_show_them() {
    with_engine(|engine| {
        let help = "Usage:  container-runtime registry COMMAND\n\nServe and tend registries of images\n\nCommands:\n";
        // What nobody asked for goes beside what a script may read, as with docker's groups.
        let bare = engine.cr(&["registry"]);
        assert!(bare.code == 0 && bare.stdout.is_empty() && bare.stderr.starts_with(help), "{bare:?}");
        let asked = engine.cr(&["registry", "--help"]).ok();
        assert!(
            asked.starts_with(help) && asked.contains("\n  user ") && asked.contains("\n  serve "),
            "{asked}"
        );
        assert_eq!(engine.cr(&["help", "registry"]).ok(), asked);
        assert!(engine.cr(&["registry", "user", "--help"]).ok().contains("\n  add "));
        assert!(engine.cr(&["image", "--help"]).ok().contains("\n  mount "));
        assert!(engine.cr(&["--help"]).ok().contains("\n  registry "));
        engine.cr(&["registry", "srve"]).fails(1, "unknown command: container-runtime registry srve");
        engine
            .cr(&["registry", "user", "ad"])
            .fails(1, "unknown command: container-runtime registry user ad");
        engine.cr(&["manifest", "annotate", "none:1", "busybox"]).fails(1, "No such manifest: none:1");
    });
}

#[test]
fn without_a_daemon_it_is_said_how_to_start_one() {
    with_private_engine(Settings::default(), |engine| {
        engine.cr(&["system", "shutdown"]).ok();
        for verb in [&["system", "check"][..], &["system", "gc"], &["image", "mount", "busybox"]] {
            engine.cr(verb).fails(1, "Start it with 'container-runtime daemon'.");
        }
        engine.restart_daemon(&[]);
    });
}

fn serve(engine: &TestEngine, arguments: &[&str], credentials: bool) -> Run {
    let mut command = engine.cr_command(&["registry", "serve", "--listen", "127.0.0.1:0"]);
    command.args(arguments).env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    if credentials {
        command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "secret");
    }
    Run::of(&mut command)
}

#[test]
fn an_address_to_listen_on_is_a_number() {
    with_engine(|engine| {
        let said = engine.cr(&["registry", "serve", "--storage", "x", "--listen", "localhost:5000"]);
        said.fails(125, "write 127.0.0.1:5000, or [::1]:5000");
        assert!(!Path::new("x").exists());
    });
}

#[test]
fn a_bucket_that_cannot_be_used_ends_the_registry_at_once() {
    let Some(moto) = Moto::start() else { return };
    with_engine(|engine| {
        let spool = engine.directory().join("spool").display().to_string();
        let in_bucket = |address: &str, credentials| {
            serve(engine, &["--storage", address, "--spool", &spool], credentials)
        };
        let there = moto.bucket("registry");
        in_bucket(&there, false).fails(1, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        let missing = there.replace("s3://registry/", "s3://nowhere/");
        let said = in_bucket(&missing, true).fails(1, "there is no bucket of this name");
        assert!(said.contains("the bucket nowhere at http://127.0.0.1:"), "{said}");
        let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let said =
            in_bucket(&format!("s3://registry?endpoint=http://{dead}"), true).fails(1, "see endpoint=");
        assert!(said.contains(&format!("the bucket registry at http://{dead}")), "{said}");
    });
}
