//! Who asks: credentials, what a registry wants to see of them, and the tokens it gives for them.

mod challenge;
mod credentials;
mod token;

pub(crate) use challenge::{Challenge, Scheme};
pub use credentials::Credentials;
pub(crate) use token::{Tokens, Wanted};
