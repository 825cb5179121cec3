//! Networks that people make: `network create`, `connect`, `disconnect`, `rm`, `prune`; several for a container.

use tests::{TestEngine, with_engine};

/// The networks of these names, made; they go with [`remove`].
fn create(engine: &TestEngine, options: &[&str], name: &str) {
    engine.docker(&[&["network", "create"], options, &[name]].concat()).ok();
}

#[test]
fn a_running_container_comes_to_a_network_and_goes() {
    with_engine(|engine| {
        create(engine, &["--subnet", "10.201.0.0/24"], "front");
        create(engine, &["--subnet", "10.202.0.0/24", "--ipv6", "--label", "tier=data"], "back");
        engine.sleeper("web", &["--network", "front", "--ip", "10.201.0.50", "--network-alias", "site"]);
        let route = || engine.shell("web", "ip route | grep default");
        assert_eq!(route(), "default via 10.201.0.1 dev eth0 \n");
        engine.shell("web", "echo 192.0.2.1 mine >> /etc/hosts");

        engine
            .docker(&["network", "connect", "--ip", "10.202.0.60", "--gw-priority", "5", "back", "web"])
            .ok();
        assert_eq!(route(), "default via 10.202.0.1 dev eth1 \n");
        assert_eq!(engine.address("web", "back"), "10.202.0.60");
        let hosts = engine.shell("web", "cat /etc/hosts");
        assert!(hosts.contains("10.202.0.60") && hosts.contains("10.201.0.50"), "{hosts}");
        let names = engine.inspect("web", "{{json .NetworkSettings.Networks.front.DNSNames}}");
        assert!(names.starts_with("[\"web\",\"site\",\""), "{names}");
        let again = engine.docker(&["network", "connect", "back", "web"]);
        again.fails(1, "endpoint with name web already exists in network back");
        let used = engine.docker(&["network", "rm", "back"]);
        used.fails(1, "network back has active endpoints (name:\"web\"");

        engine.restart_daemon(&[]);
        assert_eq!(engine.address("web", "back"), "10.202.0.60");
        engine.docker(&["network", "disconnect", "back", "web"]).ok();
        assert_eq!(route(), "default via 10.201.0.1 dev eth0 \n");
        let hosts = engine.shell("web", "cat /etc/hosts");
        assert!(!hosts.contains("10.202.0.60") && hosts.contains("192.0.2.1 mine"), "{hosts}");
        assert_eq!(engine.shell("web", "ls /sys/class/net"), "eth0\nlo\n");
        engine.docker(&["network", "disconnect", "back", "web"]).fails(1, "is not connected to network back");
        engine.remove(&["web"], &["front", "back"]);
    });
}

#[test]
fn what_is_connected_while_it_does_not_run_comes_with_the_start() {
    with_engine(|engine| {
        create(engine, &[], "one");
        create(engine, &[], "two");
        let sleep = ["busybox", "sleep", "600"];
        engine.docker(&[&["create", "--name", "late", "--network", "one"], &sleep[..]].concat()).ok();
        engine.docker(&["network", "connect", "two", "late"]).ok();
        engine.docker(&["network", "connect", "bridge", "late"]).ok();
        engine.docker(&["network", "disconnect", "one", "late"]).ok();
        engine.docker(&["start", "late"]).ok();
        assert_eq!(engine.shell("late", "ls /sys/class/net"), "eth0\neth1\nlo\n");
        let networks =
            engine.inspect("late", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}");
        assert_eq!(networks, "bridge two");
        engine.docker(&["stop", "-t", "0", "late"]).ok();
        engine.docker(&["network", "rm", "two"]).ok();
        engine.docker(&["start", "late"]).fails(1, "network two not found");
        engine.docker(&["network", "disconnect", "two", "late"]).ok();
        engine.docker(&["start", "late"]).ok();
        engine.remove(&["late"], &["one"]);
    });
}

