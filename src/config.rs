//! Reads one configuration into the sections that the modules declare.
//!
//! Layers, later ones win: the defaults in code (profile `covista`), the profile's TOML in
//! `configs/`, a file given with `--config`, single keys given with `--set a.b=c`. Unknown keys are
//! refused with the nearest known one. The resolved configuration and its hash go into every output.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::generate::{GenerateConfig, GeneratorConfig, SamplerConfig, SamplerKind};
use crate::navmesh::NavMeshConfig;
use crate::overlap::{GeometricOverlapConfig, HomographyOverlapConfig};
use crate::render::RenderConfig;
use crate::scene::SceneConfig;
use crate::scene::procedural::ProceduralConfig;
use crate::select::{Choose, SelectConfig};
use crate::stream::StreamConfig;
use crate::sweep::SweepConfig;
#[cfg(feature = "train")]
use crate::train::TrainConfig;

/// The profiles that ship inside the program: name and TOML.
pub const PROFILES: [(&str, &str); 10] = [
    ("covista", include_str!("../configs/covista.toml")),
    ("mimic-code", include_str!("../configs/mimic-code.toml")),
    ("mimic-paper", include_str!("../configs/mimic-paper.toml")),
    ("croco", include_str!("../configs/croco.toml")),
    ("croco-v1", include_str!("../configs/croco-v1.toml")),
    ("croco-v2", include_str!("../configs/croco-v2.toml")),
    ("mimic", include_str!("../configs/mimic.toml")),
    ("tiny", include_str!("../configs/tiny.toml")),
    ("quickstart", include_str!("../configs/quickstart.toml")),
    ("smoke", include_str!("../configs/smoke.toml")),
];

/// Everything that decides what is made, one section a module.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Reading of scene files.
    pub scene: SceneConfig,
    /// What invented flats (`--scene procedural:SEED`) are like.
    pub procedural: ProceduralConfig,
    /// Building of the navmesh.
    pub navmesh: NavMeshConfig,
    /// Where the views of a pair come from.
    pub sampler: SamplerConfig,
    /// The agent's protocol.
    pub sweep: SweepConfig,
    /// Drawing of views.
    pub render: RenderConfig,
    /// The image-only overlap metric.
    pub overlap: HomographyOverlapConfig,
    /// The overlap from known geometry.
    pub truth: GeometricOverlapConfig,
    /// Which candidate pair is kept.
    pub select: SelectConfig,
    /// How long to look for pairs.
    pub generate: GenerateConfig,
    /// The way from pairs to batches.
    pub stream: StreamConfig,
    /// The pretraining recipe.
    #[cfg(feature = "train")]
    pub train: TrainConfig,
}

/// Why a configuration was refused (exit code 2).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No profile of that name.
    #[error("there is no profile \"{name}\"; the profiles are {known}{hint}")]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// All names.
        known: String,
        /// The nearest one, if any is near.
        hint: String,
    },
    /// The file could not be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// The operating system's reason.
        source: std::io::Error,
        /// The file.
        path: String,
    },
    /// The text is not TOML.
    #[error("{origin} is not valid TOML: {message}")]
    Syntax {
        /// Which layer.
        origin: String,
        /// What the parser said, with line and column.
        message: String,
    },
    /// A key that no section has.
    #[error("{origin}: unknown key \"{key}\"{hint}")]
    UnknownKey {
        /// Which layer.
        origin: String,
        /// Dotted path of the key.
        key: String,
        /// The nearest known key, or the list of those there are.
        hint: String,
    },
    /// A value of the wrong type or outside its range.
    #[error("{origin}: {message}")]
    Invalid {
        /// Which layer or section.
        origin: String,
        /// What is wrong and what is allowed.
        message: String,
    },
}

