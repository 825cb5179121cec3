//! A small Debian made with debootstrap, once, outside the checkout: its root as an archive, what that held before it was
//! packed, and the same as images in the formats of `docker save` and skopeo.

use crate::Tree;
use crate::fixtures::{self, made_once};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How each archive of [`Debian::archives`] holds its layer: the first bytes of what it must have in it.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// With ping, whose file has a capability; and with entries that no package has, in `/srv/kept`.
const MAKE_ROOT: &str = r#"
set -e
debootstrap --variant=minbase --include=iputils-ping bookworm root $MIRROR >log 2>&1 || { tail -5 log >&2; exit 1; }
cd root
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/*_*
mkdir -p srv/kept; cd srv/kept
cp ../../usr/bin/id setuid-id; chmod 4755 setuid-id
mkfifo -m 640 fifo
mknod -m 660 block b 7 200; chown 0:6 block
truncate -s 3M sparse; printf end >>sparse
touch "$(printf 'latin-1-\344')"
long=$(printf '%0200d' 0); mkdir -p $long/$long; echo deep >$long/$long/$long; ln -s $long/$long/$long deep
chown 12345678:87654321 deep $long
touch -d '2001-02-03 04:05:06.789012345 UTC' old
"#;

/// `--posix` keeps parts of seconds; capabilities are attributes.
const PACK: &str =
    "tar --posix --numeric-owner --sparse --xattrs --xattrs-include='*' -C root -cf root.tar .";

/// Where the archives lie.
#[derive(Debug)]
pub struct Debian(PathBuf);

impl Debian {
    /// Makes everything, unless an earlier run did: about a minute.
    pub fn made() -> Self {
        Self(made_once("debian-12-2", |directory| {
            fs::create_dir(directory).unwrap();
            // Empty: debootstrap's own choice.
            shell(directory, MAKE_ROOT, &::fixtures::mirror().unwrap_or_default());
            let root = directory.join("root");
            let note = root.join("srv/kept/old");
            rustix::fs::setxattr(note, "user.note", b"kept\0too", rustix::fs::XattrFlags::empty()).unwrap();
            fs::write(directory.join("root.tree"), Tree::of(&root).unwrap().text()).unwrap();
            shell(directory, PACK, "");
            fs::remove_dir_all(root).unwrap();
            save(&directory.join("root.tar"), &directory.join("save.tar"));
            for [kind, name, options] in COPIES {
                skopeo(directory, kind, name, options);
            }
            assert!(holds(&directory.join("skopeo-oci-gzip.tar"), GZIP), "skopeo compressed with gzip");
            assert!(holds(&directory.join("skopeo-oci-zstd.tar"), ZSTD), "skopeo compressed with zstd");
        }))
    }

    /// Its root file system, for `import`.
    pub fn root(&self) -> PathBuf {
        self.0.join("root.tar")
    }

    /// What the directory held that the root was packed from.
    pub fn tree(&self) -> Tree {
        Tree::parse(&fs::read_to_string(self.0.join("root.tree")).unwrap())
    }

    /// The same root as images, for `load`.
    pub fn archives(&self) -> Vec<PathBuf> {
        let made = COPIES.iter().map(|[_, name, _]| *name);
        ["save.tar"].into_iter().chain(made).map(|name| self.0.join(name)).collect()
    }
}

/// What skopeo makes of it: transport, file, further options.
const COPIES: [[&str; 3]; 3] = [
    ["docker-archive", "skopeo-docker.tar", ""],
    ["oci-archive", "skopeo-oci-gzip.tar", "--dest-compress-format=gzip"],
    ["oci-archive", "skopeo-oci-zstd.tar", "--dest-compress-format=zstd"],
];

fn skopeo(directory: &Path, kind: &str, name: &str, options: &str) {
    let mut command = Command::new("skopeo");
    command.current_dir(directory).args(["copy", "--quiet", "--insecure-policy"]);
    command.args(options.split_whitespace()).arg("docker-archive:save.tar");
    crate::Run::of(command.arg(format!("{kind}:{name}:debian:12"))).ok();
}

fn shell(directory: &Path, script: &str, mirror: &str) {
    let status =
        Command::new("sh").args(["-c", script]).current_dir(directory).env("MIRROR", mirror).status();
    assert!(status.unwrap().success(), "{script}");
}

/// An archive of `debian:12` as `docker save` has made them since Docker 25: an OCI layout, with the older format's list of
/// what it holds.
fn save(layer: &Path, to: &Path) {
    let mut hash = Sha256::new();
    let size = std::io::copy(&mut File::open(layer).unwrap(), &mut hash).unwrap();
    let layer_id = hex::encode(hash.finalize());
    let image = fixtures::image_config(&layer_id, &json!({ "Cmd": ["bash"] }));
    let (image_id, image_size) = (hex::encode(Sha256::digest(&image)), image.len());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": format!("sha256:{image_id}"), "size": image_size },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": format!("sha256:{layer_id}"), "size": size }],
    })
    .to_string();
    let manifest_id = hex::encode(Sha256::digest(&manifest));
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": format!("sha256:{manifest_id}"), "size": manifest.len(),
            "annotations": { "io.containerd.image.name": "docker.io/library/debian:12", "org.opencontainers.image.ref.name": "12" },
        }],
    });
    let blob = |id: &str| format!("blobs/sha256/{id}");
    let list = json!([{ "Config": blob(&image_id), "RepoTags": ["debian:12"], "Layers": [blob(&layer_id)] }]);
    let mut archive = tar::Builder::new(File::create(to).unwrap());
    archive.append_file(blob(&layer_id), &mut File::open(layer).unwrap()).unwrap();
    for (name, text) in [
        (blob(&image_id), image),
        (blob(&manifest_id), manifest),
        ("index.json".to_owned(), index.to_string()),
        ("manifest.json".to_owned(), list.to_string()),
        ("oci-layout".to_owned(), json!({ "imageLayoutVersion": "1.0.0" }).to_string()),
    ] {
        let mut header = fixtures::header(tar::EntryType::Regular, 0o644);
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

/// Whether a file in the archive begins with these bytes.
fn holds(archive: &Path, magic: &[u8]) -> bool {
    let mut archive = tar::Archive::new(File::open(archive).unwrap());
    archive.entries().unwrap().any(|entry| {
        let mut begin = vec![0; magic.len()];
        entry.unwrap().read_exact(&mut begin).is_ok() && begin == magic
    })
}
