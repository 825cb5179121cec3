//! Power cuts: a machine is switched off at random moments while images are pulled, pushed, loaded, committed, tagged and
//! removed; after each its store is looked at from outside of the engine. What was answered is so, what was going on
//! is done or not begun, and every file of every image holds what it held where it came from.
//!
//! The guest's memory is lost with QEMU, and of the disk's cache an arbitrary part: see [`disk`]. The registry that images come
//! from runs in the guest, on a disk of its own that nothing is kept of; the one that they are pushed to is cut with the rest. The same seed gives the same images, deeds and
//! moments, though not the same races.

mod disk;
mod images;
mod model;
mod plan;
mod random;
mod round;
mod tally;

use super::machine::Machine;
use super::packages::{Kernel, Qemu};
use super::root::{self, Init, Root};
use super::tests::put_programs;
use super::{Arguments, initrd};
use anyhow::{Result, bail};
use disk::Disk;
use images::Image;
use model::Model;
use plan::{ACTORS, Planner};
use random::Random;
use round::Round;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tally::Tally;

/// MiB
const DISK: u64 = 4096;
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// What the guest runs.
const GUEST: &str = include_str!("guest.sh");
/// Milliseconds after the first deed began, or was answered: the earliest moment of a cut.
const EARLIEST: u64 = 200;

/// Cuts the power so many times, looks at the store after each, and answers an exit code.
pub(super) fn run(
    arguments: &Arguments,
    rounds: u32,
    kernel: &Kernel,
    qemu: &Qemu,
    work: &Path,
) -> Result<u8> {
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    println!("power cuts: seed {seed}");
    let images = images::make(seed)?;
    let mut power = Power {
        machine: machine(arguments, kernel, work, &images)?,
        disk: blank(work)?,
        model: Model::new(&images),
        planner: Planner::new(&images),
        random: Random::new(seed),
        within: arguments.within,
        tally: Tally::default(),
    };
    let begun = Instant::now();
    // One more than cuts: the last only looks.
    for number in 0..=rounds {
        let found = power.round(qemu, number == rounds)?;
        println!("seed {seed}, round {number}: {}", found.told);
        if !found.wrong.is_empty() {
            bail!("seed {seed}, round {number}: {:#?}\nconsole:\n{}", found.wrong, power.machine.console());
        }
    }
    println!("seed {seed}: {}", power.tally);
    println!("seed {seed}: {rounds} power cuts in {} s, nothing lost", begun.elapsed().as_secs());
    Ok(0)
}

struct Power<'a> {
    machine: Machine,
    disk: Disk,
    model: Model,
    planner: Planner<'a>,
    random: Random,
    /// Milliseconds.
    within: u64,
    tally: Tally,
}

/// What a round came to.
struct Found {
    told: String,
    wrong: Vec<String>,
}

impl Power<'_> {
    /// A boot, a look at the store, deeds, a cut.
    fn round(&mut self, qemu: &Qemu, last: bool) -> Result<Found> {
        let moment = Duration::from_millis(EARLIEST + self.random.below(self.within));
        let Self { machine, disk, model, planner, random, tally, .. } = self;
        let (looked, wrong, acknowledged) = std::thread::scope(|scope| -> Result<_> {
            let mut round = Round::start(scope, machine, qemu, disk)?;
            let mut looked = round.look();
            let mut wrong = std::mem::take(&mut looked.faults);
            wrong.extend(model.compare(&looked));
            // They are planned from what was found.
            let deeds = planner.plan(model, random);
            if !last && wrong.is_empty() {
                round.send(&deeds)?;
                // An empty store has nothing to lose before the first answer.
                let from = if looked.names.is_empty() { "done" } else { "begin" };
                wrong.extend(round.watch(from, moment, &deeds, model, tally)?);
            }
            let acknowledged = round.acknowledged;
            round.end()?;
            Ok((looked, wrong, acknowledged))
        })?;
        self.tally.repaired += u32::from(looked.repaired);
        if last {
            return Ok(Found { told: looked.to_string(), wrong });
        }
        let lost = self.disk.cut(&mut self.random)?;
        self.tally.lossy += u32::from(lost.sectors > 0);
        let told = format!(
            "{looked}; {acknowledged} deeds answered, cut after {:.1} s; {} of {} cached sectors lost",
            moment.as_secs_f32(),
            lost.sectors,
            lost.of
        );
        Ok(Found { told, wrong })
    }
}

/// The root with programs, the registry and archives.
fn machine(arguments: &Arguments, kernel: &Kernel, work: &Path, images: &[Image]) -> Result<Machine> {
    let cache = crate::cache()?.join("vm");
    let root = Root::new(work, &cache, kernel, Init::Busybox)?;
    put_programs(&root)?;
    root.put_program("nft")?;
    // The client of registries wants authorities even where it speaks no TLS.
    root.put(Path::new(AUTHORITIES), AUTHORITIES)?;
    let archives = root.directory().join("vm/archives");
    fs::create_dir_all(&archives)?;
    let tags: Vec<_> = (0..ACTORS).map(plan::tag).collect();
    for image in images {
        image.put_into_registry(&root.directory().join("vm/registry"), &tags)?;
        for actor in 0..ACTORS {
            let path = root.directory().join(plan::archive(image.name, actor).trim_start_matches('/'));
            image.write_archive(&path, &plan::loaded(image.name, actor))?;
        }
    }
    Ok(Machine {
        memory: arguments.memory,
        cpus: arguments.cpus,
        append: arguments.append.clone(),
        root: root.image(GUEST)?,
        data: None,
        drives: round::drives(work)?,
        again: true,
        initrd: initrd::build(work, kernel)?,
        kernel: kernel.image.clone(),
        work: work.to_owned(),
    })
}

fn blank(work: &Path) -> Result<Disk> {
    let path = work.join("data.img");
    root::make_disk(&path, DISK, None)?;
    Disk::open(&path)
}

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Random::new(now.map_or(0, |now| now.as_nanos() as u64)).below(1 << 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    /// As on the command line.
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        vm: Arguments,
    }

    /// A bounded part of `cargo xtask vm --power-cuts 50`. `TESTS_POWER_CUTS_SEED` takes the seed that it printed.
    #[test]
    fn three_power_cuts_lose_nothing() {
        let seed = std::env::var("TESTS_POWER_CUTS_SEED").ok();
        let seed = seed.map_or_else(fresh_seed, |text| text.parse().unwrap());
        let words = ["vm", "--power-cuts", "3", "--within", "5000", "--seed", &seed.to_string()];
        let line = Line::parse_from(words);
        assert_eq!(crate::vm::run(&line.vm).unwrap(), 0);
    }
}
