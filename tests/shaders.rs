//! Every shader parses and validates, on a machine without any adapter.
//!
//! Drivers compile shaders when they are first used, so without this a broken one would only show
//! on a machine that can run it.

use naga::valid::{Capabilities, ValidationFlags, Validator};

#[test]
fn every_shader_validates() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    let mut seen = 0;
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the shader folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "wgsl") {
            continue;
        }
        seen += 1;
        let source = std::fs::read_to_string(&path).expect("a readable shader");
        match naga::front::wgsl::parse_str(&source) {
            Err(error) => failures.push(error.emit_to_string_with_path(&source, &path.to_string_lossy())),
            Ok(module) => {
                assert!(!module.entry_points.is_empty(), "{} has no entry point", path.display());
                let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
                if let Err(error) = validator.validate(&module) {
                    failures.push(error.emit_to_string_with_path(&source, &path.to_string_lossy()));
                }
            }
        }
    }
    assert!(seen > 0, "no shaders in {folder}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
