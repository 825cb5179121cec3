//! Images for the tests, made on this machine from Debian's packages, once, outside the checkout.

use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's static busybox.
pub const BUSYBOX: &str = "/bin/busybox";

pub use ::fixtures::cache;

/// The OCI image layout of an image of `cargo xtask fixtures`, made if it is missing: minutes, for a Debian.
#[track_caller]
pub fn layout(name: &str) -> PathBuf {
    ::fixtures::layout(name).unwrap_or_else(|error| panic!("{error:#}"))
}

/// `busybox:latest` as an archive like `docker save` makes.
pub fn busybox() -> PathBuf {
    made_once("busybox-1.tar", |path| {
        let config = json!({
            "Cmd": ["sh"],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        });
        fs::write(path, docker_archive("busybox:latest", &busybox_layer(), &config)).unwrap();
    })
}

/// The root file system of `busybox:latest` as a plain archive, for `import`.
pub fn busybox_root() -> PathBuf {
    made_once("busybox-root-1.tar", |path| fs::write(path, busybox_layer()).unwrap())
}

/// Makes a file or a directory of the cache under a temporary name first, so that an interrupted run leaves no half of it.
pub(crate) fn made_once(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let directory = cache().join("fixtures");
    let path = directory.join(name);
    if !path.exists() {
        fs::create_dir_all(&directory).unwrap();
        let temporary = directory.join(format!("{name}.{}", std::process::id()));
        make(&temporary);
        // Another run may have made the same meanwhile: then its directory stays.
        let renamed = fs::rename(&temporary, &path);
        renamed.or_else(|_| fs::remove_dir_all(&temporary)).unwrap();
    }
    path
}

/// An archive of one image with one layer, in the format of `docker save`.
pub fn docker_archive(reference: &str, layer: &[u8], config: &serde_json::Value) -> Vec<u8> {
    let diff_id = hex::encode(Sha256::digest(layer));
    let image = image_config(&diff_id, config);
    let config_name = format!("{}.json", hex::encode(Sha256::digest(image.as_bytes())));
    let layer_name = format!("{diff_id}/layer.tar");
    let manifest =
        json!([{ "Config": config_name, "RepoTags": [reference], "Layers": [layer_name] }]).to_string();
    let mut archive = Archive::default();
    archive.file(&config_name, 0o644, image.as_bytes());
    archive.file(&layer_name, 0o644, layer);
    archive.file("manifest.json", 0o644, manifest.as_bytes());
    archive.finish()
}

/// The configuration of an image with one layer, whose uncompressed digest this is.
pub(crate) fn image_config(diff_id: &str, config: &serde_json::Value) -> String {
    json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "created": "2024-01-01T00:00:00Z",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{diff_id}")] },
        "history": [{ "created": "2024-01-01T00:00:00Z", "created_by": "fixture" }],
    })
    .to_string()
}

fn busybox_layer() -> Vec<u8> {
    let mut archive = Archive::default();
    for directory in ["bin", "dev", "etc", "home", "proc", "root", "sys", "usr", "usr/bin", "usr/sbin", "var"]
    {
        archive.directory(directory, 0o755);
    }
    archive.directory("tmp", 0o1777);
    archive.file("bin/busybox", 0o755, &fs::read(BUSYBOX).expect("busybox-static is installed"));
    let applets = Command::new(BUSYBOX).arg("--list").output().unwrap().stdout;
    for applet in String::from_utf8(applets).unwrap().lines().filter(|name| *name != "busybox") {
        archive.link(&format!("bin/{applet}"), "bin/busybox");
    }
    let passwd =
        "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nweb:x:1000:1000::/home:/bin/sh\n";
    archive.file("etc/passwd", 0o644, passwd.as_bytes());
    archive.file("etc/group", 0o644, b"root:x:0:\ndaemon:x:1:\naudio:x:29:web\nweb:x:1000:\n");
    archive.finish()
}

/// An archive in the making, the same bytes from the same input.
#[expect(missing_debug_implementations, reason = "a buffer")]
pub struct Archive(tar::Builder<Vec<u8>>);

impl Default for Archive {
    fn default() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }
}

impl Archive {
    /// Adds a file.
    pub fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) {
        let mut header = header(tar::EntryType::Regular, mode);
        header.set_size(bytes.len() as u64);
        self.0.append_data(&mut header, path, bytes).unwrap();
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: &str, mode: u32) {
        self.0.append_data(&mut header(tar::EntryType::Directory, mode), path, &[][..]).unwrap();
    }

    /// Adds a hard link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.0.append_link(&mut header(tar::EntryType::Link, 0o755), path, target).unwrap();
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) {
        self.0.append_link(&mut header(tar::EntryType::Symlink, 0o777), path, target).unwrap();
    }

    /// Adds an entry with a name that no honest archive has.
    pub fn raw_file(&mut self, path: &str, bytes: &[u8]) {
        let mut header = header(tar::EntryType::Regular, 0o644);
        header.set_size(bytes.len() as u64);
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        self.0.append(&header, bytes).unwrap();
    }

    /// The archive's bytes.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.0.into_inner().unwrap();
        bytes.flush().unwrap();
        bytes
    }
}

pub(crate) fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(1_704_067_200);
    header.set_size(0);
    header
}
