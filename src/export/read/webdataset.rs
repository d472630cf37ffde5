//! A sample of WebDataset shards.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::{ReadPair, json, listed, no_such_pair, of_view_pair};
use crate::export::native::decode_pair;
use crate::export::webdataset::SIZES;
use crate::export::{ExportError, Format};

pub(super) fn read(path: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let shards = match path.is_dir() {
        true => listed(path, |name| name.ends_with(".tar"))?,
        false => vec![path.to_path_buf()],
    };
    // With the sizes at hand only one shard is read.
    let sizes = path.join(SIZES);
    let sizes = if sizes.exists() { Some(json(&sizes)?) } else { None };
    let mut before = 0;
    let mut found = None;
    for shard in shards {
        let name = shard.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let known = sizes.as_ref().and_then(|sizes| sizes[&name].as_u64());
        let inside = index.checked_sub(before).filter(|_| found.is_none());
        match known {
            Some(count) if inside.is_none_or(|i| i >= count) => before += count,
            _ => {
                let (sample, count) = sample(&shard, inside)?;
                found = found.or(sample.map(|sample| (shard, sample)));
                before += known.unwrap_or(count);
            }
        }
    }
    let (shard, (key, files)) = found.ok_or_else(|| no_such_pair(path, index, before))?;
    let pair = decode_pair(&shard.join(&key), &files)?;
    let name = format!("{} {key}", shard.display());
    Ok(of_view_pair(Format::Webdataset, before, name, pair))
}

type Sample = (String, BTreeMap<String, Vec<u8>>);

/// The sample at a place of a shard, and the number of samples: files of one key stand together.
fn sample(shard: &Path, wanted: Option<u64>) -> Result<(Option<Sample>, u64), ExportError> {
    let failed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::NotFound => ExportError::read(shard, e),
        _ => ExportError::damaged(shard, e.to_string()),
    };
    let file = File::open(shard).map_err(|e| ExportError::read(shard, e))?;
    let mut archive = tar::Archive::new(BufReader::new(file));
    let (mut count, mut last) = (0u64, None);
    let mut found: Option<Sample> = None;
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.to_string_lossy().into_owned();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let (stem, field) = name.split_once('.').unwrap_or((name, ""));
        let key = format!("{folder}/{stem}").trim_start_matches('/').to_string();
        if last.as_ref() != Some(&key) {
            last = Some(key.clone());
            count += 1;
        }
        if wanted == Some(count - 1) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(failed)?;
            // What the native format calls pair.json.
            let field = if field == "json" { "pair.json" } else { field };
            let (_, files) = found.get_or_insert_with(|| (key, BTreeMap::new()));
            files.insert(field.to_string(), bytes);
        }
    }
    Ok((found, count))
}
