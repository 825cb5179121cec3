//! Images: `load`, `import`, `images`, `rmi`, `tag`, `inspect`; archives of honest makers and of hostile ones.

use serde_json::json;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use tests::fixtures::{self, Archive};
use tests::{Need, Run, Settings, TestEngine, lacks, skip, with_engine, with_private_engine};

fn write(engine: &TestEngine, name: &str, bytes: &[u8]) -> PathBuf {
    let path = engine.directory().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[track_caller]
fn load(engine: &TestEngine, path: &std::path::Path) -> Run {
    engine.docker(&["load", "--input", path.to_str().unwrap()])
}

#[test]
fn load_tells_what_it_loaded_plain_and_compressed() {
    with_engine(|engine| {
        assert_eq!(load(engine, &fixtures::busybox()).ok(), "Loaded image: busybox:latest\n");
        for (program, name) in
            [("gzip", "b.tar.gz"), ("xz", "b.tar.xz"), ("zstd", "b.tar.zst"), ("bzip2", "b.tar.bz2")]
        {
            if let Some(lacking) = lacks(&[Need::Program(program)]) {
                skip(&lacking);
                continue;
            }
            let packed =
                Command::new(program).args(["-c", "-1"]).arg(fixtures::busybox()).output().unwrap().stdout;
            let path = write(engine, name, &packed);
            let run = load(engine, &path);
            if run.stderr.contains("executable file not found") || run.stderr.contains("decompress it first")
            {
                // Docker's engine unpacks with programs that its host may lack; ours knows gzip and zstd and says so.
                assert!(["b.tar.xz", "b.tar.bz2"].contains(&name), "{run:?}");
                continue;
            }
            assert_eq!(run.ok(), "Loaded image: busybox:latest\n", "{name}");
        }
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "echo", "ok"]).ok(), "ok\n");
    });
}

#[test]
fn an_oci_layout_made_by_skopeo_loads() {
    if let Some(lacking) = lacks(&[Need::Program("skopeo")]) {
        return skip(&lacking);
    }
    // Docker's engine with its own image store can't.
    with_private_engine(Settings::default(), |engine| {
        let path = engine.directory().join("layout.tar");
        let from = format!("docker-archive:{}", fixtures::busybox().display());
        let to = format!("oci-archive:{}:made-by-skopeo:1", path.display());
        let copied =
            Run::of(Command::new("skopeo").args(["copy", "--quiet", "--insecure-policy", &from, &to]));
        copied.ok();
        let said = load(engine, &path).ok();
        assert!(said.starts_with("Loaded image"), "{said}");
        let id = said.trim().rsplit(' ').next().unwrap().to_owned();
        assert_eq!(engine.docker(&["run", "--rm", &id, "echo", "ok"]).ok(), "ok\n");
        engine.docker(&["rmi", "--force", &id]).ok();
    });
}

#[test]
fn import_makes_an_image_of_a_root() {
    with_engine(|engine| {
        let root = fixtures::busybox_root();
        let options =
            ["--change", "CMD [\"echo\", \"imported\"]", "--change", "ENV X=1", "--message", "by test"];
        let id =
            engine.docker(&[&["import"], &options[..], &[root.to_str().unwrap(), "mine:v1"]].concat()).line();
        assert!(id.starts_with("sha256:"), "{id}");
        assert_eq!(engine.docker(&["run", "--rm", "mine:v1"]).ok(), "imported\n");
        assert_eq!(
            engine.inspect("mine:v1", "{{.Id}} {{.Config.Env}} {{.Comment}}"),
            format!("{id} [X=1] by test")
        );
        engine.docker(&["rmi", "mine:v1"]).ok();
    });
}

