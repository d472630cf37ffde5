//! `--format` and what belongs to it: where a run keeps its native set, and the conversion at its end.
//!
//! One format stands at `--out` itself, several in one folder each below it. Whatever is asked for, the run
//! writes a native set, which can be continued; the others are made from it when it is whole. A native set
//! that nobody asked for is kept in a hidden folder until then.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use covista::export::native::{NativeReader, RunRecord};
use covista::export::{self, DepthFormat, ExportError, ExportOptions, Format};

use super::common;
use super::exit::Failure;

/// Which formats, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct FormatArgs {
    /// Formats, separated by commas: native, mimic, croco, dust3r, webdataset, parquet, colmap, nerfstudio,
    /// safetensors, npy. Several get one folder each below --out
    #[arg(
        long = "format",
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "native"
    )]
    formats: Vec<Format>,
    /// Name of the whole: title of the card, first level of folders of a MIMIC tree
    #[arg(long, value_name = "NAME", default_value = "Covista")]
    dataset_name: String,
    /// Pairs in one tar shard or Parquet file
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    shard_pairs: u64,
    /// Pairs in one batch of safetensors or npy
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    batch_pairs: u64,
    /// Depth files of the CroCo and DUSt3R trees
    #[arg(long, value_enum, default_value_t = Depth::Exr)]
    depth: Depth,
    /// Licence of the source scenes, for the card: an identifier such as cc-by-4.0, or a sentence
    #[arg(long, value_name = "TEXT")]
    scene_license: Option<String>,
}

/// The values of `--depth`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Depth {
    /// OpenEXR, 16-bit floats, as the released sets
    Exr,
    /// OpenEXR, 32-bit floats
    Exr32,
    /// NumPy float32
    Npy,
    /// None
    None,
}

impl FormatArgs {
    /// Where everything goes below `out`.
    pub fn layout<'a>(&'a self, out: &'a Path) -> anyhow::Result<Layout<'a>> {
        let mut formats = self.formats.clone();
        formats.sort();
        formats.dedup();
        if out.file_name().is_none() {
            return Err(Failure::arguments(format!(
                "--out must name a folder to make, not {}",
                out.display()
            )));
        }
        let depth = match self.depth {
            Depth::Exr => DepthFormat::Exr,
            Depth::Exr32 => DepthFormat::Exr32,
            Depth::Npy => DepthFormat::Npy,
            Depth::None => DepthFormat::None,
        };
        let options = ExportOptions {
            dataset: self.dataset_name.clone(),
            shard_pairs: self.shard_pairs,
            batch_pairs: self.batch_pairs,
            depth,
            scene_license: self.scene_license.clone(),
        };
        Ok(Layout { formats, out, options })
    }
}

/// The folders of one output.
#[derive(Debug, Clone)]
pub struct Layout<'a> {
    formats: Vec<Format>,
    out: &'a Path,
    options: ExportOptions,
}

impl Layout<'_> {
    /// Where the run writes its native set.
    pub fn native_dir(&self) -> PathBuf {
        match (self.formats.as_slice(), self.has_native()) {
            ([Format::Native], _) => self.out.to_path_buf(),
            ([_], _) => export::beside(self.out, "work"),
            (_, true) => self.out.join(Format::Native.name()),
            (_, false) => self.out.join(".native"),
        }
    }

    /// Refuses to start a run over what is there and may not be replaced.
    pub fn check(&self, overwrite: bool) -> anyhow::Result<()> {
        export::may_write(self.out, overwrite)?;
        export::may_write(&self.native_dir(), overwrite)?;
        Ok(())
    }

    /// Removes what a new run replaces.
    pub fn clear(&self) -> anyhow::Result<()> {
        self.check(true)?;
        export::remove(self.out)?;
        export::remove(&self.native_dir())?;
        Ok(())
    }

    /// True where a run with this record has ended already with so many pairs and only its result was kept.
    pub fn is_complete(&self, run: &RunRecord, pairs: u64) -> anyhow::Result<bool> {
        let path = self.out.join(export::RECORD);
        let Ok(text) = std::fs::read(&path) else {
            return Ok(false);
        };
        let damaged = |error: serde_json::Error| ExportError::damaged(&path, error.to_string());
        let record: serde_json::Value = serde_json::from_slice(&text).map_err(damaged)?;
        let found: RunRecord = serde_json::from_value(record["run"].clone()).map_err(damaged)?;
        match found.difference(run) {
            None => match record["counters"]["pairs"].as_u64() {
                Some(found) if found >= pairs => Ok(true),
                found => Err(Failure::output(format!(
                    "the output holds {} of {pairs} pairs, and the native set that could be continued was not kept: \
                     start again with --overwrite, or ask for the format native too: {}",
                    found.unwrap_or(0),
                    self.out.display()
                ))),
            },
            Some((what, found, expected)) => Err(ExportError::Mismatch {
                what,
                found,
                expected,
                path: self.out.to_path_buf(),
            }
            .into()),
        }
    }

    /// The end of a run: makes the formats from its native set, which is removed where nobody asked for it.
    pub fn export(&self, stop: &AtomicBool) -> anyhow::Result<()> {
        if self.formats == [Format::Native] {
            return Ok(());
        }
        let native = self.native_dir();
        let set = NativeReader::open(&native)?;
        self.convert(&set, true, stop)?;
        if !self.has_native() {
            export::remove(&native)?;
        }
        Ok(())
    }

    /// Makes the formats from a set that lies elsewhere, or in the folder `native` of this output.
    pub fn convert(&self, set: &NativeReader, overwrite: bool, stop: &AtomicBool) -> anyhow::Result<usize> {
        let bar = common::progress((set.len() * self.formats.len()) as u64, "pairs");
        let mut pairs = 0;
        for &format in &self.formats {
            let place = match self.formats.len() {
                1 => self.out.to_path_buf(),
                _ => self.out.join(format.name()),
            };
            if set.dir() == place {
                continue;
            }
            bar.set_message(format.name());
            let before = bar.position();
            let mut keep_going = |done: usize| {
                bar.set_position(before + done as u64);
                !stop.load(Ordering::SeqCst)
            };
            let made = export::convert(set, format, &place, overwrite, &self.options, &mut keep_going);
            pairs = made.map_err(|error| self.short(set, format, error))?;
        }
        if self.formats.len() > 1 {
            export::describe_folder(set, &self.formats, self.out, &self.options)?;
        }
        bar.finish_and_clear();
        Ok(pairs)
    }

    /// An error on the way to `format`, with what is complete and what is missing where there are several.
    fn short(&self, set: &NativeReader, format: Format, error: ExportError) -> anyhow::Error {
        let names = |formats: &[Format]| {
            let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
            names.join(", ")
        };
        let place = self.formats.iter().position(|&one| one == format).unwrap_or(0);
        let (done, missing) = self.formats.split_at(place);
        let told = match (done, missing) {
            ([], [_]) => format!("the {} pairs are not in the format {format} yet", set.len()),
            ([], _) => format!(
                "the {} pairs are in none of the formats yet ({})",
                set.len(),
                names(missing)
            ),
            _ => format!("complete: {}; missing: {}", names(done), names(missing)),
        };
        anyhow::Error::from(error).context(told)
    }

    /// The formats, each once.
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    fn has_native(&self) -> bool {
        self.formats.contains(&Format::Native)
    }
}