impl Config {
    /// Resolves profile, file and `--set` overrides (`a.b=value`, value in TOML or a bare string).
    pub fn load(profile: &str, file: Option<&Path>, overrides: &[String]) -> Result<Self, ConfigError> {
        let text = PROFILES
            .iter()
            .find(|(name, _)| *name == profile)
            .map(|(_, text)| *text)
            .ok_or_else(|| ConfigError::UnknownProfile {
                name: profile.to_owned(),
                known: PROFILES.map(|(name, _)| name).join(", "),
                hint: nearest(profile, PROFILES.map(|(name, _)| name).into_iter())
                    .map(|near| format!("; did you mean \"{near}\"?"))
                    .unwrap_or_default(),
            })?;
        let mut layers = vec![(
            format!("profile {profile}"),
            parse(text, &format!("profile {profile}"))?,
        )];
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                source,
                path: path.display().to_string(),
            })?;
            let origin = path.display().to_string();
            layers.push((origin.clone(), parse(&text, &origin)?));
        }
        for item in overrides {
            layers.push((format!("--set {item}"), parse_override(item)?));
        }
        let mut merged = toml::Table::new();
        let mut config = Self::default();
        for (origin, layer) in layers {
            merge(&mut merged, layer);
            config = deserialize(&merged, &origin)?;
        }
        config.validate()?;
        Ok(config)
    }

    /// The configuration that an output recorded; what it does not name has its default.
    pub fn from_record(record: &serde_json::Value) -> Result<Self, ConfigError> {
        let invalid = |message: String| ConfigError::Invalid {
            origin: "the recorded configuration".to_owned(),
            message: message.replace('\n', " "),
        };
        let config: Self = serde_json::from_value(record.clone()).map_err(|error| invalid(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// The same with single keys changed, as `--set a.b=value` does.
    pub fn with_overrides(&self, overrides: &[String]) -> Result<Self, ConfigError> {
        if overrides.is_empty() {
            return Ok(self.clone());
        }
        let mut merged = parse(&self.to_toml(), "the configuration")?;
        let mut config = self.clone();
        for item in overrides {
            merge(&mut merged, parse_override(item)?);
            config = deserialize(&merged, &format!("--set {item}"))?;
        }
        config.validate()?;
        Ok(config)
    }

    /// Checks every field's range; the message names section, field, value and range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let sections = [
            ("scene", self.scene.validate()),
            ("procedural", self.procedural.validate()),
            ("navmesh", self.navmesh.validate()),
            ("sampler", self.sampler.validate()),
            ("sweep", self.sweep.validate()),
            ("render", self.render.validate()),
            ("overlap", self.overlap.validate()),
            ("truth", self.truth.validate()),
            ("select", self.select.validate()),
            ("generate", self.generate.validate()),
            ("stream", self.stream.validate()),
            #[cfg(feature = "train")]
            ("train", self.train.validate()),
        ];
        for (section, outcome) in sections {
            outcome.map_err(|message| ConfigError::Invalid {
                origin: format!("[{section}]"),
                message,
            })?;
        }
        if !self.render.crop_px.is_multiple_of(self.stream.shrink) {
            return Err(ConfigError::Invalid {
                origin: "[stream]".to_owned(),
                message: format!(
                    "shrink = {} does not divide render.crop_px = {}",
                    self.stream.shrink, self.render.crop_px
                ),
            });
        }
        if self.select.choose == Choose::Random && self.sampler.kind == SamplerKind::Croco {
            return Err(ConfigError::Invalid {
                origin: "[select]".to_owned(),
                message: "choose = \"random\" needs sampler.kind = \"sweep\": CroCo's sampler has no candidates to choose from"
                    .to_owned(),
            });
        }
        Ok(())
    }

    /// The resolved configuration as JSON with sorted keys, the record in every output.
    pub fn to_json(&self) -> serde_json::Value {
        sorted(serde_json::to_value(self).unwrap_or_default())
    }

    /// The resolved configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// The sections that decide which pairs are made and what is in them, as JSON with sorted keys.
    ///
    /// Streaming, training and how long to look are left out: they change what is done with pairs,
    /// not the pairs, so a set may be continued under others.
    pub fn data_json(&self) -> serde_json::Value {
        let mut json = self.to_json();
        if let Some(sections) = json.as_object_mut() {
            for section in ["stream", "train", "generate"] {
                sections.remove(section);
            }
        }
        json
    }

    /// BLAKE3 (hexadecimal) of [`Config::data_json`].
    pub fn data_hash(&self) -> String {
        blake3::hash(self.data_json().to_string().as_bytes())
            .to_hex()
            .to_string()
    }

    /// What the composer needs of it.
    pub fn generator(&self) -> GeneratorConfig {
        GeneratorConfig {
            sampler: self.sampler.clone(),
            sweep: self.sweep.clone(),
            render: self.render.clone(),
            overlap: self.overlap.clone(),
            truth: self.truth.clone(),
            select: self.select.clone(),
        }
    }
}

fn parse(text: &str, origin: &str) -> Result<toml::Table, ConfigError> {
    text.parse::<toml::Table>().map_err(|error| ConfigError::Syntax {
        origin: origin.to_owned(),
        message: error.to_string().trim_end().replace('\n', " | "),
    })
}

/// `a.b=value` as a nested table; a value that is not TOML counts as a string.
fn parse_override(item: &str) -> Result<toml::Table, ConfigError> {
    let invalid = |message: &str| ConfigError::Invalid {
        origin: format!("--set {item}"),
        message: message.to_owned(),
    };
    let (key, value) = item
        .split_once('=')
        .ok_or_else(|| invalid("give it as section.key=value"))?;
    if key.split('.').any(|part| part.trim().is_empty()) {
        return Err(invalid("give it as section.key=value"));
    }
    let parsed = format!("v = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.trim().to_owned()));
    let nested = key.split('.').rev().fold(parsed, |inner, part| {
        toml::Value::Table(toml::Table::from_iter([(part.trim().to_owned(), inner)]))
    });
    match nested {
        toml::Value::Table(table) => Ok(table),
        _ => Err(invalid("give it as section.key=value")),
    }
}

fn merge(base: &mut toml::Table, layer: toml::Table) {
    for (key, value) in layer {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(update)) => merge(inner, update),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn deserialize(table: &toml::Table, origin: &str) -> Result<Config, ConfigError> {
    #[cfg(feature = "train")]
    let table = table.clone();
    #[cfg(not(feature = "train"))]
    let table = {
        let mut table = table.clone();
        table.remove("train");
        table
    };
    serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        match unknown_field(&message) {
            Some((field, known)) => {
                let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
                let dotted = |field: &str| match parent {
                    "" => field.to_owned(),
                    parent => format!("{parent}.{field}"),
                };
                let hint = match nearest(&field, known.iter().map(String::as_str)) {
                    Some(near) => format!("; did you mean \"{}\"?", dotted(near)),
                    None => format!("; known here: {}", known.join(", ")),
                };
                ConfigError::UnknownKey {
                    origin: origin.to_owned(),
                    key: dotted(&field),
                    hint,
                }
            }
            None => ConfigError::Invalid {
                origin: origin.to_owned(),
                message: format!("{path}: {}", message.trim_end().replace('\n', " ")),
            },
        }
    })
}

/// Takes serde's message on unknown fields and variants apart: the field and the known names.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (field, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((field.to_owned(), known))
}

/// The known name that is closest to `name`, if any is close.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The same JSON with the keys of every object in order.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            serde_json::Value::Object(entries.into_iter().collect())
        }
        serde_json::Value::Array(items) => serde_json::Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
