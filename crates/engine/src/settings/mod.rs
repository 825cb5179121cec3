//! The settings of a running engine: where they come from, who hears of changes, and the verbs on them.
//!
//! A change is offered to one [`Subscriber`] after the other. If one refuses, those before it are taken back, and the old settings stay.

mod change;
mod error;
mod live;
mod offer;
mod reload;
mod set;
mod show;
mod sources;
mod subscribers;

pub use change::{Change, Outcome};
pub use error::SettingsError;
pub use live::{Live, SettingsRef};
pub use offer::{Applied, Subscriber};
pub use reload::reload;
pub use set::{Assignment, set, set_in_file};
pub use show::{Shown, ShownKey, shown};
pub use sources::{DEFAULT_FILE, Sources};
pub(crate) use subscribers::all as subscribers;
