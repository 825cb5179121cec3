//! Who reaches what, with real programs: published ports by protocol, family, source and firewall; networks from each other.
//!
//! The engine's host and another one are network namespaces of the test's own, so that firewalls and forwarding are too.

use tests::lan::{AWAY, HOST, Lan};
use tests::{Run, Settings, TestEngine, wait_until, with_private_engine};

const TOOLS: &str = "nicolaka/netshoot:latest";

/// Where a packet comes from.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Away(&'a Lan),
    Host(&'a Lan),
    Container(&'a TestEngine, &'a str),
}

impl Source<'_> {
    fn run(self, program: &[&str]) -> Run {
        match self {
            Self::Away(lan) => lan.away().run(program),
            Self::Host(lan) => lan.host().run(program),
            Self::Container(engine, name) => engine.docker(&[&["exec", name], program].concat()),
        }
    }

    /// Whether curl gets nginx's page.
    fn gets(self, url: &str) -> bool {
        self.gets_within(url, "5")
    }

    /// Whether it gets none. What is dropped is waited for in vain: half a second is five hundred round trips.
    fn misses(self, url: &str) -> bool {
        !self.gets_within(url, "0.5")
    }

    fn gets_within(self, url: &str, seconds: &str) -> bool {
        let program = ["curl", "-s", "-g", "-o", "/dev/null", "-w", "%{http_code}", "-m", seconds, url];
        self.run(&program).stdout == "200"
    }

    /// Whether dig gets dnsmasq's answer.
    fn asks(self, server: &str, port: &str, how: &[&str]) -> bool {
        let server = format!("@{server}");
        let question = ["dig", "+short", "+time=1", "+tries=2", &server, "-p", port, "there.test"];
        self.run(&[&question[..], how].concat()).stdout.trim() == "192.0.2.77"
    }

    fn pings(self, address: &str) -> bool {
        self.run(&["ping", "-c", "1", "-W", "1", address]).code == 0
    }
}

fn with_lan(test: impl FnOnce(&Lan, &TestEngine)) {
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), ..Settings::default() };
    with_private_engine(settings, |engine| {
        engine.load("nginx:alpine");
        engine.load(TOOLS);
        test(&lan, engine);
    });
    lan.is_as_before();
}

fn run(engine: &TestEngine, name: &str, options: &[&str], image: &str, program: &[&str]) {
    engine.docker(&[&["run", "-d", "--name", name], options, &[image], program].concat()).ok();
}

/// A container that only looks.
fn looker(engine: &TestEngine, name: &str, network: &str) {
    run(engine, name, &["--network", network], TOOLS, &["sleep", "600"]);
}

/// `http://…`, for either family.
fn url(address: &str, port: u16) -> String {
    if address.contains(':') {
        format!("http://[{address}]:{port}/")
    } else {
        format!("http://{address}:{port}/")
    }
}

fn addresses(engine: &TestEngine, name: &str, network: &str) -> [String; 2] {
    let of = |field: &str| {
        engine.inspect(name, &format!("{{{{(index .NetworkSettings.Networks \"{network}\").{field}}}}}"))
    };
    [of("IPAddress"), of("GlobalIPv6Address")]
}

