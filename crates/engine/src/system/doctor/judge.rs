//! What follows from the facts.

use super::gather::{Facts, Limit, Place};
use super::{Line, Verdict};

/// Before this no release of the engine was made: seconds since 1970 at the beginning of 2025.
const FIRST_RELEASE: i64 = 1_735_689_600;
const DAY: i64 = 24 * 3600;
/// Since then the kernel has what layers are mounted with (`fsopen`).
const OLDEST_KERNEL: (u32, u32) = (5, 4);
const GIB: u64 = 1 << 30;

/// A line a subject.
pub(super) fn judge(facts: &Facts) -> Vec<Line> {
    let mut lines = vec![user(facts), kernel(facts), shim(facts), cgroups(facts)];
    lines.extend([root(&facts.place), space(&facts.place), devices(facts), filter(facts), nft(facts)]);
    lines.extend([forwarding(facts), bridge_filter(facts), ipv6(facts), user_namespaces(facts)]);
    lines.extend([seccomp(facts), confinement(facts), limits(&facts.limits), files(facts), clock(facts)]);
    lines.push(others(facts));
    lines
}

fn ok(subject: &'static str, finding: impl Into<String>) -> Line {
    Line { subject, verdict: Verdict::Ok, finding: finding.into(), next: None }
}

fn degraded(subject: &'static str, finding: impl Into<String>, next: impl Into<String>) -> Line {
    Line { subject, verdict: Verdict::Degraded, finding: finding.into(), next: Some(next.into()) }
}

fn broken(subject: &'static str, finding: impl Into<String>, next: impl Into<String>) -> Line {
    Line { subject, verdict: Verdict::Broken, finding: finding.into(), next: Some(next.into()) }
}

fn user(facts: &Facts) -> Line {
    if facts.root_user {
        return ok("user", "root");
    }
    let why = "not root: the daemon makes mounts, namespaces and devices, and so do some of the checks here";
    broken("user", why, "run this as root")
}

fn kernel(facts: &Facts) -> Line {
    let release = &facts.host.kernel_release;
    if facts.host.kernel < OLDEST_KERNEL {
        let (major, minor) = OLDEST_KERNEL;
        return broken("kernel", format!("{release} is older than {major}.{minor}"), "install a newer one");
    }
    ok("kernel", format!("{release} on {}, {}", facts.host.machine, facts.host.os))
}

fn shim(facts: &Facts) -> Line {
    match &facts.shim {
        Ok(path) => ok("shim", path.display().to_string()),
        Err(why) => broken("shim", format!("no container can be started: {why}"), "install it"),
    }
}

fn cgroups(facts: &Facts) -> Line {
    let (version, missing) = match &facts.cgroups {
        Ok(found) => found,
        Err(why) => {
            let next = "mount them, as 'mount -t cgroup2 none /sys/fs/cgroup' does";
            return broken("cgroups", format!("there are none: {why}"), next);
        }
    };
    if missing.is_empty() {
        let driver = if facts.systemd && *version == 2 { "systemd" } else { "cgroupfs" };
        return ok("cgroups", format!("version {version}, made by {driver}"));
    }
    let finding = format!("version {version}; these limits do not work: {}", missing.join(", "));
    let next = "start the kernel with the controllers, as with cgroup_enable=memory swapaccount=1";
    degraded("cgroups", finding, next)
}

fn root(place: &Place) -> Line {
    let directory = place.directory.display();
    match &place.overlay {
        None => ok("root directory", format!("{directory} is on {}, which carries overlays", place.kind)),
        Some(why) => {
            let finding = format!("no container can have layers on {directory} ({}): {why}", place.kind);
            let next = "put runtime.root_dir on ext4, or on XFS made with ftype=1; load the module overlay";
            broken("root directory", finding, next)
        }
    }
}

fn space(place: &Place) -> Line {
    let next = "free some, with 'container-runtime system prune', or set storage.gc.images";
    let gib = place.free_bytes / GIB;
    let files = place.free_files.map_or_else(String::new, |files| format!(", {files} % of the inodes"));
    let finding = format!("{gib} GiB{files} are free for {}", place.directory.display());
    let (bytes, files) = (place.free_percent.unwrap_or(100), place.free_files.unwrap_or(100));
    if place.free_bytes < GIB / 8 || files == 0 {
        return broken("space", format!("{finding}: next to nothing can be written"), next);
    }
    if bytes < 5 || gib < 1 || files < 5 {
        return degraded("space", format!("{finding}: pulls may fail"), next);
    }
    ok("space", finding)
}

fn devices(facts: &Facts) -> Line {
    match &facts.devices {
        None => ok("devices", "bridges and veth pairs can be made"),
        Some(why) => {
            let finding = format!("containers have the networks host and none only: {why}");
            degraded("devices", finding, "load the modules bridge and veth")
        }
    }
}

