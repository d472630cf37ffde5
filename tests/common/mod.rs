//! What several test files share. Not every file uses every helper.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![allow(dead_code, reason = "each test binary uses a part of this module")]

pub mod agreement;
pub mod made;
pub mod program;
pub mod raycast;
pub mod sampler;
pub mod sweeps;
pub mod tree;

use std::path::PathBuf;

/// The folder of third-party scenes and fixtures beside the checkout, or `None` with a printed "skipped".
///
/// With `COVISTA_REQUIRE_SHARED=1` its absence is a failure.
pub fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("COVISTA_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var("COVISTA_REQUIRE_SHARED").is_ok_and(|v| v == "1");
    assert!(
        !required,
        "COVISTA_REQUIRE_SHARED is set but {} is missing",
        path.display()
    );
    println!("skipped: {} is not here", path.display());
    None
}

/// A device to test with, software before hardware so that results agree between machines, or `None`
/// with a printed "skipped".
///
/// With `COVISTA_REQUIRE_GPU=1` its absence is a failure.
pub fn gpu() -> Option<covista::render::Gpu> {
    use covista::render::{Gpu, GpuConfig};
    let named = std::env::var("COVISTA_ADAPTER").is_ok_and(|name| !name.is_empty());
    let software = GpuConfig {
        adapter: (!named).then(|| "software".to_owned()),
    };
    match Gpu::new(&software).or_else(|_| Gpu::new(&GpuConfig::default())) {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            let required = std::env::var("COVISTA_REQUIRE_GPU").is_ok_and(|v| v == "1");
            assert!(!required, "COVISTA_REQUIRE_GPU is set but: {error}");
            println!("skipped: no adapter");
            None
        }
    }
}
