//! The store looks after itself: `system df`, `prune`, `system check`, `system gc`.

use serde_json::Value;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tests::fixtures::Archive;
use tests::registry::free_port;
use tests::{Need, Run, Settings, TestEngine, lacks, skip, with_private_engine};

/// Allocated bytes below a directory, as du says.
fn du(path: &Path) -> i64 {
    let said = Run::of(Command::new("du").args(["-sB1", "--one-file-system"]).arg(path)).ok();
    said.split_whitespace().next().unwrap().parse().unwrap()
}

/// A root file system with one file of so many bytes that compress badly.
fn import(engine: &TestEngine, name: &str, seed: u64, bytes: usize) {
    let mut state = seed;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(bytes)
    .collect();
    let mut archive = Archive::default();
    archive.file("large", 0o644, &content);
    archive.file("small", 0o644, b"content");
    let path = engine.directory().join("root.tar");
    fs::write(&path, archive.finish()).unwrap();
    engine.docker(&["import", path.to_str().unwrap(), name]).ok();
}

fn df(engine: &TestEngine) -> Value {
    let answer = engine.api("GET", "/v1.47/system/df", None);
    assert_eq!(answer.status, 200);
    serde_json::from_slice(&answer.body).unwrap()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// All that `system df` tells of.
fn total(usage: &Value) -> i64 {
    let of = |name: &str, size: fn(&Value) -> i64| {
        usage[name].as_array().into_iter().flatten().map(size).sum::<i64>()
    };
    number(&usage["LayersSize"])
        + of("Containers", |container| number(&container["SizeRw"]))
        + of("Volumes", |volume| number(&volume["UsageData"]["Size"]))
}

#[test]
fn system_df_is_what_du_says() {
    with_private_engine(Settings::default(), |engine| {
        import(engine, "large:1", 1, 20_000_000);
        engine.docker(&["tag", "busybox", "second:1"]).ok();
        let made = "head -c 5000000 /dev/urandom >/x; head -c 3000000 /dev/urandom >/v/x; seq 300000";
        engine.docker(&["run", "--name", "wrote", "-v", "some:/v", "busybox", "sh", "-c", made]).ok();
        engine.docker(&["run", "-d", "--name", "runs", "busybox", "sleep", "600"]).ok();
        engine.docker(&["commit", "wrote", "committed:1"]).ok();
        let root = engine.directory().join("root");
        tests::wait_until("df is within a percent of du", || {
            let records = fs::metadata(root.join("state.redb")).unwrap().blocks() as i64 * 512;
            let (told, there) = (total(&df(engine)), du(&root) - records);
            (told - there).abs() * 100 <= there
        });

        let usage = df(engine);
        let image = |tag: &str| {
            let images = usage["Images"].as_array().unwrap();
            images.iter().find(|image| image["RepoTags"].to_string().contains(tag)).unwrap().clone()
        };
        let (base, top, alone) = (image("busybox:latest"), image("committed:1"), image("large:1"));
        assert_eq!(number(&base["Containers"]), 2);
        assert_eq!(number(&alone["SharedSize"]), 0);
        assert!(number(&alone["Size"]) > 40_000_000, "the layer and its blob: {alone}");
        assert!(
            number(&top["SharedSize"]) > 0 && number(&top["SharedSize"]) < number(&base["Size"]),
            "{top}"
        );
        for cli in [engine.docker(&["system", "df", "-v"]).ok(), engine.cr(&["system", "df", "-v"]).ok()] {
            assert!(cli.contains("SHARED SIZE") && cli.contains("committed"), "{cli}");
        }
        let table =
            engine.docker(&["system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}"]).ok();
        assert!(table.starts_with("Images 3 1\nContainers 2 1\nLocal Volumes 1 1\n"), "{table}");
    });
}

#[test]
fn a_dry_run_explains_why_everything_stays_without_a_budget() {
    with_private_engine(Settings::default(), |engine| {
        let partial = engine.directory().join("root/blobs/partial/pull-old");
        fs::write(&partial, vec![1; 1000]).unwrap();
        let file = fs::File::options().write(true).open(&partial).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(7200)).unwrap();
        let said = engine.cr(&["system", "gc", "--dry-run"]).ok();
        for line in [
            "there is no budget for images (storage.gc.images)\n",
            "busybox:latest stays: storage.gc.images sets no budget\n",
            "1000 bytes of half-fetched blobs (nothing was written to them for 3600 s or longer), 1000 bytes in all\n",
        ] {
            assert!(said.contains(line), "{said}");
        }
        assert!(partial.exists());
    });
}

