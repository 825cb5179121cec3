//! End-to-end tests: the engine as its users meet it, through the real docker command line.
//!
//! One module for each part of what is used; each test has an engine of its own. To prove a test, run it against
//! Docker's engine: `TESTS_DOCKER_HOST=unix:///… TESTS_DIR=/a/directory/it/sees cargo nextest run -p tests`.

mod attach;
mod bad_disk;
mod bad_input;
mod chroot;
mod clients;
mod cni;
mod config;
mod copy;
mod crash;
mod cycles;
mod debian;
mod degraded;
mod diff;
mod disagreements;
mod doctor;
mod events;
mod exec;
mod export;
mod failures;
mod image_failures;
mod image_mount;
mod images;
mod isolation;
mod joined;
mod kills;
mod known_images;
mod lifecycle;
mod limits;
mod list;
mod logs;
mod many_layers;
mod matrix;
mod mounts;
mod names;
mod network;
mod network_check;
mod networks;
mod ports;
mod recovery;
mod refused;
mod registry;
mod registry_login;
mod registry_serve;
mod run;
mod runtimes;
mod schedules;
mod soak;
mod state;
mod stop;
mod store;
mod terminal;
mod unkillable;
mod userns;
