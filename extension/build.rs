//! Links the extension without relocations at start, where the C library allows it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Half a megabyte of relocations less, none of which has to be carried out before the extension registers. A static musl build has
    // its own start code for either kind, which the compiler has to choose.
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let is_small = is("OPT_LEVEL", "z");
    if is_small && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
