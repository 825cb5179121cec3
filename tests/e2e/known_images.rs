//! The images of `cargo xtask fixtures`: skopeo reads them, for each platform, and they run.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use tests::fixtures::layout;
use tests::registry::free_port;
use tests::{Need, Run, lacks, skip, wait_until, with_engine};

fn lacking() -> bool {
    let needs = [Need::Root, Need::Program("skopeo"), Need::Program("apt-get"), Need::Program("dpkg-deb")];
    lacks(&needs).inspect(|lacking| skip(lacking)).is_some()
}

fn skopeo(words: &[&str]) -> serde_json::Value {
    let said = Run::of(Command::new("skopeo").args(words)).ok();
    serde_json::from_str(&said).unwrap()
}

#[test]
fn a_fixture_is_one_index_with_a_program_for_each_platform() {
    if lacking() {
        return;
    }
    let image = format!("oci:{}", layout("busybox").display());
    let index = skopeo(&["inspect", "--raw", &image]);
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    // What ELF files have from byte 18 on: the kind of machine.
    for (architecture, machine) in [("amd64", [0x3e, 0]), ("arm64", [0xb7, 0])] {
        let inspected = skopeo(&["inspect", "--override-arch", architecture, &image]);
        assert_eq!(inspected["Architecture"], architecture);
        assert!(inspected["Labels"]["org.opencontainers.image.version"].is_string(), "{inspected}");
        let unpacked = tempfile::tempdir().unwrap();
        let to = format!("dir:{}", unpacked.path().display());
        let copy = ["--override-arch", architecture, "copy", "--quiet", "--insecure-policy", &image, &to];
        Run::of(Command::new("skopeo").args(copy)).ok();
        let layer = inspected["Layers"][0].as_str().unwrap().trim_start_matches("sha256:");
        // Whole: which of its names is the file, and which are links to it, is the archive's affair.
        let root = tempfile::tempdir().unwrap();
        let layer = unpacked.path().join(layer);
        Run::of(Command::new("tar").arg("-C").arg(root.path()).arg("-xf").arg(layer)).ok();
        let program = std::fs::read(root.path().join("bin/busybox")).unwrap();
        assert_eq!((&program[..4], &program[18..20]), (&b"\x7fELF"[..], &machine[..]), "{architecture}");
    }
}

#[test]
fn a_fixture_is_loaded_under_its_name_and_runs() {
    if lacking() {
        return;
    }
    with_engine(|engine| {
        for name in ["busybox:latest", "alpine:latest"] {
            assert_eq!(engine.load(name), format!("Loaded image: {name}\n"));
            let said = engine.docker(&["run", "--rm", name, "sh", "-c", "busybox | head -1; id -un"]).ok();
            assert!(said.starts_with("BusyBox v1.") && said.ends_with("\nroot\n"), "{said}");
        }
    });
}

/// What a server says to `GET /`, once it answers.
fn fetched(host: &str) -> String {
    let mut said = String::new();
    wait_until("an answer", || {
        let Ok(mut stream) = TcpStream::connect(host) else { return false };
        said.clear();
        stream.write_all(format!("GET / HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).is_ok()
            && stream.read_to_string(&mut said).is_ok_and(|length| length > 0)
    });
    said
}

#[test]
fn a_fixture_is_a_registry_that_docker_pushes_to() {
    if lacking() {
        return;
    }
    with_engine(|engine| {
        engine.load("registry:2");
        let host = format!("127.0.0.1:{}", free_port());
        let listen = format!("REGISTRY_HTTP_ADDR={host}");
        engine.docker(&["run", "-d", "--network", "host", "--name", "hub", "-e", &listen, "registry:2"]).ok();
        wait_until("the registry", || TcpStream::connect(&host).is_ok());
        let name = format!("{host}/team/busybox:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        engine.docker(&["push", "-q", &name]).ok();
        engine.docker(&["rmi", &name]).ok();
        assert_eq!(
            engine.docker(&["run", "--rm", &name, "echo", "from the registry"]).ok(),
            "from the registry\n"
        );
        let logs = engine.docker(&["logs", "hub"]).ok();
        assert!(
            logs.contains("PUT /v2/team/busybox/manifests/1") || logs.contains("/v2/team/busybox"),
            "{logs}"
        );
    });
}

#[test]
fn a_fixture_is_nginx_that_serves() {
    if lacking() {
        return;
    }
    with_engine(|engine| {
        for name in ["nginx:1.21", "nginx:alpine"] {
            engine.load(name);
            engine.docker(&["run", "-d", "--name", "web", name]).ok();
            let address = engine.inspect("web", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
            let page = fetched(&format!("{address}:80"));
            assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("Welcome to nginx!"), "{page}");
            wait_until("a line in the log", || {
                engine.docker(&["logs", "web"]).ok().contains("\"GET / HTTP/1.0\" 200")
            });
            engine.docker(&["stop", "web"]).ok();
            assert_eq!(engine.inspect("web", "{{.State.ExitCode}}"), "0", "it ends by itself");
            engine.docker(&["rm", "web"]).ok();
        }
    });
}

#[test]
fn a_fixture_is_python_that_runs_flask_from_pypi() {
    if lacking() {
        return;
    }
    with_engine(|engine| {
        engine.load("python:3.9-slim");
        // The host's certificates and way to PyPI.
        let mut install = vec!["run", "--network", "host", "--name", "pip"];
        let certificates = "/etc/ssl/certs/ca-certificates.crt";
        let bound = format!("{certificates}:/certificates:ro");
        if std::fs::exists(certificates).unwrap() {
            install.extend(["-v", &bound, "-e", "PIP_CERT=/certificates"]);
        }
        for variable in
            ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "https_proxy", "no_proxy"]
        {
            if std::env::var_os(variable).is_some() {
                install.extend(["-e", variable]);
            }
        }
        install.extend(["python:3.9-slim", "pip", "install", "--quiet", "flask"]);
        engine.docker(&install).ok();
        let app = engine.directory().join("app.py");
        let text = "import flask\napp = flask.Flask('web')\n@app.get('/')\ndef hello():\n    return 'Flask ' + flask.__name__\n";
        std::fs::write(&app, text).unwrap();
        engine.docker(&["cp", app.to_str().unwrap(), "pip:/app.py"]).ok();
        let start = r#"CMD ["python", "-m", "flask", "--app", "/app.py", "run", "--host", "0.0.0.0"]"#;
        engine.docker(&["commit", "--change", start, "pip", "web:1"]).ok();
        engine.docker(&["run", "-d", "--name", "web", "web:1"]).ok();
        let address = engine.inspect("web", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
        let page = fetched(&format!("{address}:5000"));
        assert!(page.starts_with("HTTP/1.1 200 OK") && page.ends_with("Flask flask"), "{page}");
    });
}
