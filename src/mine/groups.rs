//! Pictures of one place, gathered by a key in their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::clip::{hash_of, read_frame};
use super::error::MineError;
use super::frame::{Frame, Prepare};
use super::geometry::Geometry;
use super::judge::{Bench, Findings, MineRule, Trial};
use super::list::{Natural, below, walk_pictures};
use super::tally::Unreadable;
use crate::select::Candidate;

/// Pictures that are decoded and described together; each holds about 0.4 MB.
const CHUNK: usize = 64;

/// Which pairs of a group are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepOfGroup {
    /// The smallest overlap in range (supplement 2.1).
    Smallest,
    /// Every one in range (released script).
    All,
}

/// The groups of a folder.
#[derive(Debug, Clone)]
pub struct Groups {
    /// How outputs call the folder.
    pub name: String,
    /// Key and pictures of each group of two or more, keys and names in natural order.
    pub groups: Vec<(String, Vec<PathBuf>)>,
    /// Pictures whose path the pattern does not match.
    pub without_key: u64,
    /// Pictures that are alone with their key.
    pub alone: u64,
    geometry: Option<Geometry>,
    hash: String,
}

impl Groups {
    /// Gathers the pictures of a folder and the folders in it. The key is the group `id` of the pattern, else its
    /// first group, else all that it matches, in the path below the folder.
    ///
    /// # Errors
    /// [`MineError::Read`]; [`MineError::Empty`] where no two pictures share a key.
    pub fn gather(folder: &Path, pattern: &Regex) -> Result<Self, MineError> {
        let pictures = walk_pictures(folder)?;
        let hash = hash_of(&pictures)?;
        let (mut groups, mut without_key): (BTreeMap<Natural, Vec<PathBuf>>, u64) = (BTreeMap::new(), 0);
        let total = pictures.len();
        for path in pictures {
            let relative = below(folder, &path);
            let key = pattern.captures(&relative).and_then(|found| {
                let key = found.name("id").or_else(|| found.get(1)).or_else(|| found.get(0))?;
                Some(key.as_str().to_owned())
            });
            match key {
                Some(key) => groups.entry(Natural(key)).or_default().push(path),
                None => without_key += 1,
            }
        }
        let alone = groups.values().filter(|group| group.len() == 1).count() as u64;
        let groups: Vec<_> = groups
            .into_iter()
            .filter(|(_, group)| group.len() > 1)
            .map(|(key, group)| (key.0, group))
            .collect();
        if groups.is_empty() {
            return Err(MineError::Empty {
                what: format!(
                    "no two of its {total} pictures share a key ({without_key} do not match the pattern at all)"
                ),
                path: folder.to_owned(),
            });
        }
        let full = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        Ok(Self {
            name: full.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            groups,
            without_key,
            alone,
            geometry: Geometry::beside(folder)?,
            hash,
        })
    }

    /// BLAKE3 (hexadecimal) of names and sizes of all pictures.
    pub fn hash_hex(&self) -> &str {
        &self.hash
    }

    /// Whether depth and poses lie beside the pictures.
    pub fn has_geometry(&self) -> bool {
        self.geometry.is_some()
    }
}

/// Makes the pairs of every group; each group's trial is handed to `take` in order, each unreadable picture counted.
/// Groups of more than `largest` pictures are refused. Returns how many pictures were read.
///
/// # Errors
/// Whatever `take` returns.
pub fn mine_groups<E>(
    groups: &Groups,
    keep: KeepOfGroup,
    largest: usize,
    rule: &MineRule,
    unreadable: &mut Unreadable,
    mut take: impl FnMut(&str, Trial) -> Result<(), E>,
) -> Result<u64, E> {
    let bench = Bench {
        rule,
        source: groups.name.clone(),
        source_hash: groups.hash.clone(),
    };
    let (mut read, mut first, mut place) = (0, 0, 0u32);
    while first < groups.groups.len() {
        // Whole groups until a chunk is full.
        let mut end = first;
        let mut batch: Vec<&PathBuf> = Vec::new();
        while end < groups.groups.len() && (end == first || batch.len() < CHUNK) {
            let (_, pictures) = &groups.groups[end];
            if pictures.len() <= largest {
                batch.extend(pictures);
            }
            end += 1;
        }
        let frames: Vec<_> = batch
            .par_iter()
            .map(|path| read_frame(path, groups.geometry.as_ref(), &Prepare::default(), &rule.overlap))
            .collect();
        let mut frames = frames.into_iter();
        for (index, (key, pictures)) in groups.groups.iter().enumerate().take(end).skip(first) {
            let mut findings = Findings::default();
            let mut members: Vec<(u32, Frame)> = Vec::new();
            if pictures.len() > largest {
                findings.refuse("group_too_large");
            } else {
                for (offset, frame) in (0..).zip(frames.by_ref().take(pictures.len())) {
                    match frame {
                        Ok(frame) => members.push((place + offset, frame)),
                        Err(error) => {
                            unreadable.add(&error);
                            findings.refuse("unreadable");
                        }
                    }
                }
            }
            read += members.len() as u64;
            let found = candidates(&bench, &members, &mut findings);
            let kept = found.into_iter().take(match keep {
                KeepOfGroup::Smallest => 1,
                KeepOfGroup::All => usize::MAX,
            });
            let pairs = kept
                .map(|candidate| {
                    let [a, b] =
                        [candidate.first, candidate.second].map(|member| (members[member].0, &members[member].1));
                    bench.pair(index as u64, candidate, a, b)
                })
                .collect();
            take(key, findings.trial(index as u64, pairs))?;
            place += pictures.len() as u32;
        }
        first = end;
    }
    Ok(read)
}

/// Every pair of a group in range, smallest overlap first, ties in the order of names; places are those of `members`.
fn candidates(bench: &Bench<'_>, members: &[(u32, Frame)], findings: &mut Findings) -> Vec<Candidate> {
    let placed: Vec<(u32, &Frame)> = members.iter().map(|(place, frame)| (*place, frame)).collect();
    let mut found = Vec::new();
    for first in 0..placed.len().saturating_sub(1) {
        let others = &placed[first + 1..];
        let selection = bench.compare(&placed[first..=first], others, findings);
        found.extend(selection.in_range.into_iter().map(|candidate| Candidate {
            first,
            second: first + 1 + candidate.second,
            ..candidate
        }));
    }
    // Within one first member they come smallest first, which is not yet the order of names.
    found.sort_by(|a, b| {
        let (x, y) = (a.overlap.min(), b.overlap.min());
        x.total_cmp(&y).then((a.first, a.second).cmp(&(b.first, b.second)))
    });
    if found.is_empty() {
        // The reason that refused most, the first by name of equal ones.
        let most = findings.refused.values().max().copied();
        let reason = findings.refused.iter().find(|(_, count)| Some(**count) == most);
        findings.reason = reason.map(|(name, _)| *name);
    }
    found
}
