//! Every profile parses and validates; layers and refusals behave.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::Write;

use covista::config::{Config, ConfigError, PROFILES};

fn load(profile: &str, overrides: &[&str]) -> Result<Config, ConfigError> {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    Config::load(profile, None, &overrides)
}

fn message(outcome: Result<Config, ConfigError>) -> String {
    outcome.expect_err("the configuration was accepted").to_string()
}

#[test]
fn every_profile_parses_validates_and_survives_a_round_trip() {
    for (name, text) in PROFILES {
        let config = load(name, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            text.starts_with("# "),
            "{name}: the first line says what the profile is"
        );
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(config.to_toml().as_bytes()).unwrap();
        let again = Config::load("smoke", Some(file.path()), &[]).unwrap();
        assert_eq!(again, config, "{name}: the printed configuration reads back as itself");
    }
}

#[test]
fn every_file_in_configs_is_a_shipped_profile() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            PROFILES.iter().any(|(name, _)| *name == stem),
            "{} is not shipped",
            path.display()
        );
    }
}

#[test]
fn the_covista_profile_is_the_default_in_code() {
    assert_eq!(load("covista", &[]).unwrap(), Config::default());
}

#[test]
fn single_keys_win_over_files_and_profiles() {
    let config = load(
        "mimic-code",
        &["render.size_px=320", "select.max_overlap = 0.7", "scene.up=z"],
    )
    .unwrap();
    assert_eq!(config.render.size_px, 320);
    assert_eq!(config.select.max_overlap, 0.7);
    assert_eq!(config.scene.up, covista::scene::Up::Z);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    let wrong = message(load("covista", &["render.size_pixels=3"]));
    assert!(
        wrong.contains("render.size_pixels") && wrong.contains("render.size_px"),
        "{wrong}"
    );
    let wrong = message(load("covista", &["rendr.size_px=3"]));
    assert!(wrong.contains("rendr") && wrong.contains("render"), "{wrong}");
    let wrong = message(load("mimic", &[]));
    assert!(wrong.contains("mimic-code"), "{wrong}");
}

#[test]
fn values_out_of_range_or_of_another_type_are_refused_by_name() {
    for (item, expected) in [
        ("render.hfov_deg=400", "hfov_deg"),
        ("render.size_px=\"wide\"", "render.size_px"),
        ("select.min_overlap=0.9", "overlap"),
        ("stream.reuse=0", "reuse"),
        ("nonsense", "section.key=value"),
    ] {
        let wrong = message(load("covista", &[item]));
        assert!(wrong.contains(expected), "{item}: {wrong}");
    }
}

#[test]
fn a_broken_file_says_where() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "[render\nsize_px = 3").unwrap();
    let wrong = message(Config::load("covista", Some(file.path()), &[]));
    assert!(
        wrong.contains("line 1") && wrong.contains(&file.path().display().to_string()),
        "{wrong}"
    );
}

#[test]
fn the_data_hash_ignores_streaming_and_training_but_nothing_else() {
    let base = load("covista", &[]).unwrap().data_hash();
    assert_eq!(
        base,
        load("covista", &["stream.reuse=3", "generate.max_positions_per_pair=7"])
            .unwrap()
            .data_hash()
    );
    for item in [
        "render.size_px=320",
        "sweep.sensor_height_min_m=1.0",
        "select.max_overlap=0.7",
        "navmesh.agent_radius_m=0.2",
    ] {
        assert_ne!(base, load("covista", &[item]).unwrap().data_hash(), "{item}");
    }
}
