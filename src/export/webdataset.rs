//! Pairs as a tar stream that WebDataset reads: one shard, one sample a pair.
//!
//! A sample's key is `<scene>-<position>-<first view>-<second view>`; its fields are `first.png`,
//! `second.png` (or `.jpg`), `first.depth.npy`, `second.depth.npy` and `json` (what `pair.json` of the
//! native format says). Times, owners and modes are fixed, so the same pairs give the same bytes.
//!
//! A folder of shards is `shard-000000.tar` and up, with `sizes.json` (samples a shard) beside them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::native::{RunRecord, encode_pair};
use super::staged::write;
use super::{ExportError, PairWriter, json};
use crate::view::ViewPair;

/// Name of the file with the number of samples of each shard.
pub const SIZES: &str = "sizes.json";

/// Writes samples to any stream, also to standard output.
pub struct WebDatasetWriter<W: Write> {
    tar: tar::Builder<W>,
    /// Names the stream in errors.
    name: PathBuf,
}

impl<W: Write> WebDatasetWriter<W> {
    /// A shard on `stream`; `name` stands for it in errors.
    pub fn new(stream: W, name: impl Into<PathBuf>) -> Self {
        Self {
            tar: tar::Builder::new(stream),
            name: name.into(),
        }
    }

    /// Appends one sample.
    ///
    /// # Errors
    ///
    /// Where the pair contradicts itself in size, or the stream takes no more.
    pub fn write_pair(&mut self, pair: &ViewPair, run: &RunRecord) -> Result<(), ExportError> {
        let key = key(pair);
        for (name, bytes) in encode_pair(pair, run)? {
            let field = name.strip_prefix("pair.").unwrap_or(&name);
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            self.tar
                .append_data(&mut header, format!("{key}.{field}"), bytes.as_slice())
                .map_err(|e| ExportError::write(&self.name, e))?;
        }
        Ok(())
    }

    /// Ends the archive and hands the stream back.
    ///
    /// # Errors
    ///
    /// Where the stream takes no more.
    pub fn finish(self) -> Result<W, ExportError> {
        let name = self.name;
        let mut stream = self.tar.into_inner().map_err(|e| ExportError::write(&name, e))?;
        stream.flush().map_err(|e| ExportError::write(&name, e))?;
        Ok(stream)
    }
}

/// Writes a folder of shards.
pub(super) struct ShardWriter {
    dir: PathBuf,
    run: RunRecord,
    shard_pairs: u64,
    /// The shard in hand and its samples.
    current: Option<(WebDatasetWriter<BufWriter<File>>, u64)>,
    sizes: Map<String, Value>,
}

impl ShardWriter {
    /// Starts in an empty folder.
    pub(super) fn new(dir: &Path, run: &RunRecord, shard_pairs: u64) -> Self {
        Self {
            dir: dir.to_path_buf(),
            run: run.clone(),
            shard_pairs: shard_pairs.max(1),
            current: None,
            sizes: Map::new(),
        }
    }

    fn start_shard(&self) -> Result<WebDatasetWriter<BufWriter<File>>, ExportError> {
        let path = self.dir.join(self.shard_name());
        let file = File::create(&path).map_err(|e| ExportError::create(&path, e))?;
        Ok(WebDatasetWriter::new(BufWriter::new(file), path))
    }

    fn shard_name(&self) -> String {
        format!("shard-{:06}.tar", self.sizes.len())
    }

    fn end_shard(&mut self) -> Result<(), ExportError> {
        if let Some((shard, samples)) = self.current.take() {
            shard.finish()?;
            self.sizes.insert(self.shard_name(), samples.into());
        }
        Ok(())
    }
}

impl PairWriter for ShardWriter {
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        let (mut shard, samples) = match self.current.take() {
            Some(shard) => shard,
            None => (self.start_shard()?, 0),
        };
        shard.write_pair(pair, &self.run)?;
        self.current = Some((shard, samples + 1));
        match samples + 1 == self.shard_pairs {
            true => self.end_shard(),
            false => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.end_shard()?;
        let sizes = json::pretty(&Value::Object(std::mem::take(&mut self.sizes)));
        write(&self.dir.join(SIZES), sizes.as_bytes())
    }
}

/// The sample's key: no dots, since WebDataset takes what follows the first one as the field.
fn key(pair: &ViewPair) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    // A tar name holds 100 bytes without extensions; the rest of the name takes up to 50.
    let scene: String = pair.origin.scene.chars().map(plain).take(40).collect();
    let [first, second] = pair.origin.views;
    format!("{scene}-{:06}-{first:02}-{second:02}", pair.origin.index)
}
