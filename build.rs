//! How the program is linked; nothing is generated here.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let is_linux = of("CARGO_CFG_TARGET_OS") == "linux" && of("CARGO_CFG_TARGET_ENV") == "gnu";
    if is_linux {
        // At a fixed address nothing of its own has to be relocated when it starts: that is a
        // megabyte of tables, a fifth of the time that `towtank render` takes for a small overlay.
        println!("cargo::rustc-link-arg-bin=towtank=-no-pie");
    }
}
