//! The end-points of the specification, one file for each group.

pub(crate) mod blobs;
pub(crate) mod catalog;
pub(crate) mod manifests;
mod pages;
pub(crate) mod referrers;
pub(crate) mod tags;
pub(crate) mod token;
pub(crate) mod uploads;

use crate::http::refusal::Refusal;
use axum::body::Body;
use axum::http::Response;

/// What a handler says.
pub(crate) type Answer = Result<Response<Body>, Refusal>;
