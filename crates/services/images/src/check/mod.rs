//! `system check`: is everything that records name on the disk, and as it should be?
//!
//! Every blob is hashed, every layer compared with what its blob unpacks to ([ADR 11](../../../../../../docs/adr/0011-layers-checked-against-their-blobs.md)),
//! every record followed to what it names, and what nothing names is found. All of it is held meanwhile, and nothing waits for it:
//! images come and go beside a check. A repair changes only what was found to be wrong.

mod examine;
mod fault;
mod fetch;
mod repair;

pub(crate) use fault::Fault;
pub use fault::Finding;

use crate::{Images, MountedImage, Result};
use oci::Reference;
use registry::Repository;

/// What a check needs of the rest of the engine.
pub struct Surroundings<'a> {
    /// The repository of a name, to fetch from.
    pub repository: &'a (dyn Fn(&Reference) -> registry::Result<Repository> + Send + Sync),
    /// Whether the container of a snapshot has its layers mounted now.
    pub is_running: &'a (dyn Fn(&str) -> bool + Send + Sync),
    /// The images that are mounted for the host now.
    pub mounted: &'a (dyn Fn() -> Vec<MountedImage> + Send + Sync),
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings")
    }
}

/// What a check came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong, or was.
    pub findings: Vec<Finding>,
    /// Images that were looked at.
    pub images: usize,
    /// Layers that were compared with their blob.
    pub layers: usize,
    /// Layers that have none, of which only the directory was looked for.
    pub layers_without_blob: usize,
    /// Blobs that were hashed.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Report {
    /// Whether nothing is wrong (any more).
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.repaired == Some(true))
    }
}

impl Images {
    /// Looks at everything, and repairs what can be repaired if asked to.
    ///
    /// # Errors
    /// Those of reading directories. What is wrong with a thing in the store is a finding.
    pub async fn check(&self, repair: Option<&Surroundings<'_>>) -> Result<Report> {
        let (mut faults, mut report) = self.examine().await?;
        if let Some(surroundings) = repair {
            // Blobs come before layers, which are unpacked from them; one that comes back lets its layer be compared at last.
            faults.sort_by_key(Fault::rank);
            let mut queue = std::collections::VecDeque::from(faults);
            while let Some(fault) = queue.pop_front() {
                let mut finding = self.describe(&fault);
                match self.repair(&fault, surroundings).await {
                    Ok(outcome) => {
                        (finding.repaired, finding.outcome) = (Some(outcome.repaired), Some(outcome.text));
                        queue.extend(outcome.further);
                    }
                    Err(error) => {
                        let error = errors::Error::from(error);
                        (finding.repaired, finding.outcome) = (Some(false), Some(error.to_string()));
                    }
                }
                report.findings.push(finding);
            }
        } else {
            report.findings = faults.iter().map(|fault| self.describe(fault)).collect();
        }
        // What nobody needed any more while it was held. Else a mere look changes nothing.
        if !crate::commit::unused(&self.index()).is_empty() {
            self.sweep().await?;
        }
        Ok(report)
    }
}
