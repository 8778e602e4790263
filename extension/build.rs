//! Links the extension smaller, where it is built for size.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let is_glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if !is("OPT_LEVEL", "z") || !is_glibc {
        return;
    }
    // Half a megabyte of relocations less, none of which has to be carried out before the extension registers. A static musl build has
    // its own start code for either kind, which the compiler has to choose.
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // The compiler's own linker, which is the default of this target, folds functions that came out the same.
    if is("CARGO_CFG_TARGET_ARCH", "x86_64") {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