#[test]
fn published_ports_are_reached_from_everywhere_and_no_others_from_anywhere() {
    with_lan(|lan, engine| {
        engine.docker(&["network", "create", "front"]).ok();
        engine.docker(&["network", "create", "side"]).ok();
        let ports = ["-p", "8080:80", "-p", "127.0.0.1:8081:80", "-p", "198.51.100.1:8082:80"];
        run(engine, "web", &[&["--network", "front"], &ports[..]].concat(), "nginx:alpine", &[]);
        looker(engine, "near", "front");
        looker(engine, "far", "side");
        let direct = addresses(engine, "web", "front");
        let (away, host) = (Source::Away(lan), Source::Host(lan));
        let [near, far] = ["near", "far"].map(|name| Source::Container(engine, name));
        wait_until("nginx answers", || host.gets(&url(&direct[0], 80)));

        for address in HOST {
            for source in [away, host, near, far] {
                assert!(source.gets(&url(address, 8080)), "{source:?} {address}:8080");
            }
        }
        assert!(host.gets(&url("127.0.0.1", 8080)) && host.gets(&url("127.0.0.1", 8081)));
        for source in [away, near, far] {
            assert!(source.gets(&url(HOST[0], 8082)), "{source:?} 8082");
            // Published on the host's loopback alone.
            assert!(source.misses(&url(HOST[0], 8081)), "{source:?} 8081");
        }
        assert!(host.misses(&url("127.0.0.1", 8082)));
        // A neighbour by the container's own address, and by its name; nobody else.
        assert!(near.gets("http://web/") && far.gets(&url(HOST[0], 8080)) && far.misses("http://web/"));
        away.run(&["ip", "route", "add", "172.16.0.0/12", "via", HOST[0]]).ok();
        for address in &direct {
            assert!(near.gets(&url(address, 80)), "{address}");
            assert!(far.misses(&url(address, 80)) && !far.pings(address), "{address}");
            assert!(away.misses(&url(address, 80)), "{address} from another host");
        }
        // Whoever asks is seen.
        let log = engine.docker(&["logs", "web"]).ok();
        for address in AWAY {
            assert!(log.lines().any(|line| line.starts_with(address)), "{address}: {log}");
        }
        for address in HOST.into_iter().chain(AWAY) {
            assert!(near.pings(address), "{address}");
        }
    });
}

/// What nftables, iptables and a whole ruleset of a server say of who comes in.
const FIREWALLS: [(&str, &str); 3] = [
    (
        "nftables",
        "echo 'table inet filter {
            set friends { type ipv4_addr; }
            chain more { ip saddr @friends tcp dport 8080 accept; }
            chain input { type filter hook input priority 0; policy drop; iif lo accept; ct state established,related accept;
            meta l4proto { icmp, icmpv6 } accept; tcp dport 22 accept; jump more; }
            }' | nft -f -",
    ),
    (
        "iptables",
        "for i in iptables ip6tables; do $i -P INPUT DROP; $i -A INPUT -i lo -j ACCEPT;
            $i -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; $i -A INPUT -p ipv6-icmp -j ACCEPT;
            $i -A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT; $i -A INPUT -m limit --limit 3/min -j LOG; done",
    ),
    (
        "a rejecting end",
        "echo 'table inet fw { chain in { type filter hook input priority 10; iifname \"lo\" accept;
            ct state vmap { established : accept, related : accept, invalid : drop }; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
            udp dport 53 accept; log prefix \"no: \" reject with icmpx admin-prohibited; }
            }' | nft -f -",
    ),
];

#[test]
fn what_the_hosts_firewall_denies_is_not_opened_by_publishing() {
    with_lan(|lan, engine| {
        run(engine, "web", &["-p", "8080:80"], "nginx:alpine", &[]);
        looker(engine, "near", "bridge");
        let (away, host, near) = (Source::Away(lan), Source::Host(lan), Source::Container(engine, "near"));
        wait_until("nginx answers", || away.gets(&url(HOST[0], 8080)));
        for (name, rules) in FIREWALLS {
            lan.host().run(&["sh", "-c", rules]).ok();
            for address in HOST {
                wait_until(name, || away.misses(&url(address, 8080)));
                assert!(near.misses(&url(address, 8080)), "{name}: {address} from a container");
                assert!(host.gets(&url(address, 8080)), "{name}: {address} from the host itself");
            }
            assert!(host.gets(&url("127.0.0.1", 8080)), "{name}");
            assert!(near.pings(AWAY[0]) && near.pings(AWAY[1]), "{name}: out");
            if name == "nftables" {
                let friend = ["nft", "add", "element", "inet", "filter", "friends", "{ 198.51.100.2 }"];
                lan.host().run(&friend).ok();
                wait_until("a friend is let in", || away.gets(&url(HOST[0], 8080)));
                assert!(away.misses(&url(HOST[1], 8080)));
            }
            lan.host().run(&["nft", "flush", "ruleset"]).ok();
            for address in HOST {
                wait_until("without a firewall", || away.gets(&url(address, 8080)));
            }
        }
    });
}