fn filter(facts: &Facts) -> Line {
    match &facts.nf_tables {
        None => ok("packet filter", "the kernel has nftables"),
        Some(why) => {
            let finding = format!("containers do not reach the world, and no port can be published: {why}");
            degraded("packet filter", finding, "load the module nf_tables, or use a kernel that has it")
        }
    }
}

fn nft(facts: &Facts) -> Line {
    match &facts.nft {
        Ok(version) => ok("nft", version),
        Err(why) => {
            let finding = format!("containers do not reach the world, and no port can be published: {why}");
            degraded("nft", finding, "install nftables")
        }
    }
}

fn forwarding(facts: &Facts) -> Line {
    match facts.forwarding.as_deref() {
        Some("1") => ok("forwarding", "net.ipv4.ip_forward is on"),
        Some(_) => ok("forwarding", "net.ipv4.ip_forward is off; the daemon turns it on at its start"),
        None => {
            let finding = "containers reach this host only: net.ipv4.ip_forward can't be read";
            degraded("forwarding", finding, "mount /proc")
        }
    }
}

fn bridge_filter(facts: &Facts) -> Line {
    if facts.bridged_to_iptables && !facts.shut.is_empty() {
        let finding = format!(
            "what containers of one network say to each other passes the rules for forwarded packets too, of which {} drops what it does not know",
            facts.shut.join(" and ")
        );
        let next = "set net.bridge.bridge-nf-call-iptables to 0, unless another engine needs it";
        return degraded("bridge filter", finding, next);
    }
    ok("bridge filter", if facts.bridged_to_iptables { "on (br_netfilter)" } else { "off (br_netfilter)" })
}

fn ipv6(facts: &Facts) -> Line {
    match &facts.ipv6 {
        None => ok("IPv6", "on"),
        Some(missed) => degraded("IPv6", missed, "turn it on, if containers are to have it"),
    }
}

fn user_namespaces(facts: &Facts) -> Line {
    match facts.user_namespaces {
        Some(1..) => ok("user namespaces", "can be made"),
        _ => {
            let finding =
                "containers can't have ids of their own (userns-remap): the kernel makes no user namespaces";
            degraded("user namespaces", finding, "raise user.max_user_namespaces")
        }
    }
}

fn seccomp(facts: &Facts) -> Line {
    if facts.host.seccomp {
        return ok("seccomp", "the kernel filters system calls");
    }
    let finding = "containers may make every system call: the kernel does not filter them";
    degraded("seccomp", finding, "use a kernel with CONFIG_SECCOMP_FILTER")
}

fn confinement(facts: &Facts) -> Line {
    match (facts.host.apparmor, facts.host.selinux) {
        (_, true) => {
            let finding =
                "SELinux is on; the engine gives files and processes no labels of their own (:z, :Z)";
            degraded("confinement", finding, "label what containers are to reach by hand, with chcon")
        }
        (true, false) => ok("confinement", "AppArmor is on"),
        (false, false) => ok(
            "confinement",
            "neither AppArmor nor SELinux; namespaces, capabilities and seccomp are what there is",
        ),
    }
}

fn limits(limits: &[Limit]) -> Line {
    let low = |limit: &&Limit| limit.value.is_some_and(|value| value < limit.least);
    let low: Vec<&Limit> = limits.iter().filter(low).collect();
    if low.is_empty() {
        return ok("limits", "the kernel's numbers of files, processes, watches and keys are large enough");
    }
    let tell = |limit: &&Limit| {
        let (name, value) = (limit.parameter.replace('/', "."), limit.value.unwrap_or_default());
        format!("{} ({name} is {value})", limit.suffers)
    };
    let set = |limit: &&Limit| format!("sysctl -w {}={}", limit.parameter.replace('/', "."), limit.least);
    let finding: Vec<String> = low.iter().map(tell).collect();
    let next: Vec<String> = low.iter().map(set).collect();
    degraded("limits", finding.join("; "), next.join("; "))
}

fn files(facts: &Facts) -> Line {
    const LEAST: u64 = 4096;
    if facts.files >= LEAST {
        return ok("open files", format!("a process may have {} (of this shell)", facts.files));
    }
    let finding =
        format!("a daemon started here could hold few containers: {} open files at most", facts.files);
    degraded("open files", finding, "raise it, with 'ulimit -Hn 1048576' or LimitNOFILE of the unit")
}

fn clock(facts: &Facts) -> Line {
    let (now, program) = facts.clock;
    let next = "set the clock, or let a time service do so";
    if now < FIRST_RELEASE {
        let finding = "the clock is years behind: registries' certificates are not valid yet by it";
        return broken("clock", finding, next);
    }
    if now + DAY < program {
        let days = (program - now) / DAY;
        let finding = format!(
            "the clock is {days} days behind the engine's own program: it went back, or never was right"
        );
        return degraded("clock", finding, next);
    }
    ok("clock", "plausible")
}

