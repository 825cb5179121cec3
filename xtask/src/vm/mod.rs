//! A virtual machine with a Debian kernel: cgroup v2, AppArmor, and later reboots and power cuts, on any host.
//!
//! ```text
//! cargo xtask vm -- uname -a                         a command, in a small root with busybox
//! cargo xtask vm --put ./file:/srv/file -- ls /srv   with files of the host's
//! cargo xtask vm --systemd -- systemctl status       a small Debian with systemd instead
//! cargo xtask vm --tests lifecycle:: limits::        end-to-end tests, with the built programs
//! cargo xtask vm --power-cuts 50                     the store after so many power cuts
//! cargo xtask vm --systemd --tests scopes::          with systemd's, and those that only such a machine can run
//! cargo xtask vm --systemd --without ipv6 --tests    those for a machine that lacks something
//! ```
//!
//! The kernel and, where the host has none, QEMU come from Debian's packages, fetched by apt into a cache and unpacked
//! there; nothing is installed. The root is an ext4 image made anew each time. The command's output comes over a
//! serial line of its own, its exit code over another; the kernel's messages go to a file.

mod busybox;
mod initrd;
mod machine;
mod packages;
mod power;
mod report;
mod root;
mod systemd;
mod tests;

use anyhow::{Context as _, Result};
use machine::Machine;
use root::{Init, Root};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// MiB
    #[arg(long, default_value_t = 2048)]
    memory: u32,
    /// Processors
    #[arg(long, default_value_t = 2)]
    cpus: u32,
    /// Seconds after which the machine is switched off
    #[arg(long, default_value_t = 900)]
    timeout: u64,
    /// Further words of the kernel's command line
    #[arg(long, default_value = "")]
    append: String,
    /// Copy a file or directory into the machine; programs with the libraries that they need
    #[arg(long, value_name = "HOST[:GUEST]")]
    put: Vec<String>,
    /// Boot a small Debian with systemd
    #[arg(long)]
    systemd: bool,
    /// Leave something out of the machine that an engine would use
    #[arg(long, value_enum)]
    without: Vec<Without>,
    /// A file that keeps /var/lib/container-runtime from one machine to the next; made if missing
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Build the engine and run its end-to-end tests whose names hold one of these
    #[arg(long, value_name = "FILTER", num_args = 0.., conflicts_with = "command")]
    tests: Option<Vec<String>>,
    /// Cut the power so many times while images come and go, and look at the store after each
    #[arg(long, value_name = "ROUNDS", conflicts_with_all = ["command", "tests", "systemd", "data", "put", "without"])]
    power_cuts: Option<u32>,
    /// Of the moments and deeds of --power-cuts; none: a new one, which is printed
    #[arg(long, requires = "power_cuts")]
    seed: Option<u64>,
    /// Milliseconds from the first deed to the latest moment of a cut
    #[arg(long, default_value_t = 10_000, requires = "power_cuts")]
    within: u64,
    /// What to run as root, by a shell if it is one word; none: the built programs' versions
    #[arg(last = true)]
    command: Vec<String>,
}

/// What a machine may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Without {
    /// The kernel's IPv6
    Ipv6,
    /// The kernel's packet filter
    Nftables,
}

impl Without {
    const ALL: [Self; 2] = [Self::Ipv6, Self::Nftables];

    /// The module of `tests/vm` that is for machines without it.
    fn tests(self) -> &'static str {
        match self {
            Self::Ipv6 => "without_ipv6::",
            Self::Nftables => "without_nftables::",
        }
    }

    /// Words of the kernel's command line.
    fn append(self) -> &'static str {
        match self {
            Self::Ipv6 => "ipv6.disable=1",
            Self::Nftables => "",
        }
    }

    /// Modules that are not there.
    fn modules(self) -> &'static [&'static str] {
        match self {
            Self::Ipv6 => &[],
            Self::Nftables => &["nf_tables"],
        }
    }
}

/// Boots the machine, runs the command, and returns its exit code.
pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    let cache = crate::cache()?.join("vm");
    let kernel = packages::kernel(&cache)?;
    let qemu = packages::qemu(&cache)?;
    let work = tempdir(&cache)?;
    if let Some(rounds) = arguments.power_cuts {
        return power::run(arguments, rounds, &kernel, &qemu, &work.0);
    }
    let init = if arguments.systemd { Init::Systemd } else { Init::Busybox };
    let root = Root::new(&work.0, &cache, &kernel, init)?;
    for module in arguments.without.iter().flat_map(|without| without.modules()) {
        root.remove_module(&kernel, module)?;
    }
    for put in &arguments.put {
        let (from, to) = put.split_once(':').unwrap_or((put, put));
        root.put(from.as_ref(), to)?;
    }
    let command = match &arguments.tests {
        Some(filters) => tests::prepare(&root, init, filters, &arguments.without)?,
        None => shell_words(&arguments.command),
    };
    let machine = Machine {
        memory: arguments.memory,
        cpus: arguments.cpus,
        append: append(arguments),
        root: root.image(&command)?,
        data: arguments.data.clone(),
        drives: Vec::new(),
        again: false,
        initrd: initrd::build(&work.0, &kernel)?,
        kernel: kernel.image.clone(),
        work: work.0.clone(),
    };
    let (code, said) = machine.run(&qemu, std::time::Duration::from_secs(arguments.timeout))?;
    if arguments.tests.is_some() {
        println!("{}", report::Report::read(&said));
    }
    Ok(code)
}

fn append(arguments: &Arguments) -> String {
    let without = arguments.without.iter().map(|without| without.append());
    let words: Vec<&str> =
        without.chain([arguments.append.as_str()]).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// One word is a script; several are a program and its arguments.
fn shell_words(words: &[String]) -> String {
    match words {
        [] => "uname -a; cat /sys/fs/cgroup/cgroup.controllers".to_owned(),
        [script] => script.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A directory that goes when it is dropped.
struct TempDirectory(PathBuf);

impl Drop for TempDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tempdir(cache: &std::path::Path) -> Result<TempDirectory> {
    let path = cache.join(format!("run.{}", std::process::id()));
    std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
    Ok(TempDirectory(path))
}
