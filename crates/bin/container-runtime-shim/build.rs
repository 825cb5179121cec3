//! Links the shim at a fixed address.
//!
//! A static program that can lie anywhere relocates itself at its start, which makes 280 kB of constants private to
//! each process: two thirds of what a shim has of its own, for every running container.

fn main() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_static = variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static");
    if is_static && variable("CARGO_CFG_TARGET_ENV") == "gnu" {
        for argument in ["-static", "-no-pie"] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
}
