//! A process in a container's cgroup that can't be ended: what leads to it is kept until it can.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use tests::{Need, Settings, lacks, skip, with_private_engine};

/// Version 1 of cgroups has hierarchies of their own for freezing and for membership.
const FREEZER: &str = "/sys/fs/cgroup/freezer";
const MEMBERS: &str = "/sys/fs/cgroup/pids";

/// Frozen in one hierarchy, where nobody of the engine's would look, and in a container's cgroup in another.
struct Frozen {
    process: Child,
    freezer: PathBuf,
}

impl Frozen {
    fn new(mark: &str, cgroup: &str) -> Self {
        let freezer = PathBuf::from(FREEZER).join(format!("tests-{mark}"));
        let members = PathBuf::from(format!("{MEMBERS}/{cgroup}"));
        fs::create_dir(&freezer).unwrap();
        fs::create_dir_all(&members).unwrap();
        let process = Command::new("sleep").arg("600").spawn().unwrap();
        for place in [&freezer, &members] {
            fs::write(place.join("cgroup.procs"), process.id().to_string()).unwrap();
        }
        fs::write(freezer.join("freezer.state"), "FROZEN").unwrap();
        Self { process, freezer }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = fs::write(self.freezer.join("freezer.state"), "THAWED");
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir(&self.freezer);
    }
}

#[test]
fn a_failed_start_keeps_what_leads_to_a_process_that_lives_on() {
    if let Some(lacking) = lacks(&[Need::Path(FREEZER), Need::Path(MEMBERS)]) {
        return skip(&lacking);
    }
    with_private_engine(Settings::default(), |engine| {
        let id = engine.docker(&["create", "--name", "u1", "busybox", "/no/such"]).line();
        let bundle = engine.directory().join("state/containers").join(&id);
        let mark = engine.directory().file_name().unwrap().to_str().unwrap().to_owned();
        let frozen = Frozen::new(&mark, &format!("container-runtime-{mark}/{id}"));
        engine.docker(&["start", "u1"]).fails(1, "");
        assert!(bundle.join("runtime.json").exists(), "nothing leads to the process any more");
        engine.docker(&["start", "u1"]).fails(1, "could not be ended");
        drop(frozen);
        engine.docker(&["start", "u1"]).fails(1, "no such file or directory");
        assert!(!bundle.exists());
        engine.docker(&["rm", "u1"]).ok();
    });
}
