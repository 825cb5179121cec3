//! What is only known once it was tried: devices, in namespaces that nobody else sees; an overlay, mounted nowhere.

use net::{Attachment, Bridge, BridgeConfig, Mac, Namespace, Settings, Socket};
use rustix::mount::{FsOpenFlags, fsconfig_create, fsconfig_set_string, fsopen};
use std::os::fd::AsFd;
use std::path::Path;

/// Why this kernel makes no bridge, or no pair of devices with one end on it.
pub(super) fn devices() -> Option<String> {
    let tried = || -> net::Result<()> {
        let (host, container) =
            (Namespace::make(Settings { ipv6: false })?, Namespace::make(Settings { ipv6: false })?);
        host.run(|| {
            let mut socket = Socket::open()?;
            let config = BridgeConfig {
                name: "probe0".to_owned(),
                owner: "probe".to_owned(),
                addresses: Vec::new(),
                mtu: 1500,
                isolated: false,
            };
            let bridge = Bridge::ensure(&mut socket, &config, Mac::local([2; 6]))?;
            let attachment = Attachment {
                outer: "probe1",
                inner: "eth0",
                mac: Mac::local([4; 6]),
                announced: false,
                mtu: None,
                ipv6: None,
                addresses: &[],
                gateways: &[],
            };
            bridge.attach(&mut socket, &container, &attachment)
        })
    };
    tried().err().map(|error| errors::chain(&error))
}

/// Why no overlay can be made with its writable directory there.
pub(super) fn overlay(directory: &Path) -> Option<String> {
    let place = directory.join(format!(".doctor-{}", std::process::id()));
    let tried = try_overlay(&place);
    let removed = std::fs::remove_dir_all(&place);
    tried.err().or_else(|| removed.err()).map(|error| error.to_string())
}

fn try_overlay(place: &Path) -> std::io::Result<()> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (option, name) in [("lowerdir", "lower"), ("upperdir", "upper"), ("workdir", "work")] {
        let directory = place.join(name);
        std::fs::create_dir_all(&directory)?;
        fsconfig_set_string(context.as_fd(), option, &directory)?;
    }
    Ok(fsconfig_create(context.as_fd())?)
}
