//! Makes the embedded image: compiles its program and wraps it as an OCI layout in a tar file.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::{Path, PathBuf};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const SOURCE: &str = "hello/hello.c";
const NAME: &str = "docker.io/library/hello-world:latest";
/// Fixed, so that one source always makes the same image.
const CREATED: &str = "2026-01-01T00:00:00Z";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let program = compile(&out)?;
    std::fs::write(out.join("hello-world.tar"), archive(&program)?)?;
    Ok(())
}

fn compile(out: &Path) -> Result<Vec<u8>> {
    let program = out.join("hello");
    let compiler = cc::Build::new().opt_level_str("s").pic(false).debug(false).get_compiler();
    let flags = "-nostdlib -static -no-pie -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
                 -fcf-protection=none -s -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,norelro";
    let flags = flags.split_whitespace().filter(|flag| cfg_x86() || !flag.starts_with("-fcf"));
    let status = compiler.to_command().args(flags).arg(SOURCE).arg("-o").arg(&program).status()?;
    if !status.success() {
        return Err(format!("the C compiler failed on {SOURCE}: {status}").into());
    }
    Ok(std::fs::read(program)?)
}

fn cfg_x86() -> bool {
    std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64")
}

/// An OCI image layout with one image of one layer.
fn archive(program: &[u8]) -> Result<Vec<u8>> {
    let layer = tar(&[("hello", program, 0o755)])?;
    let architecture = if cfg_x86() { "amd64" } else { "arm64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": {"Cmd": ["/hello"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        "history": [{"created": CREATED, "created_by": "the image embedded in container-runtime"}],
    })
    .to_string();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    })
    .to_string();
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes());
    entry["annotations"] =
        json!({"io.containerd.image.name": NAME, "org.opencontainers.image.ref.name": "latest"});
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    })
    .to_string();
    let blob = |content: &[u8]| format!("blobs/{}", digest(content).replace(':', "/"));
    tar(&[
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644),
        ("index.json", index.as_bytes(), 0o644),
        (&blob(manifest.as_bytes()), manifest.as_bytes(), 0o644),
        (&blob(config.as_bytes()), config.as_bytes(), 0o644),
        (&blob(&layer), &layer, 0o644),
    ])
}

fn tar(files: &[(&str, &[u8], u32)]) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content, mode) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_767_225_600);
        builder.append_data(&mut header, name, *content)?;
    }
    Ok(builder.into_inner()?)
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}

fn digest(content: &[u8]) -> String {
    let hex: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
