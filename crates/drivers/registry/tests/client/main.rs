//! The client against registries that do what registries do: break off, refuse, redirect, lie.

mod auth;
mod download;
mod places;
mod scripted;
mod support;
mod tls;
mod upload;
mod words;
