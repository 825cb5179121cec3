//! `system check` and `system gc`: the store of images looks after itself, and says what it does.

pub(crate) mod check;
pub(crate) mod gc;
