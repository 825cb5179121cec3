//! HTTP without any end-point in particular.

pub(crate) mod answer;
pub(crate) mod fields;
pub(crate) mod query;
pub(crate) mod range;
pub(crate) mod receive;
pub(crate) mod refusal;
pub(crate) mod route;
