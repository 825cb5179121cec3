//! Steps with undo: a verb that fails half-way gives back what it took, whoever stopped waiting for it.
//!
//! ```
//! async fn create() -> errors::Result<()> {
//!     let mut undo = undo::Undo::new("container.create");
//!     let outcome = steps(&mut undo).await;
//!     undo.settle(outcome).await // undone before the client hears of the failure
//! }
//!
//! async fn steps(undo: &mut undo::Undo) -> errors::Result<()> {
//!     undo.step("name")?; // where a test may let it fail
//!     // … take the name …
//!     undo.push_sync("name", || Ok(())); // how to give it back
//!     undo.step("snapshot")?;
//!     // … an error here, or dropping the future, gives the name back …
//!     Ok(())
//! }
//! ```
//!
//! Undo steps run in reverse order, in tasks of their own, each bounded in time; one that fails does not keep the
//! others from running.

pub mod inject;
mod stack;
mod unwind;

pub use inject::Injected;
pub use stack::Undo;
pub use unwind::{Failure, UndoError};

#[cfg(test)]
mod tests;