/// Programs that keep a host's firewall: how each is started, lets a port in, and is stopped.
const KEEPERS: [(&str, [&str; 3]); 2] = [
    ("ufw", ["ufw allow 22/tcp && ufw --force enable", "ufw allow 8080/tcp", "ufw --force disable"]),
    (
        "firewalld",
        [
            "mkdir -p /run/dbus && dbus-daemon --system --fork && firewalld --nopid && until firewall-cmd --state; do sleep 0.1; done",
            "firewall-cmd --add-port=8080/tcp",
            "kill $(pidof -x firewalld)",
        ],
    ),
];

#[test]
fn ufw_and_firewalld_decide_what_comes_in_and_containers_get_out() {
    with_lan(|lan, engine| {
        engine.load("firewalls:latest");
        run(engine, "web", &["-p", "8080:80"], "nginx:alpine", &[]);
        looker(engine, "near", "bridge");
        let (away, host, near) = (Source::Away(lan), Source::Host(lan), Source::Container(engine, "near"));
        wait_until("nginx answers", || away.gets(&url(HOST[0], 8080)));
        for (name, [start, open, stop]) in KEEPERS {
            let keeper = ["--privileged", "--network", "host"];
            run(engine, name, &keeper, "firewalls:latest", &["sleep", "600"]);
            let does = |what: &str| engine.docker(&["exec", name, "sh", "-c", what]).ok();
            does(start);
            for address in HOST {
                wait_until(&format!("{name} denies {address}"), || away.misses(&url(address, 8080)));
                assert!(host.gets(&url(address, 8080)), "{name}: {address} from the host itself");
            }
            for address in AWAY {
                wait_until(&format!("{name}: out to {address}"), || near.pings(address));
            }
            does(open);
            for address in HOST {
                wait_until(&format!("{name} lets in to {address}"), || away.gets(&url(address, 8080)));
            }
            does(stop);
            lan.host().run(&["nft", "flush", "ruleset"]).ok();
            for address in HOST {
                wait_until("without a firewall", || away.gets(&url(address, 8080)));
            }
            engine.docker(&["rm", "-f", name]).ok();
        }
    });
}

#[test]
fn a_host_that_says_so_opens_what_is_published_to_all() {
    let lan = Lan::new();
    let config = "network: {bypass_firewall: true}".to_owned();
    let settings = Settings { network: Some(lan.host().pid()), config, ..Settings::default() };
    with_private_engine(settings, |engine| {
        engine.load("nginx:alpine");
        run(engine, "web", &["-p", "8080:80"], "nginx:alpine", &[]);
        lan.host().run(&["iptables", "-P", "INPUT", "DROP"]).ok();
        wait_until("nginx answers", || Source::Away(&lan).gets(&url(HOST[0], 8080)));
        lan.host().run(&["nft", "delete", "table", "ip", "filter"]).ok();
    });
    lan.is_as_before();
}

