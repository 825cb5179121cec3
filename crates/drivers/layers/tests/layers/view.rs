//! Archives extracted into containers, through views of their files.

use crate::builder::{Builder, header};
use crate::overlay::stack;
use crate::{Store, store};
use layers::{Extract, LayerError, Owner, PackOptions, View, ViewMount, ViewRoot, pack_directory};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

const WRITABLE: ViewRoot<'static> = ViewRoot::Writable { user: None };

fn bind(source: &Path, target: &str, read_only: bool) -> ViewMount {
    ViewMount { source: source.to_owned(), target: target.into(), read_only, recursive: true }
}

/// A container of the usual layers with a volume at `/data/volume`.
struct Web {
    store: Store,
    volume: PathBuf,
    upper: PathBuf,
}

impl Web {
    fn new() -> Option<Self> {
        let store = store()?;
        store.layers.prepare("web", &stack(&store)).unwrap();
        let volume = store.dir.path().join("volume");
        fs::create_dir(&volume).unwrap();
        let upper = store.layers.snapshot_dir("web").unwrap().join("upper");
        Some(Self { store, volume, upper })
    }

    fn view(&self, root: ViewRoot<'_>) -> layers::Result<View> {
        self.store.layers.view("web", root, &[bind(&self.volume, "/data/volume", false)])
    }

    fn put(&self, path: &str, archive: &[u8], how: Extract) -> layers::Result<layers::Contents> {
        self.view(WRITABLE).unwrap().extract(Path::new(path), archive, how)
    }

    /// What is in the writable directory of the container.
    fn wrote(&self, path: &str) -> String {
        fs::read_to_string(self.upper.join(path)).unwrap_or_default()
    }
}

#[test]
fn a_view_shows_volumes_in_their_places_and_leaves_no_mount() {
    let Some(web) = Web::new() else { return };
    fs::write(web.volume.join("file"), "1").unwrap();
    let missing = web.view(ViewRoot::ReadOnly).unwrap_err();
    assert!(
        matches!(&missing, LayerError::NoMountPoint { path } if path == Path::new("/data/volume")),
        "{missing}"
    );
    drop(web.view(WRITABLE).unwrap());
    assert!(web.upper.join("data/volume").is_dir(), "a writable root gets the mount point");
    let view = web.view(ViewRoot::ReadOnly).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let root = openat2(view.root(), "/", flags, Mode::empty(), ResolveFlags::IN_ROOT).unwrap();
    for (across_mounts, there) in [(true, true), (false, false)] {
        let mut archive = Vec::new();
        let options = PackOptions { ids: None, across_mounts };
        pack_directory(&root, b".", &options, &mut archive).unwrap();
        let text = String::from_utf8_lossy(&archive);
        assert_eq!(text.contains("./data/volume/file"), there);
    }
    let created = rustix::fs::openat(&root, "new", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR);
    assert_eq!(created.unwrap_err(), rustix::io::Errno::ROFS);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(web.store.dir.path().to_str().unwrap()), "{mounts}");
}

#[test]
fn what_is_extracted_meets_what_is_there() {
    let Some(web) = Web::new() else { return };
    let mut owned = header(b'5', "dir", 0);
    owned.set_mode(0o700);
    owned.set_uid(7);
    let archive = Builder::new()
        .raw(owned, b"")
        .file("dir/new", "new")
        .file("etc/passwd", "other")
        .file("deep/er/file", "deep")
        .file("link", "no link any more")
        .file(".wh.keep", "a name as any other")
        .file("data/volume/in", "in the volume")
        .hard_link("hard", "dir/new")
        .end();
    web.put("/", &archive, Extract::default()).unwrap();
    for (path, content) in [
        ("dir/new", "new"),
        ("hard", "new"),
        ("etc/passwd", "other"),
        ("deep/er/file", "deep"),
        ("link", "no link any more"),
        (".wh.keep", "a name as any other"),
    ] {
        assert_eq!(web.wrote(path), content, "{path}");
    }
    assert_eq!(fs::read_to_string(web.volume.join("in")).unwrap(), "in the volume");
    let stat = fs::metadata(web.upper.join("dir")).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.uid()), (0o700, 7));
    // A directory in place of a file and the other way round, unless that is not wanted.
    let swap = Builder::new().dir("hard").file("dir", "now a file").end();
    let keep = Extract { keep_kinds: true, ..Extract::default() };
    let refused = web.put("/", &swap, keep).unwrap_err().to_string();
    assert_eq!(refused, "cannot overwrite non-directory \"hard\" with directory");
    web.put("/", &swap, Extract::default()).unwrap();
    assert!(web.upper.join("hard").is_dir());
    assert_eq!(web.wrote("dir"), "now a file");
}

