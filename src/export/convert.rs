//! A native set into any format: pairs are read one by one, the folder appears when it is whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::batches::{BatchWriter, Container};
use super::card::{Overlaps, card};
use super::colmap::ColmapWriter;
use super::mimic::MimicWriter;
use super::native::{NativeReader, PairEntry, Tried};
use super::nerfstudio::NerfstudioWriter;
use super::pair_tree::{Flavour, PairTreeWriter};
use super::parquet::ParquetWriter;
use super::staged::{StagedFolder, write};
use super::webdataset::ShardWriter;
use super::{ExportError, ExportOptions, Format, PairWriter, json as text};

/// What stands in each folder beside the data: format, options and the whole record of the run.
pub const RECORD: &str = "covista.json";
/// The dataset card.
pub const CARD: &str = "README.md";

/// Converts a set into a folder at `place` and says how many pairs it holds.
///
/// `keep_going` is asked before each pair, with the number of pairs done. Scenes that have a folder each
/// are written one after the other, else the order is that of the set. The same set gives the same bytes.
///
/// # Errors
///
/// [`ExportError::Exists`] where `place` is there and `overwrite` is not set, [`ExportError::Foreign`] where it
/// holds something else; [`ExportError::Damaged`] for the set; [`ExportError::Stopped`] where `keep_going` said
/// no; write errors. After an error `place` is as before.
pub fn convert(
    set: &NativeReader,
    format: Format,
    place: &Path,
    overwrite: bool,
    options: &ExportOptions,
    keep_going: &mut dyn FnMut(usize) -> bool,
) -> Result<usize, ExportError> {
    let staged = StagedFolder::start(place, overwrite)?;
    let stopped = || ExportError::Stopped { path: place.into() };
    let mut overlaps = Overlaps::of(set.run().selection.measure);
    let mut done = 0;
    if format == Format::Native {
        for entry in set.entries() {
            if !keep_going(done) {
                return Err(stopped());
            }
            let entry = entry?;
            set.copy_pair(&entry, staged.path())?;
            overlaps.add(&set.overlaps(&entry)?);
            done += 1;
        }
        set.copy_records(staged.path())?;
    } else {
        let mut writer = open(set, format, staged.path(), options)?;
        for entry in ordered(set, format) {
            if !keep_going(done) {
                return Err(stopped());
            }
            let pair = set.pair(&entry?)?;
            if format.needs_geometry() && !(pair.first.has_geometry() && pair.second.has_geometry()) {
                return Err(ExportError::Unfit {
                    format: format.name(),
                    why: "depth and poses of these pairs are not known (native, mimic and webdataset do without)"
                        .into(),
                });
            }
            overlaps.add(&pair.overlaps);
            writer.write_pair(&pair)?;
            done += 1;
        }
        writer.finish()?;
    }
    let record = record(set, &[format], options)?;
    write(&staged.path().join(RECORD), text::pretty(&record).as_bytes())?;
    let card = card(set, &[format], options, &overlaps);
    write(&staged.path().join(CARD), card.as_bytes())?;
    staged.finish()?;
    Ok(done)
}

/// Writes card and record of a folder that holds several formats, each in the folder of its name.
///
/// # Errors
///
/// [`ExportError::Damaged`] for the set; write errors.
pub fn describe_folder(
    set: &NativeReader,
    formats: &[Format],
    dir: &Path,
    options: &ExportOptions,
) -> Result<(), ExportError> {
    let mut overlaps = Overlaps::of(set.run().selection.measure);
    for entry in set.entries() {
        overlaps.add(&set.overlaps(&entry?)?);
    }
    let record = record(set, formats, options)?;
    write(&dir.join(CARD), card(set, formats, options, &overlaps).as_bytes())?;
    write(&dir.join(RECORD), text::pretty(&record).as_bytes())
}

fn open(
    set: &NativeReader,
    format: Format,
    dir: &Path,
    options: &ExportOptions,
) -> Result<Box<dyn PairWriter>, ExportError> {
    let run = set.run();
    let batches = |container| Box::new(BatchWriter::new(dir, container, run, options.batch_pairs));
    Ok(match format {
        Format::Native => {
            return Err(ExportError::Unfit {
                format: "native",
                why: "a native set is copied, not converted".into(),
            });
        }
        Format::Mimic => Box::new(MimicWriter::inside(dir, &options.dataset)?),
        Format::Croco => Box::new(PairTreeWriter::new(dir, Flavour::Croco, options.depth, run)?),
        Format::Dust3r => Box::new(PairTreeWriter::new(dir, Flavour::Dust3r, options.depth, run)?),
        Format::Webdataset => Box::new(ShardWriter::new(dir, run, options.shard_pairs)),
        Format::Parquet => {
            let pairs = set.len() as u64;
            Box::new(ParquetWriter::new(dir, run, options.shard_pairs, pairs)?)
        }
        Format::Colmap => Box::new(ColmapWriter::new(dir, run)),
        Format::Nerfstudio => Box::new(NerfstudioWriter::new(dir, run)),
        Format::Safetensors => batches(Container::Safetensors),
        Format::Npy => batches(Container::Npy),
    })
}

/// The pairs in the order in which a format takes them, read as they are asked for.
fn ordered(set: &NativeReader, format: Format) -> Box<dyn Iterator<Item = Result<PairEntry, ExportError>> + '_> {
    if !format.by_scene() {
        return Box::new(set.entries());
    }
    let scenes = &set.run().scenes;
    let places: BTreeMap<&str, usize> = scenes.iter().map(|scene| scene.name.as_str()).zip(0..).collect();
    let place = |tried: &Tried<'_>| places.get(tried.scene).copied().unwrap_or(usize::MAX);
    // Numbers alone are sorted: a set may have millions of pairs.
    let mut numbers: Vec<(usize, u64)> = Vec::with_capacity(set.len());
    for tried in set.tried() {
        let place = place(&tried);
        numbers.extend(tried.pairs.map(|number| (place, number as u64)));
    }
    // Within a scene the order of the set stays.
    numbers.sort_unstable();
    Box::new(numbers.into_iter().map(|(_, number)| set.entry(number)))
}

fn record(set: &NativeReader, formats: &[Format], options: &ExportOptions) -> Result<serde_json::Value, ExportError> {
    Ok(json!({
        "format": "covista-export",
        "format_version": 1,
        "formats": formats,
        "options": text::to_value(options)?,
        "run": text::to_value(set.run())?,
        "adapters": set.adapters(),
        "counters": text::to_value(set.counters())?,
        "finished": set.is_finished(),
        "scenes": set.run().scenes.iter().map(|scene| &scene.name).collect::<Vec<_>>(),
    }))
}
