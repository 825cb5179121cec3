//! QEMU: one machine from its start to its end.

use super::packages::Qemu;
use super::root;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A machine that is not switched on yet.
pub(super) struct Machine {
    pub(super) memory: u32,
    pub(super) cpus: u32,
    pub(super) append: String,
    pub(super) kernel: PathBuf,
    pub(super) initrd: PathBuf,
    pub(super) root: PathBuf,
    pub(super) data: Option<PathBuf>,
    /// Further disks, as QEMU's `-drive` has them.
    pub(super) drives: Vec<String>,
    /// The same root boots again: what is written to it goes with the machine.
    pub(super) again: bool,
    /// For the files of this run.
    pub(super) work: PathBuf,
}

impl Machine {
    /// Runs it until its command is done, passes its output on, and returns that and its exit code.
    pub(super) fn run(&self, qemu: &Qemu, limit: Duration) -> Result<(u8, String)> {
        if let Some(data) = self.data.as_deref().filter(|data| !data.exists()) {
            root::make_disk(data, 8192, None)?;
        }
        let mut running = self.start(qemu, Stdio::null())?;
        let serial = running.stdout.take().context("QEMU has an output")?;
        let said = std::thread::spawn(move || pass_on(serial));
        let end = Instant::now() + limit;
        while running.try_wait()?.is_none() {
            if Instant::now() > end {
                running.kill()?;
                running.wait()?;
                bail!("switched off after {} s; its console ends:\n{}", limit.as_secs(), self.console());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let code = fs::read_to_string(self.work.join("exit")).unwrap_or_default();
        let code = code.trim().parse().ok().with_context(|| {
            format!("the machine ended before its command did; its console ends:\n{}", self.console())
        })?;
        Ok((code, said.join().unwrap_or_default()))
    }

    /// Switches it on; its input and output are the guest's second serial line.
    pub(super) fn start(&self, qemu: &Qemu, input: Stdio) -> Result<Child> {
        let mut command = self.command(qemu);
        command.stdin(input).stdout(Stdio::piped());
        command.spawn().context("start QEMU")
    }

    fn command(&self, qemu: &Qemu) -> Command {
        let mut command = qemu.command();
        let (memory, cpus) = (self.memory.to_string(), self.cpus.to_string());
        command.args([
            "-machine",
            "q35",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "max",
            "-m",
            &memory,
            "-smp",
            &cpus,
        ]);
        command.args(["-nodefaults", "-display", "none", "-no-reboot", "-device", "virtio-rng-pci"]);
        command.arg("-kernel").arg(&self.kernel).arg("-initrd").arg(&self.initrd);
        command.arg("-append").arg(format!("console=ttyS0 panic=-1 quiet {}", self.append));
        command.arg("-serial").arg(format!("file:{}", self.work.join("console").display()));
        command
            .args(["-serial", "stdio", "-serial"])
            .arg(format!("file:{}", self.work.join("exit").display()));
        // The root is thrown away afterwards, so nothing has to reach the disk; data has, in the order given.
        let snapshot = if self.again { "on" } else { "off" };
        let root = self.root.display();
        command
            .arg("-drive")
            .arg(format!("file={root},format=raw,if=virtio,cache=unsafe,snapshot={snapshot}"));
        if let Some(data) = &self.data {
            command
                .arg("-drive")
                .arg(format!("file={},format=raw,if=virtio,cache=writethrough", data.display()));
        }
        self.drives.iter().for_each(|drive| {
            command.arg("-drive").arg(drive);
        });
        command
    }

    /// The last the kernel said.
    pub(super) fn console(&self) -> String {
        let text = fs::read(self.work.join("console")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

/// Copies what comes to our own output until it ends, and returns it all.
fn pass_on(mut from: impl Read) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let mut out = std::io::stdout();
        // Nobody may be there to read it, and the command goes on all the same.
        let _ = out.write_all(&buffer[..length]).and_then(|()| out.flush());
        all.extend(&buffer[..length]);
    }
    String::from_utf8_lossy(&all).into_owned()
}
