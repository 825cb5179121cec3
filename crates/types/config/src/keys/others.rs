//! `dns`, `logging`, `metrics`.

use crate::Key;
use crate::Kind::{Address, Choice, List, Map, Text};

pub(super) const KEYS: [Key; 7] = [
    Key::new("dns.servers", List(&Address), "Servers that are asked for names that are no container's, in containers that name none with `--dns`; none: the host's.").new_ones("containers"),
    Key::new("dns.search", List(&Text), "Domains to look in, in containers that name none with `--dns-search`; none: the host's.").new_ones("containers"),
    Key::new("dns.options", List(&Text), "Options of `resolv.conf`, in containers that name none with `--dns-option`; none: the host's.").new_ones("containers"),
    Key::new("logging.driver", Choice(&["json-file", "none"]), "Driver of the logs of containers that name none.").new_ones("containers"),
    Key::new("logging.options", Map(&Text), "Options of that driver, as `max-size`.").new_ones("containers"),
    Key::new("logging.level", Choice(&["trace", "debug", "info", "warn", "error"]), "Least level of what the daemon itself logs.").now(),
    Key::new("logging.format", Choice(&["text", "json"]), "Form of the daemon's own log."),
];
