//! Hosts that lack a part of what networks are made of: what is left works, what is missing is named, and nothing stays behind.
//!
//! Here it is hidden from the daemon; the kernels of `tests/vm` truly lack it.

use tests::degraded::{
    SERVE, SLEEP, has_no_ipv6, run, warnings, warns, works_by_ipv4, works_without_a_filter,
};
use tests::lan::{AWAY, HOST, Lan};
use tests::{Lack, Settings, TestEngine, wait_until, with_private_engine};

/// As a shell says it.
const TURN_OFF: &str =
    "for which in all default; do echo 1 >/proc/sys/net/ipv6/conf/$which/disable_ipv6; done";

/// An engine on a host of the test's own, which `prepare` has changed and which lacks these things.
fn with_host(lacks: &[Lack], prepare: &str, test: impl FnOnce(&Lan, &TestEngine)) {
    let lan = Lan::new();
    lan.host().run(&["sh", "-ec", prepare]).ok();
    let settings = Settings { network: Some(lan.host().pid()), lacks: lacks.to_vec(), ..Settings::default() };
    with_private_engine(settings, |engine| test(&lan, engine));
    lan.is_as_before();
}

#[test]
fn a_host_that_turned_ipv6_off_has_it_where_it_is_asked_for() {
    with_host(&[], TURN_OFF, |lan, engine| {
        works_by_ipv4(lan, engine);
        assert!(warns(engine, "IPv6 is turned off on this host (net.ipv6.conf.all.disable_ipv6)"));
        assert_eq!(engine.docker(&["exec", "near", "cat", "/proc/net/if_inet6"]).ok().lines().count(), 1);

        engine.docker(&["network", "create", "--ipv6", "both"]).ok();
        run(engine, "six", &["--network", "both"], &SLEEP);
        let pings_by_six = || {
            engine
                .docker(&["run", "--rm", "--network", "both", "busybox", "ping", "-6", "-c", "1", "six"])
                .ok();
        };
        pings_by_six();
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        pings_by_six();
        assert_eq!(lan.host().run(&["cat", "/proc/sys/net/ipv6/conf/all/disable_ipv6"]).line(), "1");
        engine.docker(&["rm", "-f", "six"]).ok();
        engine.docker(&["network", "rm", "both"]).ok();
    });
}

#[test]
fn a_kernel_without_ipv6_has_networks_without_it_and_says_so() {
    with_host(&[Lack::Ipv6], "true", |lan, engine| {
        works_by_ipv4(lan, engine);
        has_no_ipv6(engine);
    });
}

#[test]
fn networks_that_were_made_with_ipv6_do_without_until_a_kernel_has_it() {
    with_host(&[], "true", |_, engine| {
        let inspect = |network: &str| {
            engine
                .docker(&["network", "inspect", "-f", "{{.EnableIPv6}} {{len .IPAM.Config}}", network])
                .line()
        };
        engine.docker(&["network", "create", "both"]).ok();
        engine.docker(&["network", "create", "--ipv6", "--ipv4=false", "only"]).ok();
        let ping = |network: &str, option: &str| {
            run(engine, "one", &["--network", network], &SLEEP);
            let ping = ["run", "--rm", "--network", network, "busybox", "ping", option, "-c", "1", "one"];
            engine.docker(&ping).ok();
            engine.docker(&["rm", "-f", "one"]).ok();
        };
        ping("both", "-6");
        engine.kill_daemon();
        engine.restart_daemon_without(&[Lack::Ipv6]);
        assert_eq!((inspect("both"), inspect("only")), ("false 1".to_owned(), "false 0".to_owned()));
        ping("both", "-4");
        let run_on_only = ["run", "--rm", "--network", "only", "busybox", "true"];
        engine.docker(&run_on_only).fails(125, "the network only can't have IPv6: this kernel has none");
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!((inspect("both"), inspect("only")), ("true 2".to_owned(), "true 1".to_owned()));
        ping("both", "-6");
        ping("only", "-6");
    });
}

/// As hosts are that nobody has told otherwise.
const NO_FORWARDING: &str = "echo 0 >/proc/sys/net/ipv4/ip_forward";
const NO_NFT: &str = "the program nft is not installed (package nftables)";

#[test]
fn a_kernel_without_nftables_runs_containers_that_keep_to_themselves() {
    with_host(&[Lack::NfTables], NO_FORWARDING, |lan, engine| {
        works_without_a_filter(lan, engine, "this kernel has no nftables: its module nf_tables is missing");
    });
}

#[test]
fn without_the_program_nft_the_same_until_it_is_installed() {
    with_host(&[Lack::Nft], NO_FORWARDING, |lan, engine| {
        works_without_a_filter(lan, engine, NO_NFT);
        let pid = engine.daemon_pid().to_string();
        let install = "umount $(cut -d ' ' -f 5 /proc/self/mountinfo | grep '/nft$')";
        lan.host().run(&["nsenter", "--target", &pid, "--mount", "sh", "-ec", install]).ok();
        run(engine, "web", &["-p", "8080:80"], &SERVE);
        wait_until("the port is reached", || lan.away().gets_page(HOST[0], 8080));
        assert!(!warns(engine, "containers do not reach the world"), "{}", warnings(engine));
        engine.docker(&["run", "--rm", "busybox", "ping", "-c", "1", "-W", "2", AWAY[0]]).ok();
    });
}

#[test]
fn a_host_that_forwards_without_a_filter_says_that_networks_are_not_kept_apart() {
    with_host(&[Lack::Nft], "echo 1 >/proc/sys/net/ipv4/ip_forward", |_, engine| {
        engine.docker(&["run", "--rm", "busybox", "true"]).ok();
        assert!(
            warns(engine, "networks are not kept apart: this host forwards packets"),
            "{}",
            warnings(engine)
        );
    });
}

#[test]
fn a_daemon_that_finds_no_nft_keeps_the_ports_of_the_one_before() {
    with_host(&[], "true", |lan, engine| {
        run(engine, "web", &["-p", "8080:80"], &SERVE);
        wait_until("the port is reached", || lan.away().gets_page(HOST[0], 8080));
        engine.kill_daemon();
        engine.restart_daemon_without(&[Lack::Nft]);
        let unchanged = "no network can be added to the packet filter, which is as it was the last time: ";
        wait_until("it is said", || warns(engine, &format!("{unchanged}{NO_NFT}")));
        wait_until("the port is reached still", || lan.away().gets_page(HOST[0], 8080));
        engine.docker(&["rm", "-f", "web"]).ok();
        assert!(!lan.away().gets_page(HOST[0], 8080));
        // Else nobody could take the table away in the end.
        engine.kill_daemon();
        engine.restart_daemon(&[]);
    });
}
