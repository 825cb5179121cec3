//! Published ports of SCTP, which few kernels have as a module at hand.

use crate::{SYSTEMD, needs};
use tests::degraded::run;
use tests::lan::{HOST, Host, Lan};
use tests::{Settings, wait_until, with_engine_of};

/// The machine's own programs, in a container.
const SOCAT: [&str; 4] = ["busybox", "chroot", "/machine", "socat"];

/// Whether it gets what is served at a port of SCTP.
fn gets(host: &Host, address: &str, port: u16) -> bool {
    let target = if address.contains(':') {
        format!("SCTP6-CONNECT:[{address}]:{port}")
    } else {
        format!("SCTP4-CONNECT:{address}:{port}")
    };
    host.run(&["timeout", "3", "socat", "-u", &target, "STDOUT"]).stdout == "page\n"
}

#[test]
fn ports_of_sctp_lead_to_containers() {
    needs(&[SYSTEMD, "/usr/bin/socat"]);
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), ..Settings::default() };
    with_engine_of(settings, |engine| {
        let options = ["-v", "/:/machine:ro", "-p", "9000:9000/sctp", "-p", "127.0.0.1:9001:9000/sctp"];
        for (name, listen) in
            [("four", "SCTP4-LISTEN:9000,fork"), ("six", "SCTP6-LISTEN:9000,fork,ipv6only=1")]
        {
            run(engine, name, &options, &[&SOCAT[..], &["-U", listen, "EXEC:'/bin/echo page'"]].concat());
            let addresses = HOST.iter().filter(|address| address.contains(':') == (name == "six"));
            for address in addresses {
                wait_until("another host", || gets(lan.away(), address, 9000));
                wait_until("the host itself", || gets(lan.host(), address, 9000));
            }
            if name == "four" {
                wait_until("by loopback", || gets(lan.host(), "127.0.0.1", 9000));
                wait_until("by loopback alone", || gets(lan.host(), "127.0.0.1", 9001));
                assert!(!gets(lan.away(), HOST[0], 9001));
                assert_eq!(
                    engine.docker(&["port", "four", "9000/sctp"]).ok(),
                    "0.0.0.0:9000\n127.0.0.1:9001\n[::]:9000\n"
                );
            }
            let taken = ["run", "--rm", "-p", "9000:9000/sctp", "busybox", "true"];
            engine.docker(&taken).fails(125, &format!("allocated by container {name}"));
            engine.docker(&["rm", "-f", name]).ok();
        }
        assert!(!gets(lan.away(), HOST[0], 9000));
    });
    lan.is_as_before();
}
