//! A set on this machine and the same set in object storage.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

use super::claim::{Claim, is_claim};
use super::transfer::{PART_BYTES, Upload, file_error};
use super::{ObjectFolder, Put, StoreError};

const MANIFEST: &str = "manifest.json";
const JOURNAL: &str = "progress.jsonl";
/// Finished things that may wait for their upload; more make the generator wait.
const WAITING: usize = 64;

/// Uploads what is finished while the next is made, and holds the claim on the output.
///
/// The set is written in a folder of this machine. Pairs go up as they are made, the journal after what it lists, the
/// manifest last and only where there is none. What an earlier process uploaded is fetched first, so a machine that is
/// lost costs the pairs since the last journal.
#[derive(Debug)]
pub struct Mirror {
    local: PathBuf,
    remote: Arc<ObjectFolder>,
    /// Files beside the pairs that were handed over.
    sent: BTreeSet<String>,
    /// `None` once the thread has ended.
    sender: Option<Sender<Vec<Upload>>>,
    thread: Option<JoinHandle<Result<Claim, StoreError>>>,
}

impl Mirror {
    /// Claims `remote` and fetches what it holds into `local`, as far as `local` lacks it.
    ///
    /// `owner` tells this process from others.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where another process writes it; [`StoreError::Request`], [`StoreError::File`].
    pub fn start(remote: ObjectFolder, local: &Path, owner: &str) -> Result<Self, StoreError> {
        let remote = Arc::new(remote);
        let claim = Claim::take(&remote, owner)?;
        if let Err(error) = fetch(&remote, local) {
            // Nobody need wait for it; the first failure is what the user wants to know.
            let _ = claim.release();
            return Err(error);
        }
        let (sender, jobs) = bounded::<Vec<Upload>>(WAITING);
        let store = Arc::clone(&remote);
        let thread = std::thread::spawn(move || {
            for files in jobs {
                claim.check()?;
                store.upload(&files)?;
            }
            Ok(claim)
        });
        Ok(Self {
            local: local.to_path_buf(),
            remote,
            sent: BTreeSet::new(),
            sender: Some(sender),
            thread: Some(thread),
        })
    }

    /// Hands the finished folder of a pair over for upload.
    ///
    /// # Errors
    ///
    /// What made an earlier upload fail; [`StoreError::File`].
    pub fn upload(&mut self, folder: &Path) -> Result<(), StoreError> {
        let Ok(name) = folder.strip_prefix(&self.local) else {
            return Ok(());
        };
        let name = name.to_string_lossy();
        let files = files_below(folder)?.into_iter();
        let files = files.map(|file| Upload::whole(format!("{name}/{file}"), folder.join(&file)));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        self.send(files)
    }