#[test]
fn networks_are_apart_and_an_internal_one_is_inside() {
    with_engine(|engine| {
        create(engine, &[], "one");
        create(engine, &["--internal"], "inside");
        create(engine, &["-o", "com.docker.network.bridge.enable_icc=false"], "quiet");
        for (name, network) in
            [("a1", "one"), ("b1", "inside"), ("c1", "inside"), ("d1", "quiet"), ("e1", "quiet")]
        {
            engine.sleeper(name, &["--network", network]);
        }
        let reaches = |from: &str, to: &str, network: &str| {
            let ping =
                format!("ping -c 1 -W 1 {} >/dev/null && echo yes || echo no", engine.address(to, network));
            engine.shell(from, &ping).trim() == "yes"
        };
        assert!(!reaches("a1", "b1", "inside") && !reaches("b1", "a1", "one"), "networks are apart");
        assert!(reaches("b1", "c1", "inside"));
        assert_eq!(engine.shell("b1", "ip route | grep -c default || true"), "0\n");
        assert!(!reaches("d1", "e1", "quiet"), "enable_icc=false");
        engine.remove(&["a1", "b1", "c1", "d1", "e1"], &["one", "inside", "quiet"]);
    });
}

#[test]
fn a_prune_takes_what_nobody_runs_on() {
    with_engine(|engine| {
        create(engine, &["--label", "keep"], "kept");
        create(engine, &[], "used");
        create(engine, &[], "free");
        engine.sleeper("web", &["--network", "used"]);
        let pruned = engine.docker(&["network", "prune", "-f", "--filter", "label!=keep"]).ok();
        assert_eq!(pruned, "Deleted Networks:\nfree\n\n");
        let names =
            engine.docker(&["network", "ls", "--format", "{{.Name}}", "--filter", "type=custom"]).ok();
        assert_eq!(names, "kept\nused\n");
        engine.remove(&["web"], &["kept", "used"]);
    });
}

#[test]
fn what_is_asked_of_a_network_is_shown_or_refused() {
    with_engine(|engine| {
        let options =
            ["--subnet", "10.203.0.0/24", "--ip-range", "10.203.0.128/25", "--gateway", "10.203.0.9"];
        let more = ["--aux-address", "a=10.203.0.130", "-o", "com.docker.network.driver.mtu=1280"];
        create(engine, &[&["--ipv6=false"], &options[..], &more].concat(), "all");
        let shown = engine.docker(&["network", "inspect", "-f", "{{json .IPAM.Config}}", "all"]).ok();
        let expected = "[{\"Subnet\":\"10.203.0.0/24\",\"IPRange\":\"10.203.0.128/25\",\"Gateway\":\"10.203.0.9\",\
                        \"AuxiliaryAddresses\":{\"a\":\"10.203.0.130\"}}]\n";
        assert_eq!(shown, expected);
        engine.sleeper("x1", &["--network", "all"]);
        engine.sleeper("y1", &["--network", "all"]);
        engine.sleeper("z1", &["--network", "all"]);
        let addresses = ["x1", "y1", "z1"].map(|name| engine.address(name, "all"));
        assert_eq!(addresses, ["10.203.0.128", "10.203.0.129", "10.203.0.131"]);
        assert_eq!(engine.shell("x1", "cat /sys/class/net/eth0/mtu"), "1280\n");
        for (arguments, text) in [
            (&["--subnet", "10.203.0.0/25", "n"][..], "overlaps the network all (10.203.0.0/24)"),
            (&["--subnet", "10.204.0.7/24", "n"], "it should be 10.204.0.0/24"),
            (&["all"], "network with name all already exists"),
            (&["bridge"], "operation is not permitted on predefined bridge network"),
            (&["-d", "foo", "n"], "plugin \"foo\" not found"),
            (&["-d", "overlay", "n"], "This node is not a swarm manager."),
            (&["--ingress", "n"], "This node is not a swarm manager."),
            (&["--config-from", "nope", "n"], "configuration network \"nope\" does not exist"),
            (&["--config-only", "--internal", "n"], "can only contain network specific fields"),
        ] {
            engine.docker(&[&["network", "create"], arguments].concat()).fails(1, text);
        }
        let taken =
            engine.docker(&["run", "--rm", "--network", "all", "--ip", "10.203.0.128", "busybox", "true"]);
        taken.fails(125, "the address 10.203.0.128 is already in use on the network all");
        engine.remove(&["x1", "y1", "z1"], &["all"]);
    });
}

