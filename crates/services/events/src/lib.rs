//! What happened in the engine, told to whoever wants to know.
//!
//! One bus. Publishing never waits: events go into a bounded history, in which every subscriber has a place of its
//! own. One who falls behind so far that the history moved on is told how many it missed, and goes on with the oldest
//! one kept. The history also answers `since`; a journal on
//! disk keeps it over the daemon's end.

mod action;
mod bus;
mod event;
mod filter;
mod journal;

pub use action::{ContainerAction, DaemonAction, Health, ImageAction, NetworkAction, VolumeAction};
pub use bus::{Events, Limits, Received, Subscription};
pub use event::{ContainerOf, Event, Kind};
pub use filter::{BadFilter, Filter};
pub use journal::Journal;
