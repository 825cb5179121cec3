//! A kernel without IPv6 (`ipv6.disable=1`).

use crate::{SYSTEMD, lacks};
use tests::degraded::{has_no_ipv6, works_by_ipv4};
use tests::lan::Lan;
use tests::{Settings, with_engine_of};

#[test]
fn networks_have_ipv4_alone_and_say_so() {
    lacks("ipv6", &[SYSTEMD], "/proc/sys/net/ipv6");
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), ..Settings::default() };
    with_engine_of(settings, |engine| {
        works_by_ipv4(&lan, engine);
        has_no_ipv6(engine);
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert!(lan.away().gets_page(tests::lan::HOST[0], 8080));
    });
    lan.is_as_before();
}
