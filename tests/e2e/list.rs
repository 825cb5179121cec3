//! `docker ps`, `docker inspect`, `docker info` and `docker version`: what clients are told.

use serde_json::Value;
use tests::with_engine;

#[test]
fn ps_lists_filters_and_formats() {
    with_engine(|engine| {
        let running = engine
            .docker(&["run", "-d", "--name", "up", "--label", "role=web", "busybox", "sleep", "600"])
            .line();
        engine.docker(&["run", "--name", "down", "busybox", "sh", "-c", "exit 3"]);
        engine.docker(&["create", "--name", "made", "busybox", "echo", "a b"]).ok();
        let names = |options: &[&str]| {
            let arguments = [&["ps", "--format", "{{.Names}}"], options].concat();
            let mut names: Vec<_> = engine.docker(&arguments).ok().lines().map(str::to_owned).collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(names(&[]), "up");
        assert_eq!(names(&["-a"]), "down made up");
        for (filter, expected) in [
            ("status=exited", "down"),
            ("status=created", "made"),
            ("exited=3", "down"),
            ("label=role", "up"),
            ("label=role=web", "up"),
            ("label=role=db", ""),
            ("name=^do", "down"),
            ("name=w", "down"),
            ("ancestor=busybox", "down made up"),
            ("before=made", "down up"),
            ("since=up", "down made"),
            ("id=none", ""),
        ] {
            assert_eq!(names(&["-a", "--filter", filter]), expected, "{filter}");
        }
        assert_eq!(names(&["-n", "1"]), "made");
        for (filter, words) in [
            ("bogus=1", "invalid filter 'bogus'"),
            (
                "status=bad",
                "'status=bad': invalid value for state (bad): must be one of created, running, paused",
            ),
            ("health=bad", "'health=bad': invalid value for health (bad): must be one of none, starting"),
            ("exited=bad", "invalid filter 'exited=bad': "),
            ("is-task=bad", "invalid filter 'is-task=[bad]'"),
        ] {
            engine.docker(&["ps", "--filter", filter]).fails(1, words);
        }
        let prune = ["container", "prune", "-f", "--filter", "until=bad"];
        engine.docker(&prune).fails(1, "failed to parse value as time or duration: \"bad\"");
        let table = engine.docker(&["ps"]).ok();
        let header = ["CONTAINER", "ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];
        assert_eq!(table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), header);
        assert!(
            table.contains(&running[..12]) && table.contains("\"sleep 600\"") && table.contains("Up "),
            "{table}"
        );
        assert_eq!(engine.docker(&["ps", "-q", "--no-trunc"]).line(), running);
        let line = engine.docker(&["ps", "-a", "--filter", "name=down", "--format", "json"]).ok();
        let one: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&one["State"], &one["Image"]), (&"exited".into(), &"busybox".into()));
        assert!(one["Status"].as_str().unwrap().starts_with("Exited (3) "), "{one}");
        let sized = engine.docker(&["ps", "-s", "--format", "{{.Size}}"]).line();
        assert!(sized.contains("virtual"), "{sized}");
        engine.docker(&["rm", "-f", "up", "down", "made"]).ok();
    });
}

#[test]
fn inspect_has_the_document_that_clients_expect() {
    with_engine(|engine| {
        let options = [
            "--name",
            "full",
            "-e",
            "A=1",
            "--label",
            "k=v",
            "--memory",
            "64m",
            "--restart",
            "always",
            "-v",
            "/data",
        ];
        let id = engine.docker(&[&["run", "-d"], &options[..], &["busybox", "sleep", "600"]].concat()).line();
        let text = engine.docker(&["inspect", "full"]).ok();
        let document: Value = serde_json::from_str(&text).unwrap();
        let one = &document[0];
        for key in [
            "Id",
            "Created",
            "Path",
            "Args",
            "State",
            "Image",
            "ResolvConfPath",
            "HostnamePath",
            "HostsPath",
            "LogPath",
            "Name",
            "RestartCount",
            "Driver",
            "Platform",
            "MountLabel",
            "ProcessLabel",
            "AppArmorProfile",
            "ExecIDs",
            "HostConfig",
            "GraphDriver",
            "Mounts",
            "Config",
            "NetworkSettings",
        ] {
            assert!(one.get(key).is_some(), "{key} is missing");
        }
        for key in [
            "Status",
            "Running",
            "Paused",
            "Restarting",
            "OOMKilled",
            "Dead",
            "Pid",
            "ExitCode",
            "Error",
            "StartedAt",
            "FinishedAt",
        ] {
            assert!(one["State"].get(key).is_some(), "State.{key} is missing");
        }
        assert_eq!(one["Id"], id);
        assert_eq!((&one["Path"], &one["Args"]), (&"sleep".into(), &serde_json::json!(["600"])));
        assert_eq!(one["Config"]["Labels"]["k"], "v");
        assert_eq!(one["HostConfig"]["Memory"], 64 << 20);
        assert_eq!(one["HostConfig"]["RestartPolicy"]["Name"], "always");
        assert_eq!(
            (&one["Mounts"][0]["Type"], &one["Mounts"][0]["Destination"]),
            (&"volume".into(), &"/data".into())
        );
        assert!(one["Image"].as_str().unwrap().starts_with("sha256:"));
        assert_eq!(one["State"]["FinishedAt"], "0001-01-01T00:00:00Z");
        let network = &one["NetworkSettings"]["Networks"]["bridge"];
        assert!(network["IPAddress"].as_str().is_some_and(|address| address.contains('.')), "{network}");
        assert!(network["Gateway"].as_str().is_some_and(|address| address.contains('.')), "{network}");
        engine.docker(&["rm", "-fv", "full"]).ok();
    });
}

#[test]
fn ping_version_and_info_negotiate() {
    with_engine(|engine| {
        let ping = engine.api("GET", "/_ping", None);
        assert_eq!((ping.status, ping.text().as_str()), (200, "OK"));
        assert_eq!(ping.header("ostype"), Some("linux"));
        assert_eq!(ping.header("builder-version").map(str::len), Some(1));
        let version: f64 = ping.header("api-version").unwrap().trim_start_matches("1.").parse().unwrap();
        assert!(version >= 51.0, "{version}");
        assert_eq!(engine.api("HEAD", "/_ping", None).body, b"");
        for good in ["v1.24", "v1.44", "v1.51"] {
            assert_eq!(engine.api("GET", &format!("/{good}/version"), None).status, 200, "{good}");
        }
        let old = engine.api("GET", "/v1.12/version", None);
        assert_eq!(old.status, 400);
        assert!(old.text().contains("client version 1.12 is too old"), "{}", old.text());
        let new = engine.api("GET", "/v9.99/version", None);
        assert!(new.text().contains("client version 9.99 is too new"), "{}", new.text());
        assert_eq!(engine.api("GET", "/v1.47/nowhere", None).message(), "page not found");
        let info = engine.api("GET", "/v1.47/info", None).json();
        for key in [
            "ID",
            "Containers",
            "Images",
            "Driver",
            "CgroupDriver",
            "CgroupVersion",
            "KernelVersion",
            "NCPU",
            "MemTotal",
            "Runtimes",
            "DefaultRuntime",
        ] {
            assert!(info.get(key).is_some(), "{key} is missing");
        }
        engine.docker(&["info"]).ok();
        assert!(
            engine
                .docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"])
                .line()
                .starts_with("linux/")
        );
    });
}
