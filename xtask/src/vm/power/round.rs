//! One machine between two cuts: what it says, what it is told to do, and its end.

use super::disk::Disk;
use super::model::Model;
use super::plan::{self, Deed};
use super::tally::Tally;
use crate::vm::machine::Machine;
use crate::vm::packages::Qemu;
use crate::vm::quoted;
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// For a boot and a look at everything, with an emulated processor.
const LIMIT: Duration = Duration::from_secs(240);
/// Where on their disk the deeds begin, and how long it is.
const DEEDS: (u64, u64) = (1 << 20, 2 << 20);

/// What the guest found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Ids of images by name.
    pub(super) names: BTreeMap<String, String>,
    /// Digests of files by the image's id.
    pub(super) contents: BTreeMap<String, String>,
    /// Digests of files by the name in the registry, as the model has it.
    pub(super) pushed: BTreeMap<String, String>,
    pub(super) faults: Vec<String>,
    /// Whether the check had something to repair.
    pub(super) repaired: bool,
    pub(super) took: Duration,
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, images, pushed) = (self.names.len(), self.contents.len(), self.pushed.len());
        let took = self.took.as_secs_f32();
        write!(f, "{names} names, {images} images, {pushed} pushed sound after {took:.1} s")
    }
}

/// A machine that is on.
pub(super) struct Round<'scope> {
    qemu: Child,
    lines: Receiver<String>,
    serving: ScopedJoinHandle<'scope, Result<()>>,
    work: PathBuf,
    begun: Instant,
    /// Actor and number of what goes on.
    going_on: BTreeSet<(usize, usize)>,
    /// How many deeds were answered.
    pub(super) acknowledged: usize,
}

/// The two disks beside the root: the one with the store, and the one that tells what to do.
pub(super) fn drives(work: &Path) -> Result<Vec<String>> {
    File::create(deeds(work))?.set_len(DEEDS.1)?;
    Ok(vec![
        format!("file=nbd:unix:{},format=raw,if=virtio,cache=writeback", socket(work).display()),
        format!("file={},format=raw,if=virtio,readonly=on", deeds(work).display()),
    ])
}

fn socket(work: &Path) -> PathBuf {
    work.join("disk.sock")
}

fn deeds(work: &Path) -> PathBuf {
    work.join("deeds.img")
}

impl<'scope> Round<'scope> {
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        machine: &Machine,
        qemu: &Qemu,
        disk: &'scope mut Disk,
    ) -> Result<Self> {
        let socket = socket(&machine.work);
        let _ = fs::remove_file(&socket);
        let listener =
            UnixListener::bind(&socket).with_context(|| format!("listen on {}", socket.display()))?;
        let mut qemu = machine.start(qemu, Stdio::piped())?;
        let serving = scope.spawn(move || disk.serve(&listener));
        let serial = qemu.stdout.take().context("QEMU has an output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            whole_lines(serial, |line| {
                // Nobody listens any more when the machine is off.
                let _ = sender.send(line);
            });
        });
        let work = machine.work.clone();
        Ok(Self {
            qemu,
            lines,
            serving,
            work,
            begun: Instant::now(),
            going_on: BTreeSet::new(),
            acknowledged: 0,
        })
    }

    /// Listens until the store was looked at.
    pub(super) fn look(&self) -> Looked {
        let mut looked = Looked::default();
        loop {
            let left = LIMIT.saturating_sub(self.begun.elapsed());
            let Ok(line) = self.lines.recv_timeout(left) else {
                looked.faults.push(format!("the machine did not come up within {} s", LIMIT.as_secs()));
                return looked;
            };
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["name", name, id] => drop(looked.names.insert(name.to_owned(), id.to_owned())),
                ["content", id, digest] => drop(looked.contents.insert(id.to_owned(), digest.to_owned())),
                ["pushed", name, digest] => drop(looked.pushed.insert(plan::pushed(name), digest.to_owned())),
                ["ready"] => break,
                ["repaired", ..] => {
                    println!("{line}");
                    looked.repaired = true;
                }
                ["fault", ..] => looked.faults.push(line),
                _ => println!("{line}"),
            }
        }
        looked.took = self.begun.elapsed();
        looked
    }

    /// Tells every actor what to do, and off they go.
    pub(super) fn send(&mut self, plan: &[Vec<Deed>]) -> Result<()> {
        let mut script = String::new();
        for (actor, deeds) in plan.iter().enumerate() {
            let line =
                |(number, deed): (usize, &Deed)| format!("deed {actor} {number} {}\n", quoted(&deed.script));
            let deeds: String = deeds.iter().enumerate().map(line).collect();
            script.push_str(&format!("(\n{deeds}) &\n"));
        }
        let room = usize::try_from(DEEDS.1 - DEEDS.0)?;
        if script.len() > room {
            bail!("{} bytes of deeds do not fit {room}", script.len());
        }
        let mut bytes = script.into_bytes();
        bytes.resize(room, 0);
        File::options().write(true).open(deeds(&self.work))?.write_all_at(&bytes, DEEDS.0)?;
        self.qemu.stdin.as_mut().context("QEMU has an input")?.write_all(b"go\n")?;
        Ok(())
    }

    /// Notes what begins and what is answered, and cuts the power when the moment has passed since the first line that begins
    /// with `from`. Answers what went wrong.
    pub(super) fn watch(
        &mut self,
        from: &str,
        moment: Duration,
        plan: &[Vec<Deed>],
        model: &mut Model,
        tally: &mut Tally,
    ) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let mut end = None;
        loop {
            let until = end.unwrap_or(self.begun + LIMIT);
            let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) else {
                break;
            };
            if line.starts_with(from) {
                end.get_or_insert_with(|| Instant::now() + moment);
            }
            wrong.extend(self.note(&line, plan, model, tally));
        }
        self.qemu.kill()?;
        // What it said before.
        while let Ok(line) = self.lines.recv() {
            wrong.extend(self.note(&line, plan, model, tally));
        }
        self.going_on.iter().for_each(|(actor, number)| tally.cut(plan[*actor][*number].verb));
        Ok(wrong)
    }

    /// Answers what is no deed's beginning or end.
    fn note(
        &mut self,
        line: &str,
        plan: &[Vec<Deed>],
        model: &mut Model,
        tally: &mut Tally,
    ) -> Option<String> {
        let words: Vec<_> = line.split(' ').collect();
        let [what @ ("begin" | "done" | "refused"), actor, number] = words[..] else {
            return Some(line.to_owned());
        };
        let place: (usize, usize) = (actor.parse().ok()?, number.parse().ok()?);
        let deed = plan.get(place.0)?.get(place.1)?;
        if what == "begin" {
            self.going_on.insert(place);
            model.begun(deed);
            return None;
        }
        self.going_on.remove(&place);
        if what == "done" {
            self.acknowledged += 1;
            tally.answered(deed.verb);
            model.done(deed);
        }
        None
    }

    /// Off, if it is not yet, and nobody serves its disk any more.
    pub(super) fn end(mut self) -> Result<()> {
        self.qemu.kill()?;
        self.qemu.wait()?;
        // One that never came to its disk left the server waiting.
        drop(UnixStream::connect(socket(&self.work)));
        self.serving.join().map_err(|_| anyhow::anyhow!("the server of the disk crashed"))?
    }
}

/// Lines with their end; what was cut in the midst was not said.
fn whole_lines(serial: impl Read, mut told: impl FnMut(String)) {
    let mut serial = BufReader::new(serial);
    let mut line = Vec::new();
    while serial.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        if line.pop() == Some(b'\n') {
            told(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        line.clear();
    }
}
