//! The flags that loading into Postgres needs, given here and not in RUSTFLAGS, so that
//! cargo, clippy and the tests share one set of compiled dependencies.
fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,--no-gc-sections");
    println!("cargo:rerun-if-changed=build.rs");
}