#[test]
fn datagrams_and_streams_of_one_port_go_their_ways() {
    with_lan(|lan, engine| {
        engine.docker(&["network", "create", "front"]).ok();
        let ports = ["-p", "5300:53/udp", "-p", "5300:53/tcp", "--expose", "53/udp"];
        let zone = ["dnsmasq", "-k", "--no-resolv", "--user=root", "--address=/there.test/192.0.2.77"];
        run(engine, "names", &[&["--network", "front"], &ports[..]].concat(), TOOLS, &zone);
        let speed = ["-p", "5201:5201/tcp", "-p", "5201:5201/udp"];
        run(engine, "speed", &[&["--network", "front"], &speed[..]].concat(), TOOLS, &["iperf3", "-s"]);
        looker(engine, "near", "front");
        let near = Source::Container(engine, "near");
        for source in [Source::Away(lan), Source::Host(lan), near] {
            for address in HOST {
                wait_until("dnsmasq answers", || source.asks(address, "5300", &[]));
                assert!(source.asks(address, "5300", &["+tcp"]), "{source:?} {address} tcp");
            }
        }
        assert!(near.asks("names", "53", &[]), "by its name, on its own port");
        for address in HOST {
            for protocol in [&[][..], &["-u", "-b", "20M"]] {
                let client = ["iperf3", "-c", address, "-n", "2M", "--connect-timeout", "2000"];
                let run = lan.away().run(&[&client[..], protocol].concat());
                assert!(run.code == 0 && run.stdout.contains("receiver"), "{run:?}");
            }
        }
        // A server of a user's: asked for what containers are not called.
        let server = &addresses(engine, "names", "front")[0];
        run(engine, "asks", &["--network", "front", "--dns", server], TOOLS, &["sleep", "600"]);
        assert!(Source::Container(engine, "asks").asks("127.0.0.11", "53", &[]));
    });
}

#[test]
fn containers_on_the_hosts_wire_are_hosts_of_their_own_there() {
    with_lan(|lan, engine| {
        let range = ["--subnet", "198.51.100.0/24", "--ip-range", "198.51.100.64/26", "--gateway", AWAY[0]];
        let make = ["network", "create", "-d", "macvlan", "-o", "parent=wire"];
        engine.docker(&[&make[..], &range, &["lan"]].concat()).ok();
        engine.docker(&[&make[..], &["--subnet", "198.51.100.128/25", "x"]].concat()).fails(1, "overlaps");
        // Without a wire they have each other.
        engine.docker(&["network", "create", "-d", "macvlan", "bare"]).ok();
        looker(engine, "alone", "bare");
        looker(engine, "mate", "bare");
        assert!(Source::Container(engine, "alone").pings("mate"));
        engine.docker(&["rm", "-f", "alone", "mate"]).ok();
        engine.docker(&["network", "rm", "bare"]).ok();
        let gone = ["network", "create", "-d", "macvlan", "-o", "parent=nowhere0", "gone"];
        engine.docker(&gone).fails(1, "nowhere0");
        let mode =
            ["network", "create", "-d", "macvlan", "-o", "parent=wire", "-o", "macvlan_mode=odd", "odd"];
        engine.docker(&mode).fails(1, "bridge, private, vepa or passthru");

        run(engine, "web", &["--network", "lan", "-p", "8080:80"], "nginx:alpine", &[]);
        looker(engine, "near", "lan");
        looker(engine, "far", "bridge");
        let at = &addresses(engine, "web", "lan")[0];
        assert!(at.starts_with("198.51.100."), "{at}");
        let near = Source::Container(engine, "near");
        wait_until("another host reaches it", || Source::Away(lan).gets(&url(at, 80)));
        assert!(near.gets("http://web/") && near.pings(AWAY[0]));
        assert!(Source::Host(lan).misses(&url(at, 80)), "the host is apart on its own wire");
        assert!(Source::Away(lan).misses(&url(HOST[0], 8080)), "nothing is published there");
        assert_eq!(engine.inspect("web", "{{json .NetworkSettings.Ports}}"), "{\"80/tcp\":null}");

        engine.docker(&["network", "connect", "lan", "far"]).ok();
        assert!(Source::Container(engine, "far").gets("http://web/"));
        engine.restart_daemon(&[]);
        engine.docker(&["network", "disconnect", "lan", "far"]).ok();
        assert_eq!(engine.docker(&["exec", "far", "ls", "/sys/class/net"]).ok(), "eth0\nlo\n");
        assert!(Source::Container(engine, "far").misses("http://web/"));
        // The kernel deletes a namespace's devices in its own time.
        engine.docker(&["rm", "-f", "web", "near"]).ok();
        engine.docker(&["network", "rm", "lan"]).ok();
    });
}
