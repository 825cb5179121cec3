//! `runtime`: directories, runtimes and what every container gets.

use crate::Key;
use crate::Kind::{Bool, Choice, List, Number, Path, Program, Seconds, Text};

pub(super) const KEYS: [Key; 16] = [
    Key::new("runtime.root_dir", Path, "Directory of what must survive a reboot: records, volumes, and images unless `storage.root` says otherwise."),
    Key::new("runtime.state_dir", Path, "Directory of what need not: sockets, bundles, namespaces."),
    Key::new("runtime.max_containers", Number(0, u64::MAX), "Most containers that may exist at once, running or not; 0: no limit. Not lower than how many there are.").now(),
    Key::new("runtime.default_runtime", Text, "Runtime of containers that name none: `libcontainer`, `runc`, `crun`, one of `runtime.runtimes`, or a containerd shim such as `io.containerd.runc.v2`.").new_ones("containers"),
    Key::new("runtime.runtimes.*.path", Program, "Program of a further runtime, with the OCI command line.").or("the runtime's name, looked for in `PATH`"),
    Key::new("runtime.runtimes.*.args", List(&Text), "Global arguments of that program."),
    Key::new("runtime.runtimes.*.shim", Text, "A containerd shim in the place of a program: `io.containerd.runc.v2`, or an absolute path.").or("it is a program"),
    Key::new("runtime.autostart", Bool, "Whether a command that finds no daemon starts one.").now(),
    Key::new("runtime.idle_shims", Number(0, 1000), "Shims started ahead of need."),
    Key::new("runtime.cgroup_driver", Choice(&["auto", "cgroupfs", "systemd"]), "Who makes cgroups; `auto`: systemd where it is the init of a host with cgroup v2, else the engine itself."),
    Key::new("runtime.cgroup_parent", Text, "Cgroup, or with systemd the slice, below which containers get theirs."),
    Key::new("runtime.init_path", Path, "Program for `--init`.").or("the engine's own").new_ones("starts of containers"),
    Key::new("runtime.no_new_privileges", Bool, "Forbid every container to gain privileges by exec.").new_ones("containers"),
    Key::new("runtime.userns_remap", Text, "`user[:group]`, or `default`, whose subordinate ids containers run as.").or("containers have the host's ids"),
    Key::new("runtime.repair_interval", Seconds(0), "Seconds between two comparisons of what is recorded with the kernel and the disk, which mend what is safe to be mended; 0: none.").now(),
    Key::new("runtime.labels", List(&Text), "Labels of this engine, as `key=value`; `info` shows them.").now(),
];
