//! A kernel that has no module nf_tables, and so nobody who filters packets for `nft`. The sockets that lead to filters are there.

use crate::{SYSTEMD, lacks};
use std::process::Command;
use tests::degraded::works_without_a_filter;
use tests::lan::Lan;
use tests::{Run, Settings, with_engine_of};

#[test]
fn containers_run_and_keep_to_themselves() {
    lacks("nftables", &[SYSTEMD, "/usr/sbin/nft"], "/sys/module/nf_tables");
    let modprobe = Run::of(Command::new("modprobe").arg("nf_tables"));
    assert_ne!(modprobe.code, 0, "{modprobe:?}");
    let lan = Lan::new();
    lan.host().run(&["sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward"]).ok();
    let settings = Settings { network: Some(lan.host().pid()), ..Settings::default() };
    with_engine_of(settings, |engine| {
        let cause = "this kernel has no nftables: its module nf_tables is missing";
        works_without_a_filter(&lan, engine, cause);
    });
    lan.is_as_before();
}