#[test]
fn what_a_prune_reclaims_is_what_the_disk_gets_back() {
    with_private_engine(Settings::default(), |engine| {
        import(engine, "large:1", 1, 8_000_000);
        import(engine, "large:1", 2, 6_000_000);
        engine.docker(&["run", "--name", "uses", "busybox", "true"]).ok();
        let partials = engine.directory().join("root/blobs/partial");
        for name in ["pull-old", "pull-new"] {
            fs::write(partials.join(name), vec![1; 1_000_000]).unwrap();
        }
        let file = fs::File::options().write(true).open(partials.join("pull-old")).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(7200)).unwrap();
        let before = number(&df(engine)["LayersSize"]);
        let answer = engine.api("POST", "/images/prune", None);
        let pruned: Value = serde_json::from_slice(&answer.body).unwrap();
        let reclaimed = number(&pruned["SpaceReclaimed"]);
        assert!(reclaimed > 17_000_000 && reclaimed < 18_000_000, "two of 8 MB and half a pull: {pruned}");
        assert!(!partials.join("pull-old").exists() && partials.join("pull-new").exists());
        tests::wait_until("the disk has it back", || {
            let freed = before - number(&df(engine)["LayersSize"]);
            (freed - reclaimed).abs() * 100 < reclaimed
        });
        let said = engine.docker(&["system", "prune", "-af"]).ok();
        assert!(said.contains("Deleted Containers:") && said.contains("untagged: large:1"), "{said}");
        assert!(said.contains("Total reclaimed space: 1"), "12 MB and busybox: {said}");
        assert_eq!(engine.docker(&["images", "-q"]).ok(), "");
        // The fresh half of a pull stays.
        tests::wait_until("nothing else is left", || number(&df(engine)["LayersSize"]) < 1_200_000);
    });
}

/// The file in whichever layer has it.
fn in_layers(engine: &TestEngine, name: &str) -> PathBuf {
    let layers = fs::read_dir(engine.directory().join("root/layers/l")).unwrap();
    layers.map(|entry| entry.unwrap().path().join(name)).find(|path| path.exists()).unwrap()
}

#[test]
fn a_check_finds_damage_and_a_repair_mends_it() {
    with_private_engine(Settings::default(), |engine| {
        import(engine, "app:1", 1, 3_000_000);
        let clean = engine.cr(&["system", "check"]).ok();
        assert!(clean.contains("2 images, 2 layers") && clean.contains("nothing is wrong"), "{clean}");
        // As after a power cut.
        let large = in_layers(engine, "large");
        let times = fs::metadata(&large).unwrap().modified().unwrap();
        let file = fs::File::create(&large).unwrap();
        file.set_len(3_000_000).unwrap();
        file.set_modified(times).unwrap();
        fs::create_dir(engine.directory().join("root/layers/l/nobody")).unwrap();
        let found = engine.cr(&["system", "check"]);
        assert_eq!(found.code, 1, "{found:?}");
        for part in
            ["(of app:1)", "large has zeros from byte 0 on", "layers/l/nobody", "remedy: ", "2 problems."]
        {
            assert!(found.stdout.contains(part), "{part}: {}", found.stdout);
        }
        let json = engine.cr(&["system", "check", "--format", "json"]);
        let report: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!((json.code, report["Findings"].as_array().unwrap().len()), (1, 2));
        let repaired = engine.cr(&["system", "check", "--repair"]).ok();
        assert!(
            repaired.contains("repaired: unpacked again") && repaired.contains("2 repaired"),
            "{repaired}"
        );
        engine.cr(&["system", "check"]).ok();
        assert_ne!(fs::read(in_layers(engine, "large")).unwrap()[..8], [0; 8]);
    });
}

#[test]
fn a_repair_leaves_the_layers_of_running_containers_alone() {
    with_private_engine(Settings::default(), |engine| {
        engine.docker(&["run", "-d", "--name", "runs", "busybox", "sleep", "600"]).ok();
        let passwd = in_layers(engine, "etc/passwd");
        fs::write(&passwd, "").unwrap();
        let said = engine.cr(&["system", "check", "--repair"]);
        let id = engine.inspect("runs", "{{.Id}}");
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stdout.contains(&format!("in use by container {id}")), "{}", said.stdout);
        assert_eq!(engine.docker(&["exec", "runs", "echo", "on"]).ok(), "on\n");
        engine.docker(&["stop", "-t", "0", "runs"]).ok();
        engine.cr(&["system", "check", "--repair"]).ok();
        engine.docker(&["start", "runs"]).ok();
        assert!(engine.docker(&["exec", "runs", "cat", "/etc/passwd"]).ok().contains("root:x:0:0"));
    });
}

