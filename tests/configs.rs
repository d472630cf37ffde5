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
    let wrong = message(load("mimic-cod", &[]));
    assert!(wrong.contains("did you mean \"mimic-code\""), "{wrong}");
}

#[test]
fn values_out_of_range_or_of_another_type_are_refused_by_name() {
    for (item, expected) in [
        ("render.hfov_deg=400", "hfov_deg"),
        ("render.size_px=\"wide\"", "render.size_px"),
        ("select.min_overlap=0.9", "overlap"),
        ("stream.reuse=0", "reuse"),
        ("stream.shrink=3", "shrink"),
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
        "select.choose=random",
        "navmesh.agent_radius_m=0.2",
    ] {
        assert_ne!(base, load("covista", &[item]).unwrap().data_hash(), "{item}");
    }
}

#[cfg(feature = "train")]
#[test]
fn the_presets_are_the_published_recipes() {
    use covista::train::{Architecture, Augment, ModelSize, PositionCode};

    // Every published run: AdamW 0.9/0.95, eps 1e-8, decay 0.05, 90 % hidden of 224 px, no clipping.
    for name in ["croco-v1", "croco-v2", "mimic"] {
        let train = load(name, &[]).unwrap().train;
        assert_eq!(
            (train.beta1, train.beta2, train.eps, train.weight_decay),
            (0.9, 0.95, 1e-8, 0.05)
        );
        assert_eq!(
            (train.mask_ratio, train.image, train.patch, train.clip_norm),
            (0.9, 224, 16, 0.0)
        );
        assert_eq!((train.min_lr, train.ema_decay), (0.0, 0.0), "{name}");
    }
    let epochs = |steps: u64, batch: usize, pairs: f64| steps as f64 * batch as f64 / pairs;
    let close = |value: f64, want: f64| assert!((value / want - 1.0).abs() < 1e-5, "{value} is not {want}");

    let v1 = load("croco-v1", &[]).unwrap();
    assert_eq!(
        (v1.render.size_px, v1.render.crop_px, v1.render.hfov_deg),
        (256, 256, 60.0)
    );
    let v1 = v1.train;
    assert_eq!(
        (v1.model, v1.pos, v1.augment, v1.swap),
        (ModelSize::Base, PositionCode::Cosine, Augment::Croco, 0.0)
    );
    assert_eq!(v1.effective_batch(), 256);
    close(v1.peak_lr(), 1.5e-4);
    close(epochs(v1.steps, 256, 1.8e6), 400.0);
    close(epochs(v1.horizon(), 256, 1.8e6), 800.0);
    close(v1.warmup_fraction * 800.0, 40.0);

    let v2 = load("croco-v2", &[]).unwrap().train;
    assert_eq!((v2.model, v2.pos), (ModelSize::Large, PositionCode::Rope));
    assert_eq!((v2.augment, v2.swap), (Augment::Croco, 0.0));
    assert_eq!(v2.effective_batch(), 512);
    close(v2.peak_lr(), 3e-4);
    close(epochs(v2.steps, 512, 7.1e6), 125.0);
    close(v2.warmup_fraction * 250.0, 12.0);

    let mimic = load("mimic", &[]).unwrap();
    assert_eq!(
        mimic.data_hash(),
        load("mimic-code", &[]).unwrap().data_hash(),
        "the same pairs"
    );
    let mimic = mimic.train;
    assert_eq!(
        (mimic.architecture, mimic.pos, mimic.augment, mimic.swap),
        (Architecture::Mimic, PositionCode::Cosine, Augment::None, 0.5)
    );
    assert_eq!((mimic.architecture, mimic.masked_tokens()), (Architecture::Mimic, 177));
    assert_eq!(mimic.effective_batch(), 4096);
    close(mimic.peak_lr(), 2.4e-3);
    close(epochs(mimic.steps, 4096, 3_163_333.0), 200.0);
    close(mimic.warmup_fraction * 200.0, 20.0);

    let tiny = load("tiny", &[]).unwrap().train;
    assert_eq!((tiny.model, tiny.augment), (ModelSize::Tiny, Augment::None));
}
