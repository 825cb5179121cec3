//! `state`: where the engine has its records.

use crate::Key;
use crate::Kind::{Choice, List, Path, Text};

pub(super) const KEYS: [Key; 8] = [
    Key::new(
        "state.driver",
        Choice(&["redb", "file", "etcd"]),
        "What holds the engine's records: one file in `runtime.root_dir`, a directory of JSON files there, or an etcd. `state migrate --to` brings them from one to another.",
    ),
    Key::new("state.etcd.endpoints", List(&Text), "URLs of the etcd's members."),
    Key::new(
        "state.etcd.prefix",
        Text,
        "What the keys of this engine's records begin with. Each engine needs its own.",
    ),
    Key::new("state.etcd.authority", Path, "Authorities that the etcd's certificates are of, PEM.")
        .or("those of this host"),
    Key::new("state.etcd.certificate", Path, "Certificate that the engine shows, PEM. It comes with `key`.")
        .or("none is shown"),
    Key::new("state.etcd.key", Path, "Its private key, PEM.").or("none is shown"),
    Key::new("state.etcd.user", Text, "User, if the etcd wants one.").or("none"),
    Key::new("state.etcd.password_file", Path, "File whose first line is the user's password.").or("none"),
];
