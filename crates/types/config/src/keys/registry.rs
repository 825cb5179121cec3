//! `registry`: registries that images come from and go to, and the one that is served.

use crate::Key;
use crate::Kind::{Bool, List, Listen, Map, Mirrors, Number, Path, Seconds, Text};

pub(super) const KEYS: [Key; 23] = [
    Key::new("registry.default", Text, "Registry, as `host[:port]`, of names that say none. With another than `docker.io`, `alpine` is fetched from there as `alpine` and is called `alpine` still; a push goes there too. So do names that say `docker.io`, which are the same names.").new_ones("transfers"),
    Key::new("registry.mirrors", Mirrors, "Base URLs to ask for images, by the registry's host, `*` for all others. They are asked before it. A list alone is for names that say no registry; with a `registry.default` of one's own, that is asked first: who owns a name there must not get somebody else's image.").new_ones("transfers"),
    Key::new("registry.insecure", List(&Text), "Hosts, `host:port`s and networks that may speak plain HTTP or show any certificate. Loopback always may.").new_ones("transfers"),
    Key::new("registry.rewrites", Map(&Text), "What a name that begins so is fetched as: `docker.io/library` as `registry.example/hub`. Stronger than `registry.default`.").new_ones("transfers"),
    Key::new("registry.config_dirs", List(&Path), "Directories with one directory a host, that holds containerd's `hosts.toml` or docker's certificates.").new_ones("transfers"),
    Key::new("registry.registries_conf", List(&Path), "Files in the format of podman's `registries.conf`, and directories of such files.").new_ones("transfers"),
    Key::new("registry.max_concurrent_downloads", Number(1, 1000), "Layers that are fetched at a time, of all pulls together."),
    Key::new("registry.max_concurrent_uploads", Number(1, 1000), "Layers that are sent at a time by one push.").new_ones("transfers"),
    Key::new("registry.max_attempts", Number(1, 100), "How often a transfer that breaks off is tried in all.").new_ones("transfers"),
    Key::new("registry.serve.listen", Listen, "Where the engine serves a registry.").or("none is served"),
    Key::new("registry.serve.htpasswd", Path, "File of users, as of `htpasswd -B`.").or("everybody may do everything"),
    Key::new("registry.serve.anonymous_pull", Bool, "Whether everybody may pull, where there are users."),
    Key::new("registry.serve.read_only", List(&Text), "Users who may only pull."),
    Key::new("registry.serve.token", Bool, "Whether users get tokens, instead of being asked for passwords with each request."),
    Key::new("registry.serve.tls.certificate", Path, "Certificate of the server and those above it, PEM. It comes with `key`.").or("plain HTTP"),
    Key::new("registry.serve.tls.key", Path, "Its private key, PEM.").or("plain HTTP"),
    Key::new("registry.serve.tls.client_authority", Path, "Authorities whose clients are let in, PEM.").or("every client is"),
    Key::new("registry.serve.mirror_of", List(&Text), "Registries to fetch from and to keep what comes; then nobody can push. The first is meant unless a client says which."),
    Key::new("registry.serve.mirror_ttl", Seconds(0), "Seconds for which a tag is not asked for there again."),
    Key::new("registry.serve.mirror_credentials", Path, "File of names and passwords for them, as `docker login` writes it: whoever may pull here pulls with them.").or("none"),
    Key::new("registry.serve.gc_interval", Seconds(0), "Seconds between two looks for what no image needs; 0: never."),
    Key::new("registry.serve.gc_untagged", Bool, "Whether manifests without a tag go too."),
    Key::new("registry.serve.max_connections", Number(1, 1_000_000), "Connections at a time; further ones wait until one of these ends."),
];
