//! One disagreement between records, kernel and disk, and how it is told.

use super::table::Kind;
use ids::ContainerId;
use images::Finding;
use networks::Flaw;
use std::path::PathBuf;

/// Something that records, kernel and disk say differently.
#[derive(Debug, Clone)]
pub(crate) struct Disagreement {
    pub(crate) kind: Kind,
    /// Which: an id, a name, a path.
    pub(crate) thing: String,
    /// What more there is to say.
    pub(crate) detail: Option<String>,
    /// What a repair works on.
    pub(crate) subject: Subject,
}

/// What a repair works on.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    Container(ContainerId),
    Mount(PathBuf),
    Volume(String),
    Network(Box<Flaw>),
    Names,
}

impl Disagreement {
    pub(crate) fn new(kind: Kind, thing: impl Into<String>, subject: Subject) -> Self {
        Self { kind, thing: thing.into(), detail: None, subject }
    }

    /// About a container, by its id.
    pub(crate) fn of(kind: Kind, id: &ContainerId) -> Self {
        Self::new(kind, id.to_string(), Subject::Container(id.clone()))
    }

    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Whether both are about the same thing: numbers in the detail may change from look to look.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.kind, &self.thing) == (other.kind, &other.thing)
    }

    /// As reports tell it. `repaired` as in [`Finding`], with what the repair came to.
    pub(crate) fn finding(&self, repaired: Option<(bool, String)>) -> Finding {
        let row = self.kind.row();
        let problem = match &self.detail {
            Some(detail) => format!("{} ({detail})", row.means),
            None => row.means.to_owned(),
        };
        let (repaired, outcome) = repaired.unzip();
        Finding {
            kind: row.name,
            thing: self.thing.clone(),
            images: Vec::new(),
            problem,
            remedy: format!("a repair {}", row.repair),
            repaired,
            outcome,
        }
    }
}