#[test]
fn images_are_listed_tagged_and_removed() {
    with_engine(|engine| {
        let id = engine.inspect("busybox", "{{.Id}}");
        engine.docker(&["tag", "busybox", "example.org:5000/team/box:v2"]).ok();
        let list = engine.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}", "--no-trunc"]).ok();
        assert!(list.contains("busybox:latest") && list.contains("example.org:5000/team/box:v2"), "{list}");
        assert_eq!(engine.docker(&["images", "-q", "--no-trunc", "example.org:5000/team/box"]).line(), id);
        let table = engine.docker(&["images"]).ok();
        let header = ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"];
        assert_eq!(table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), header);
        let said = engine.docker(&["rmi", "example.org:5000/team/box:v2"]).ok();
        assert_eq!(said, "Untagged: example.org:5000/team/box:v2\n");
        engine.docker(&["rmi", "no-such-image"]).fails(1, "No such image: no-such-image");
        engine.docker(&["tag", "no-such-image", "x"]).fails(1, "No such image: no-such-image");
        engine.docker(&["tag", "busybox", "UPPER"]).fails(1, "");
    });
}

#[test]
fn an_image_in_use_is_not_removed() {
    with_engine(|engine| {
        engine.docker(&["tag", "busybox", "used:1"]).ok();
        engine.docker(&["run", "-d", "--name", "user", "used:1", "sleep", "600"]).ok();
        let id = engine.inspect("used:1", "{{.Id}}");
        let in_use = engine.docker(&["rmi", &id]);
        in_use.fails(1, "image is being used by running container");
        engine.docker(&["rmi", "busybox", "used:1"]).fails(1, "container");
        engine.docker(&["rm", "-f", "user"]).ok();
        engine.docker(&["rmi", "--force", "used:1"]);
        load(engine, &fixtures::busybox()).ok();
    });
}

#[test]
fn whiteouts_opaque_directories_and_links_mean_what_they_should() {
    with_engine(|engine| {
        let mut lower = Archive::default();
        lower.directory("d", 0o755);
        lower.file("d/gone", 0o644, b"x");
        lower.file("d/stays", 0o600, b"stays");
        lower.directory("opaque", 0o755);
        lower.file("opaque/old", 0o644, b"x");
        lower.file("bin/busybox", 0o755, &fs::read(fixtures::BUSYBOX).unwrap());
        lower.link("bin/sh", "bin/busybox");
        lower.symlink("absolute", "/d/stays");
        let mut upper = Archive::default();
        upper.file("d/.wh.gone", 0o644, b"");
        upper.directory("opaque", 0o750);
        upper.file("opaque/.wh..wh..opq", 0o644, b"");
        upper.file("opaque/new", 0o644, b"new");
        upper.file("d/one", 0o755, b"one");
        upper.link("d/hard", "d/one");
        let path = two_layers(engine, &lower.finish(), &upper.finish());
        load(engine, &path).ok();
        let script = "busybox ls d opaque; busybox cat absolute; busybox stat -c '%h %a' d/one; busybox stat -c %a opaque";
        let said = engine
            .docker(&[
                "run",
                "--rm",
                "layers:1",
                "/bin/sh",
                "-c",
                &script.replace("busybox ", "/bin/busybox "),
            ])
            .ok();
        assert_eq!(said, "d:\nhard\none\nstays\n\nopaque:\nnew\nstays2 755\n750\n");
        engine.docker(&["rmi", "layers:1"]).ok();
    });
}

/// An archive of `layers:1`, of two layers.
fn two_layers(engine: &TestEngine, lower: &[u8], upper: &[u8]) -> PathBuf {
    use sha2::{Digest, Sha256};
    let ids: Vec<_> = [lower, upper].iter().map(|layer| hex::encode(Sha256::digest(layer))).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": ids.iter().map(|id| format!("sha256:{id}")).collect::<Vec<_>>() },
    });
    let mut archive = Archive::default();
    archive.file("config.json", 0o644, config.to_string().as_bytes());
    archive.file("lower.tar", 0o644, lower);
    archive.file("upper.tar", 0o644, upper);
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": ["layers:1"], "Layers": ["lower.tar", "upper.tar"] }]);
    archive.file("manifest.json", 0o644, manifest.to_string().as_bytes());
    write(engine, "layers.tar", &archive.finish())
}

/// Its name, and what it puts into a layer.
type Attack<'a> = (&'a str, &'a dyn Fn(&mut Archive));