#[test]
fn images_beyond_the_budget_are_explained_but_young_ones_stay() {
    let config = "storage:\n  gc:\n    images:\n      max_bytes: 1000\n      keep: ['kept*']\n";
    let settings = Settings { config: config.to_owned(), ..Settings::default() };
    with_private_engine(settings, |engine| {
        import(engine, "kept:1", 1, 1000);
        import(engine, "young:1", 2, 1000);
        engine.docker(&["create", "--name", "uses", "busybox", "true"]).ok();
        for arguments in [&["system", "gc", "--dry-run"][..], &["system", "gc"]] {
            let said = engine.cr(arguments).ok();
            let expected = [
                "of 1000",
                "kept:1 stays: storage.gc.images.keep names it",
                "young:1 stays: it was used 0 minutes ago",
                "busybox:latest stays: container ",
            ];
            for part in expected {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
        assert_eq!(engine.docker(&["images", "-q"]).ok().lines().count(), 3);
    });
}

#[test]
fn the_least_recently_used_image_goes_first_and_no_more_than_needed() {
    let config = "storage:\n  gc:\n    images:\n      max_bytes: 18000000\n      min_age: 0\n";
    let settings = Settings { config: config.to_owned(), ..Settings::default() };
    with_private_engine(settings, |engine| {
        for (number, name) in ["old:1", "middle:1", "new:1"].into_iter().enumerate() {
            import(engine, name, number as u64, 3_000_000);
        }
        // Use makes it young again.
        engine.docker(&["create", "--name", "brief", "old:1", "true"]).ok();
        engine.docker(&["rm", "brief"]).ok();
        engine.docker(&["create", "--name", "uses", "busybox", "true"]).ok();
        let dry = engine.cr(&["system", "gc", "--dry-run"]).ok();
        assert!(dry.contains("middle:1 would go: nobody has used it"), "{dry}");
        assert!(dry.contains("new:1 stays: the budget is kept without its removal"), "{dry}");
        assert_eq!(engine.docker(&["images", "-q"]).ok().lines().count(), 4);
        let said = engine.cr(&["system", "gc"]).ok();
        assert!(said.contains("middle:1 removed: "), "{said}");
        let names = engine.docker(&["images", "--format", "{{.Repository}}"]).ok();
        let mut names: Vec<&str> = names.lines().collect();
        names.sort_unstable();
        assert_eq!(names, ["busybox", "new", "old"]);
        let ask = "/events?since=1&until=";
        tests::wait_until("the events", || {
            // The API counts in whole seconds.
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            let events = engine.api("GET", &format!("{ask}{now}"), None).text();
            events.contains(r#""Action":"delete""#) && events.contains(r#""Action":"prune""#)
        });
    });
}

/// Debian's registry on a free port of the loopback, with its files in a directory of the test's.
struct Registry {
    process: Child,
    port: u16,
}

impl Registry {
    fn start(directory: &Path) -> Self {
        let port = free_port();
        let config = directory.join("registry.yml");
        let files = directory.join("registry");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            files.display()
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        tests::wait_until("the registry", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { process, port }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_repair_fetches_only_what_is_broken() {
    if let Some(lacking) = lacks(&[Need::Program("docker-registry")]) {
        return skip(&lacking);
    }
    with_private_engine(Settings::default(), |engine| {
        let registry = Registry::start(engine.directory());
        let name = format!("127.0.0.1:{}/app:1", registry.port);
        import(engine, &name, 1, 2_000_000);
        engine.docker(&["push", &name]).ok();
        let dir = engine.directory().join("root/blobs/blobs/sha256");
        let mut blobs: Vec<PathBuf> =
            fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        blobs.sort_by_key(|path| fs::metadata(path).unwrap().len());
        let layer = blobs.pop().unwrap();
        let config = dir.join(engine.inspect(&name, "{{.Id}}").trim_start_matches("sha256:"));
        let mut bytes = fs::read(&layer).unwrap();
        bytes[1_000_000] ^= 0x10;
        fs::remove_file(&layer).unwrap();
        fs::write(&layer, bytes).unwrap();
        fs::remove_file(&config).unwrap();
        let found = engine.cr(&["system", "check"]);
        assert!(
            found.code == 1 && found.stdout.contains("a repair fetches this blob from 127.0.0.1:"),
            "{found:?}"
        );
        let repaired = engine.cr(&["system", "check", "--repair"]).ok();
        assert!(repaired.contains("2 problems, 2 repaired"), "{repaired}");
        engine.cr(&["system", "check"]).ok();
        // One that the registry has lost too cannot come back: what runs goes on to run.
        drop(registry);
        fs::write(&config, "{}").unwrap();
        let left = engine.cr(&["system", "check", "--repair"]);
        assert!(left.code == 1 && left.stdout.contains("not repaired: "), "{left:?}");
    });
}
