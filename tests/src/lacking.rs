//! Daemons on hosts that lack something: it is hidden from the daemon and from all that it starts, and from nobody else.

use std::path::Path;

/// What a host may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The kernel's IPv6: no parameters, no sockets. Devices would still take addresses, if somebody gave them some.
    Ipv6,
    /// The kernel's packet filter: no sockets to it.
    NfTables,
    /// The program `nft`, wherever it is looked for.
    Nft,
}

impl Lack {
    /// A line for a shell in a mount namespace of its own.
    fn hide(self) -> &'static str {
        match self {
            // What stays to be seen through other instances of proc is containers' own.
            Self::Ipv6 => "mount -t tmpfs -o size=4k,mode=555 none /proc/sys/net/ipv6; ",
            Self::NfTables => "",
            Self::Nft => {
                "for file in $(which -a nft | xargs -n 1 realpath | sort -u); do mount --bind /dev/null $file; done; "
            }
        }
    }

    /// The sockets that can't be had: number of the family, of the protocol, and of the error.
    fn sockets(self) -> Option<&'static str> {
        match self {
            Self::Ipv6 => Some("10:any:97"),
            Self::NfTables => Some("16:12:93"),
            Self::Nft => None,
        }
    }
}

/// Shell lines that hide these things.
pub(crate) fn script(lacks: &[Lack]) -> String {
    lacks.iter().map(|lack| lack.hide()).collect()
}

/// The words before a program that keep it, and all that it starts, from such sockets.
pub(crate) fn launcher(lacks: &[Lack]) -> Vec<String> {
    let sockets: Vec<String> = lacks.iter().filter_map(|lack| lack.sockets()).map(str::to_owned).collect();
    if sockets.is_empty() {
        return Vec::new();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/without_sockets.py");
    let before = ["python3".to_owned(), "-B".to_owned(), script.display().to_string()];
    before.into_iter().chain(sockets).chain(["--".to_owned()]).collect()
}