#[test]
fn hostile_archives_escape_nowhere() {
    with_engine(|engine| {
        let outside = engine.directory().join("outside");
        fs::create_dir(&outside).unwrap();
        let there = outside.to_str().unwrap();
        let attacks: [Attack<'_>; 5] = [
            ("dot-dot", &|layer| layer.raw_file("../../../../../../../../../../tmp/cr-escape-dot-dot", b"x")),
            ("absolute", &|layer| layer.raw_file(&format!("{there}/absolute"), b"x")),
            ("through a symlink", &|layer| {
                layer.symlink("way", there);
                layer.file("way/through", 0o644, b"x");
            }),
            ("a link to outside", &|layer| layer.link("hard", "../../../../../../../../../etc/shadow")),
            ("through a chain", &|layer| {
                layer.symlink("a", "/");
                layer.symlink("b", &format!("a{there}"));
                layer.file("b/chain", 0o644, b"x");
            }),
        ];
        for (name, attack) in attacks {
            let mut layer = Archive::default();
            attack(&mut layer);
            let archive = fixtures::docker_archive("hostile:1", &layer.finish(), &json!({}));
            let path = write(engine, "hostile.tar", &archive);
            // Refused or made harmless: both are right.
            load(engine, &path);
            let escaped: Vec<_> = fs::read_dir(&outside).unwrap().collect();
            assert!(escaped.is_empty(), "{name}: {escaped:?}");
            assert!(!std::path::Path::new("/tmp/cr-escape-dot-dot").exists(), "{name}");
            engine.docker(&["rmi", "--force", "hostile:1"]);
        }
    });
}

#[test]
fn broken_archives_are_refused_and_leave_nothing() {
    with_engine(|engine| {
        let count = || engine.docker(&["images", "-aq"]).ok().lines().count();
        let before = count();
        let whole = fs::read(fixtures::busybox()).unwrap();
        let changed = one_changed_byte();
        for (name, bytes) in [
            ("empty", Vec::new()),
            ("garbage", b"this is no archive".repeat(100)),
            ("truncated", whole[..whole.len() / 2].to_vec()),
            ("no manifest", Archive::default().finish()),
            ("wrong digest", changed),
        ] {
            let path = write(engine, "broken.tar", &bytes);
            let run = load(engine, &path);
            assert_ne!(run.code, 0, "{name}: {run:?}");
            assert_eq!(count(), before, "{name}");
        }
    });
}

/// An archive whose layer is not the one that its configuration names.
fn one_changed_byte() -> Vec<u8> {
    let mut layer = Archive::default();
    layer.file("f", 0o644, b"honest");
    let mut archive = fixtures::docker_archive("bad:1", &layer.finish(), &json!({}));
    let place = archive.windows(6).position(|window| window == b"honest").unwrap();
    archive[place] = b'H';
    archive
}

/// Answers each request by its path: `/root.tar` whole, `/half.tar` half of what it announces, others with 404.
fn serve(content: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let (status, sent) = match request.split(' ').nth(1) {
                Some("/root.tar") => ("200 OK", content.len()),
                Some("/half.tar") => ("200 OK", content.len() / 2),
                _ => ("404 Not Found", 0),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&content[..sent]));
        }
    });
    address
}

#[test]
fn an_archive_is_imported_from_an_address() {
    with_engine(|engine| {
        let host = serve(fs::read(fixtures::busybox_root()).unwrap());
        let url = format!("http://{host}/root.tar");
        let said = engine.docker(&["import", "--change", "ENV PATH=/bin", &url, "fetched:1"]).ok();
        assert!(said.starts_with(&format!("Downloading from {url}\n")) && said.contains("sha256:"), "{said}");
        assert_eq!(engine.docker(&["run", "--rm", "fetched:1", "echo", "hi"]).ok(), "hi\n");
        let said = engine.cr(&["import", &url, "fetched:2"]).ok();
        assert!(said.contains("sha256:"), "{said}");
        let images = engine.docker(&["images", "--quiet"]).ok();
        for (path, why) in [("half.tar", "error decoding response body"), ("none.tar", "404")] {
            let refused = engine.docker(&["import", &format!("http://{host}/{path}"), "bad:1"]);
            assert_eq!(refused.code, 1);
            assert!(refused.stderr.contains(why), "{path}: {}", refused.stderr);
        }
        assert_eq!(engine.docker(&["images", "--quiet"]).ok(), images);
    });
}