#[test]
fn owners_are_those_of_the_archive_or_as_is_wished() {
    let Some(web) = Web::new() else { return };
    let mut owned = header(b'0', "mine", 0);
    owned.set_uid(1000);
    let archive = Builder::new().raw(owned, b"").file("parent/of", "x").end();
    let ids: spec::IdMaps = "0:100000:65536/0:200000:65536".parse().unwrap();
    let owner = |path: &str| {
        let stat = fs::metadata(web.upper.join(path)).unwrap();
        (stat.uid(), stat.gid())
    };
    for (how, mine, parent) in [
        (Extract::default(), (1000, 0), (0, 0)),
        (Extract { owner: Owner::Fixed(5, 6), ..Extract::default() }, (5, 6), (0, 0)),
        (Extract { ids: Some(ids.clone()), ..Extract::default() }, (101_000, 200_000), (100_000, 200_000)),
        (
            Extract { ids: Some(ids), owner: Owner::Fixed(5, 6), ..Extract::default() },
            (100_005, 200_006),
            (100_000, 200_000),
        ),
    ] {
        let _ = fs::remove_dir_all(web.upper.join("parent"));
        web.put("/", &archive, how.clone()).unwrap();
        assert_eq!((owner("mine"), owner("parent")), (mine, parent), "{how:?}");
    }
}

#[test]
fn hostile_archives_stay_in_the_container() {
    let Some(web) = Web::new() else { return };
    let outside = web.store.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "untouched").unwrap();
    let there = outside.to_str().unwrap();
    symlink(there, web.upper.join("way")).unwrap();
    symlink("../../../../../../../..", web.upper.join("up")).unwrap();
    let new = Builder::new;
    for (name, archive) in [
        ("dots", new().file("../../../../escape", "x")),
        ("a link that was there", new().file("way/file", "x")),
        ("a climbing link that was there", new().file(&format!("up{there}/file"), "x")),
        ("a link of its own", new().symlink("l", there).file("l/file", "x")),
        ("a directory through a link", new().symlink("m", there).dir("m/escape")),
        ("a hard link by dots", new().hard_link("h", "../../../../../etc/passwd")),
        ("a hard link through a link", new().symlink("n", there).hard_link("h", "n/file").file("h", "x")),
        ("a link, then a file over it", new().symlink("o", &format!("{there}/file")).file("o", "x")),
        ("overlay's attributes", new().pax(&[("SCHILY.xattr.trusted.overlay.redirect", b"/")]).dir("p")),
    ] {
        // Refused, or made harmless by what the link means in the container.
        let _ = web.put("/dir", &archive.end(), Extract::default());
        let names: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["file"], "{name}");
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "untouched", "{name}");
    }
    assert!(!web.store.dir.path().join("escape").exists());
}

#[test]
fn a_mounted_file_is_written_where_it_is() {
    let Some(web) = Web::new() else { return };
    let hosts = web.store.dir.path().join("hosts");
    fs::write(&hosts, "long old content").unwrap();
    let view = web.store.layers.view("web", WRITABLE, &[bind(&hosts, "/etc/hosts", false)]).unwrap();
    let etc = Path::new("/etc");
    let archive = Builder::new().file("hosts", "new").end();
    view.extract(etc, archive.as_slice(), Extract::default()).unwrap();
    assert_eq!(fs::read_to_string(&hosts).unwrap(), "new");
    let archive = Builder::new().dir("hosts").end();
    let error = view.extract(etc, archive.as_slice(), Extract::default()).unwrap_err();
    assert!(errors::chain(&error).contains("busy"), "{error}");
    view.extract(Path::new("/"), Builder::new().file("etc", "x").end().as_slice(), Extract::default())
        .unwrap_err();
    assert_eq!(fs::read_to_string(&hosts).unwrap(), "new", "what is mounted is not deleted");
}