fn others(facts: &Facts) -> Line {
    let passage = match facts.shut.as_slice() {
        [] => String::new(),
        shut => format!(
            "; {} drops forwarded packets that it does not know, and lets containers pass by a rule of the daemon's",
            shut.join(" and ")
        ),
    };
    let here = match facts.others.as_slice() {
        [] => "no other engine is here".to_owned(),
        others => format!("{} is here, too", others.join(", ")),
    };
    ok("other engines", here + &passage)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Facts);

    fn sound() -> Facts {
        let host = crate::Host { kernel: (6, 1), seccomp: true, ..crate::Host::default() };
        Facts {
            root_user: true,
            host,
            shim: Ok("/usr/libexec/shim".into()),
            cgroups: Ok((2, Vec::new())),
            place: Place {
                directory: "/var/lib".into(),
                kind: "extfs",
                free_bytes: 50 * GIB,
                free_percent: Some(50),
                free_files: Some(90),
                overlay: None,
            },
            systemd: true,
            devices: None,
            nf_tables: None,
            nft: Ok("nftables v1.0.6".into()),
            shut: Vec::new(),
            forwarding: Some("0".into()),
            bridged_to_iptables: false,
            ipv6: None,
            user_namespaces: Some(1000),
            limits: Vec::new(),
            files: 1 << 20,
            clock: (FIRST_RELEASE + DAY, FIRST_RELEASE),
            others: Vec::new(),
        }
    }

    /// The one line that is not in order once the facts were changed.
    #[track_caller]
    fn wrong(change: impl FnOnce(&mut Facts)) -> (&'static str, Verdict, String) {
        let clean = judge(&sound());
        assert!(clean.iter().all(|line| line.verdict == Verdict::Ok && line.next.is_none()), "{clean:?}");
        let mut facts = sound();
        change(&mut facts);
        let lines = judge(&facts);
        let mut wrong = lines.into_iter().filter(|line| line.verdict != Verdict::Ok);
        let one = wrong.next().unwrap();
        assert!(one.next.is_some() && wrong.next().is_none(), "{one:?}");
        (one.subject, one.verdict, one.finding)
    }

    #[test]
    fn each_lack_is_one_line_with_a_next_step() {
        use Verdict::{Broken, Degraded};
        let no = || Some("no".to_owned());
        let cases: [(Change, &str, Verdict); 17] = [
            (|facts| facts.root_user = false, "user", Broken),
            (|facts| facts.host.kernel = (4, 19), "kernel", Broken),
            (|facts| facts.shim = Err("no".into()), "shim", Broken),
            (|facts| facts.cgroups = Err("no".into()), "cgroups", Broken),
            (|facts| facts.cgroups = Ok((1, vec!["swap limit"])), "cgroups", Degraded),
            (|facts| facts.place.overlay = Some("no".into()), "root directory", Broken),
            (|facts| facts.place.free_bytes = 1 << 20, "space", Broken),
            (|facts| facts.place.free_files = Some(2), "space", Degraded),
            (|facts| facts.devices = Some("no".into()), "devices", Degraded),
            (|facts| facts.nf_tables = Some("no".into()), "packet filter", Degraded),
            (|facts| facts.nft = Err("no".into()), "nft", Degraded),
            (|facts| facts.forwarding = None, "forwarding", Degraded),
            (|facts| facts.user_namespaces = Some(0), "user namespaces", Degraded),
            (|facts| facts.host.seccomp = false, "seccomp", Degraded),
            (|facts| facts.host.selinux = true, "confinement", Degraded),
            (|facts| facts.files = 1024, "open files", Degraded),
            (|facts| facts.clock.0 = 0, "clock", Broken),
        ];
        for (change, subject, verdict) in cases {
            let (found, how, finding) = wrong(change);
            assert_eq!((found, how), (subject, verdict), "{finding}");
        }
        assert_eq!(wrong(|facts| facts.ipv6 = no()).0, "IPv6");
        assert_eq!(wrong(|facts| facts.clock.1 = facts.clock.0 + 2 * DAY).0, "clock");
        let limit = Limit { parameter: "vm/max_map_count", value: Some(9), least: 10, suffers: "databases" };
        let (_, _, finding) = wrong(|facts| facts.limits = vec![limit]);
        assert_eq!(finding, "databases (vm.max_map_count is 9)");
        let both = |facts: &mut Facts| {
            facts.bridged_to_iptables = true;
            facts.shut = vec!["ip filter FORWARD".into()];
        };
        assert_eq!(wrong(both).0, "bridge filter");
    }
}