    /// Hands the journal over as it is now, after the files beside the pairs: what it lists is uploaded before it.
    ///
    /// # Errors
    ///
    /// As [`Self::upload`].
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.local).map_err(|source| file_error(&self.local, source))? {
            let entry = entry.map_err(|source| file_error(&self.local, source))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let beside = !name.starts_with('.') && name != MANIFEST && name != JOURNAL && entry.path().is_file();
            if beside && self.sent.insert(name.clone()) {
                files.push(Upload::whole(name, entry.path())?);
            }
        }
        if !files.is_empty() {
            self.send(files)?;
        }
        let journal = self.local.join(JOURNAL);
        match journal.exists() {
            // The end of the run removes it.
            true => self.send(vec![Upload::as_it_is(JOURNAL.into(), journal)?]),
            false => Ok(()),
        }
    }

    fn send(&mut self, files: Vec<Upload>) -> Result<(), StoreError> {
        match self.sender.as_ref().map(|sender| sender.send(files)) {
            Some(Ok(())) => Ok(()),
            // The thread ends early only with an error.
            _ => self.join().map(drop),
        }
    }

    fn join(&mut self) -> Result<Option<Claim>, StoreError> {
        self.sender = None;
        let Some(thread) = self.thread.take() else {
            return Ok(None);
        };
        match thread.join() {
            Ok(ended) => ended.map(Some),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Ends an interrupted run: everything made so far is uploaded, the claim given back.
    ///
    /// # Errors
    ///
    /// As [`Self::upload`].
    pub fn pause(mut self) -> Result<(), StoreError> {
        self.checkpoint()?;
        match self.join()? {
            Some(claim) => claim.release(),
            None => Ok(()),
        }
    }

    /// Ends a complete run: what the store lacks is uploaded, the manifest last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Other`] where the store holds another set's manifest; as [`Self::upload`].
    pub fn finish(mut self) -> Result<(), StoreError> {
        let Some(claim) = self.join()? else {
            return Ok(());
        };
        let present = self.remote.list()?;
        let lacking = files_below(&self.local)?.into_iter();
        let lacking = lacking.filter(|name| name != MANIFEST && name != JOURNAL && !present.contains_key(name));
        let lacking = lacking.map(|name| Upload::whole(name.clone(), self.local.join(name)));
        self.remote.upload(&lacking.collect::<Result<Vec<_>, _>>()?)?;
        claim.check()?;
        let is_pair = |name: &str| name.len() > 6 && name.split('/').next().is_some_and(|n| n.parse::<u64>().is_ok());
        for name in present
            .keys()
            .filter(|name| is_pair(name) && !self.local.join(name).exists())
        {
            // What another run left that was killed before anything listed it.
            self.remote.delete(name)?;
        }
        self.put_manifest()?;
        self.remote.delete(JOURNAL)?;
        claim.release()
    }

    /// Uploads the manifest where there is none; the same one may be there.
    fn put_manifest(&self) -> Result<(), StoreError> {
        let path = self.local.join(MANIFEST);
        let manifest = fs::read(&path).map_err(|source| file_error(&path, source))?;
        let there = || Ok(self.remote.get(MANIFEST)?.map(|(there, _)| there));
        let mut found: Option<Vec<u8>> = there()?;
        if found.is_none() {
            if manifest.len() as u64 >= PART_BYTES {
                // Stores know no condition on uploads in parts; the claim keeps others away.
                return self.remote.upload(&[Upload::whole(MANIFEST.into(), path)?]);
            }
            found = match self.remote.put_new(MANIFEST, manifest.clone())? {
                Put::Done(_) => return Ok(()),
                Put::Refused => there()?,
            };
        }
        match found {
            Some(found) if found == manifest => Ok(()),
            _ => Err(StoreError::Other {
                url: format!("{}/{MANIFEST}", self.remote.url()),
            }),
        }
    }
}

impl Drop for Mirror {
    /// After an error elsewhere: what is made goes up, and nobody need wait for the claim to expire.
    fn drop(&mut self) {
        self.sender = None;
        if let Some(Ok(Ok(claim))) = self.thread.take().map(JoinHandle::join) {
            let _ = claim.release();
        }
    }
}

impl ObjectFolder {
    /// The manifest of a finished set under this prefix of which no file is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn complete_manifest(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((manifest, _)) = self.get(MANIFEST)? else {
            return Ok(None);
        };
        let present = self.list()?;
        let whole = !present.contains_key(JOURNAL) && files_of(&manifest).all(|file| present.contains_key(&file));
        Ok(whole.then_some(manifest))
    }

    /// Downloads every set below the prefix into `local`, as far as it is not there; how many objects there are.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`], [`StoreError::File`].
    pub fn download(&self, local: &Path) -> Result<usize, StoreError> {
        let present = self.list()?;
        let names = present.keys().filter(|name| is_plain(name) && !is_claim(name));
        let wanted: Vec<_> = names.map(|name| (name.clone(), local.join(name))).collect();
        let lacking: Vec<_> = wanted.iter().filter(|(_, path)| !path.exists()).cloned().collect();
        self.fetch(local, &lacking)?;
        Ok(wanted.len())
    }
}

/// The files that a manifest lists.
fn files_of(manifest: &[u8]) -> impl Iterator<Item = String> {
    let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap_or_default();
    let mut found = Vec::new();
    for pair in manifest["pairs"].as_array().into_iter().flatten() {
        let folder = pair["folder"].as_str().unwrap_or_default();
        let files = pair["files"].as_object().into_iter().flat_map(|files| files.keys());
        found.extend(files.map(|file| format!("{folder}/{file}")));
    }
    let topdowns = manifest["topdowns"].as_array().into_iter().flatten();
    found.extend(topdowns.filter_map(|entry| entry["file"].as_str()).map(str::to_owned));
    found.into_iter()
}

/// Downloads what `local` lacks.
fn fetch(remote: &ObjectFolder, local: &Path) -> Result<(), StoreError> {
    let present = remote.list()?;
    let finished_here = local.join(MANIFEST).exists();
    let journal_here = fs::metadata(local.join(JOURNAL)).map(|data| data.len()).ok();
    let known_there = [JOURNAL, MANIFEST].iter().any(|name| present.contains_key(*name));
    if !known_there && !finished_here && journal_here.is_none() {
        // Pairs that nothing lists; they are made again.
        return Ok(());
    }
    // Another machine may have gone on from what this one uploaded: the longer journal knows more.
    let better = |size: u64| !finished_here && journal_here.is_none_or(|here| here < size);
    let wanted = present.iter().filter(|(name, size)| match name.as_str() {
        JOURNAL => better(**size),
        MANIFEST => !finished_here && journal_here.is_none() && !present.contains_key(JOURNAL),
        name => is_plain(name) && !is_claim(name) && !local.join(name).exists(),
    });
    let wanted: Vec<_> = wanted.map(|(name, _)| (name.clone(), local.join(name))).collect();
    match wanted.is_empty() {
        // The writer makes the folder, and wants to.
        true => Ok(()),
        false => remote.fetch(local, &wanted),
    }
}

/// Names of a shard, a pair and a file at most, none of which can leave its folder.
fn is_plain(name: &str) -> bool {
    let plain = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(known)
    };
    name.split('/').count() <= 3 && name.split('/').all(plain)
}

/// Files below a folder, relative to it; hidden ones are unfinished.
fn files_below(folder: &Path) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|source| file_error(&folder, source))? {
            let entry = entry.map_err(|source| file_error(&folder, source))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            match entry.path().is_dir() {
                true => folders.push((entry.path(), format!("{prefix}{name}/"))),
                false => found.push(format!("{prefix}{name}")),
            }
        }
    }
    found.sort();
    Ok(found)
}
