//! The one program: the docker-compatible command line, and the daemon behind it.

mod autostart;
mod benchmark;
mod daemon;
mod doctor;
mod file_watch;
mod image;
mod lock;
mod log;
mod netd;
mod network_check;
mod own;
mod place;
mod registry;
mod settings;
mod shutdown;
mod state;
mod store;
mod watched;

use docker_cli::{Environment, OwnGroup, OwnVerb, Section};
use std::process::ExitCode;

/// Where the host's daemon listens.
const DEFAULT_SOCKET: &str = "/run/container-runtime/engine.sock";

fn main() -> ExitCode {
    docker_cli::run(
        std::env::args_os(),
        Environment {
            program: "container-runtime",
            version: engine::system::VERSION,
            commit: option_env!("CONTAINER_RUNTIME_COMMIT").unwrap_or(""),
            default_host: format!("unix://{DEFAULT_SOCKET}"),
            verbs: vec![
                OwnVerb {
                    path: &["daemon"],
                    about: "Run the engine in the foreground",
                    section: Section::Engine,
                    run: daemon::run,
                },
                OwnVerb {
                    path: &["system", "shutdown"],
                    about: "Stop the daemon; with --purge remove everything that is its",
                    section: Section::Engine,
                    run: shutdown::run,
                },
                OwnVerb {
                    path: &["registry", "serve"],
                    about: "Serve a registry of images",
                    section: Section::Engine,
                    run: registry::serve::run,
                },
                OwnVerb {
                    path: &["registry", "gc"],
                    about: "Delete what no image in a registry needs",
                    section: Section::Engine,
                    run: registry::collect::run,
                },
                OwnVerb {
                    path: &["registry", "user", "add"],
                    about: "Add a user to a file of users, or change the password",
                    section: Section::Engine,
                    run: registry::user::run,
                },
                OwnVerb {
                    path: &["image", "mount"],
                    about: "Mount images for the host to read, and print where",
                    section: Section::Engine,
                    run: image::mount::run,
                },
                OwnVerb {
                    path: &["image", "unmount"],
                    about: "End mounts of images",
                    section: Section::Engine,
                    run: image::unmount::run,
                },
                OwnVerb {
                    path: &["system", "check"],
                    about: "Compare records, kernel and disk, and check all images; with --repair mend them",
                    section: Section::Engine,
                    run: store::check::run,
                },
                OwnVerb {
                    path: &["system", "doctor"],
                    about: "Tell what this host lacks for the engine",
                    section: Section::Engine,
                    run: doctor::run,
                },
                OwnVerb {
                    path: &["system", "gc"],
                    about: "Remove what is beyond the budget of storage.gc, and say why",
                    section: Section::Engine,
                    run: store::gc::run,
                },
                OwnVerb {
                    path: &["state", "export"],
                    about: "Write all records of the engine to a file: a backup, also while it runs",
                    section: Section::Engine,
                    run: state::export::run,
                },
                OwnVerb {
                    path: &["state", "import"],
                    about: "Take the records of an export; the daemon must not run",
                    section: Section::Engine,
                    run: state::import::run,
                },
                OwnVerb {
                    path: &["state", "migrate"],
                    about: "Bring the records to another state.driver; the daemon must not run",
                    section: Section::Engine,
                    run: state::migrate::run,
                },
                OwnVerb {
                    path: &["network", "check"],
                    about: "Tell what a packet from one place to another meets, and what stops it",
                    section: Section::Engine,
                    run: network_check::run,
                },
                OwnVerb {
                    path: &["config", "validate"],
                    about: "Check the settings, and name every mistake with its place",
                    section: Section::Engine,
                    run: settings::validate::run,
                },
                OwnVerb {
                    path: &["config", "show"],
                    about: "Show the settings that count, with --origin where they come from",
                    section: Section::Engine,
                    run: settings::show::run,
                },
                OwnVerb {
                    path: &["config", "get"],
                    about: "Print the value of a setting",
                    section: Section::Engine,
                    run: settings::get::run,
                },
                OwnVerb {
                    path: &["config", "set"],
                    about: "Change settings in the file and in the daemon",
                    section: Section::Engine,
                    run: settings::set::run,
                },
                OwnVerb {
                    path: &["config", "reload"],
                    about: "Have the daemon read its settings again",
                    section: Section::Engine,
                    run: settings::reload::run,
                },
                OwnVerb {
                    path: &["config", "import"],
                    about: "Take over the settings of Docker's daemon.json",
                    section: Section::Engine,
                    run: settings::import::run,
                },
                OwnVerb {
                    path: &["config", "reference"],
                    about: "Print a page about every setting",
                    section: Section::Engine,
                    run: settings::reference::run,
                },
                OwnVerb {
                    path: &["netd"],
                    about: "Answer containers' questions for names",
                    section: Section::Hidden,
                    run: netd::run,
                },
                OwnVerb {
                    path: &["benchmark"],
                    about: "Measure the engine, beside other engines if asked to",
                    section: Section::Engine,
                    run: benchmark::run,
                },
            ],
            groups: vec![
                OwnGroup { path: &["config"], about: "Manage the daemon's settings" },
                OwnGroup { path: &["registry"], about: "Serve and tend registries of images" },
                OwnGroup { path: &["state"], about: "Back up and move the engine's records" },
                OwnGroup { path: &["registry", "user"], about: "Manage the users of a registry" },
            ],
            words: settings::words,
            autostart: Some(autostart::start),
        },
    )
}

/// Prints an error as every verb does.
#[expect(clippy::print_stderr, reason = "the one place where our own verbs complain")]
fn complain(message: &str) {
    eprintln!("container-runtime: {message}");
}