#[test]
fn a_link_is_a_name_an_address_and_variables() {
    with_engine(|engine| {
        let data = ["--expose", "6379", "-e", "MODE=fast", "--hostname", "store"];
        engine.sleeper("data", &data);
        engine.sleeper("web", &["--link", "data:my-db"]);
        let where_it_is = || engine.address("data", "bridge");
        let (at, hosts) = (where_it_is(), engine.shell("web", "cat /etc/hosts"));
        assert!(hosts.contains(&format!("{at}\tmy-db store data\n")), "{hosts}");
        let told = engine.shell("web", "env");
        for line in [
            format!("MY_DB_PORT_6379_TCP=tcp://{at}:6379"),
            format!("MY_DB_PORT=tcp://{at}:6379"),
            "MY_DB_NAME=/web/my-db".to_owned(),
            "MY_DB_ENV_MODE=fast".to_owned(),
        ] {
            assert!(told.lines().any(|other| other == line), "{line}: {told}");
        }
        assert!(engine.shell("web", "nslookup -type=a my-db").contains(&at));
        assert_eq!(engine.inspect("web", "{{json .HostConfig.Links}}"), "[\"/data:/web/my-db\"]");
        // It is where it is now.
        engine.docker(&["stop", "-t", "0", "data"]).ok();
        engine.sleeper("other", &[]);
        engine.docker(&["start", "data"]).ok();
        assert_ne!(where_it_is(), at);
        let hosts = engine.shell("web", "cat /etc/hosts");
        assert!(hosts.contains(&where_it_is()) && !hosts.contains(&format!("{at}\tmy-db")), "{hosts}");

        engine.docker(&["stop", "-t", "0", "data"]).ok();
        // What it is linked to need not run for anything but a start.
        create(engine, &[], "side");
        engine.docker(&["network", "connect", "side", "web"]).ok();
        engine.docker(&["network", "disconnect", "side", "web"]).ok();
        engine.docker(&["network", "rm", "side"]).ok();
        let refused = engine.docker(&["restart", "-t", "0", "web"]);
        refused.fails(1, "Cannot link to a non running container: /data AS /web/my-db");
        engine.docker(&["rm", "--link", "/web/my-db"]).ok();
        engine.docker(&["start", "web"]).ok();
        let missing = engine.docker(&["create", "--link", "nobody", "busybox"]);
        missing.fails(1, "could not get container for nobody: No such container: nobody");

        create(engine, &[], "own");
        engine.sleeper("named", &["--network", "own", "--link", "peer:friend"]);
        engine.sleeper("peer", &["--network", "own"]);
        let told = engine.shell("named", "nslookup -type=a friend");
        assert!(told.contains(&engine.address("peer", "own")), "{told}");
        assert!(engine.shell("peer", "nslookup friend || true").contains("NXDOMAIN"), "its own");
        engine.remove(&["data", "web", "other", "named", "peer"], &["own"]);
    });
}

#[test]
fn networks_are_made_from_a_configuration() {
    with_engine(|engine| {
        create(engine, &["--config-only", "--subnet", "10.205.0.0/24", "--label", "a=b"], "plan");
        create(engine, &["--config-from", "plan"], "made");
        let format = "{{.Driver}} {{.ConfigOnly}} {{.ConfigFrom.Network}} {{(index .IPAM.Config 0).Subnet}} {{.Labels.a}}";
        let shown = engine.docker(&["network", "inspect", "--verbose", "-f", format, "plan", "made"]).ok();
        assert_eq!(shown, "null true  10.205.0.0/24 b\nbridge false plan 10.205.0.0/24 b\n");
        engine.sleeper("web", &["--network", "made"]);
        assert_eq!(engine.address("web", "made"), "10.205.0.2");
        let refused = engine.docker(&["run", "--rm", "--network", "plan", "busybox", "true"]);
        refused.fails(125, "cannot create endpoint on configuration-only network");
        engine.docker(&["network", "rm", "plan"]).fails(1, "configuration network \"plan\" is in use");
        engine.docker(&["rm", "-f", "web"]).ok();
        engine.docker(&["network", "rm", "made"]).ok();
        engine.docker(&["network", "rm", "plan"]).ok();
    });
}
