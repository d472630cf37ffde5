//! A set on this machine and the same set in object storage.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::claim::{Claim, LEASE, is_claim};
use super::{ObjectFolder, Put, StoreError};

const MANIFEST: &str = "manifest.json";
const JOURNAL: &str = "progress.jsonl";
/// Finished things that may wait for their upload; more make the generator wait.
const WAITING: usize = 64;

/// Uploads what is finished while the next is made, and holds the claim on the output.
///
/// The set is written in a folder of this machine. Pairs go up as they are made, the journal after them, the manifest last and
/// only where there is none. What an earlier process uploaded is fetched first, so a machine that is lost
/// costs the pairs since the last journal.
#[derive(Debug)]
pub struct Mirror {
    local: PathBuf,
    /// `None` once the thread has ended.
    sender: Option<Sender<Job>>,
    thread: Option<JoinHandle<Result<(ObjectFolder, Claim), StoreError>>>,
}

#[derive(Debug)]
enum Job {
    /// A folder or file of the set.
    Upload(String),
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
        let claim = Claim::take(&remote, owner)?;
        fetch(&remote, local)?;
        let (sender, jobs) = bounded::<Job>(WAITING);
        let folder = local.to_path_buf();
        let thread = std::thread::spawn(move || {
            let mut claim = claim;
            loop {
                match jobs.recv_timeout(LEASE / 8) {
                    Ok(Job::Upload(name)) => upload(&remote, &folder, &name)?,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Ok((remote, claim)),
                }
                claim.renew(&remote)?;
            }
        });
        Ok(Self {
            local: local.to_path_buf(),
            sender: Some(sender),
            thread: Some(thread),
        })
    }

    /// Hands a finished folder or file of the set over for upload.
    ///
    /// # Errors
    ///
    /// What made an earlier upload fail.
    pub fn upload(&mut self, path: &Path) -> Result<(), StoreError> {
        let Ok(name) = path.strip_prefix(&self.local) else {
            return Ok(());
        };
        self.send(&name.to_string_lossy())
    }

    /// Hands the journal over: what it lists is uploaded before it.
    ///
    /// # Errors
    ///
    /// As [`Self::upload`].
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        if self.local.join(JOURNAL).exists() {
            self.send(JOURNAL)?;
        }
        Ok(())
    }

    fn send(&mut self, name: &str) -> Result<(), StoreError> {
        let sent = self
            .sender
            .as_ref()
            .map(|sender| sender.send(Job::Upload(name.to_owned())));
        match sent {
            Some(Ok(())) => Ok(()),
            // The thread ends early only with an error.
            _ => self.join().map(drop),
        }
    }

    fn join(&mut self) -> Result<Option<(ObjectFolder, Claim)>, StoreError> {
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
            Some((remote, claim)) => claim.release(&remote),
            None => Ok(()),
        }
    }

    /// Ends a complete run: what the store lacks is uploaded, the manifest last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Other`] where the store holds another set's manifest; as [`Self::upload`].
    pub fn finish(mut self) -> Result<(), StoreError> {
        let Some((remote, mut claim)) = self.join()? else {
            return Ok(());
        };
        let present = remote.list()?;
        for name in files_below(&self.local)? {
            if name != MANIFEST && name != JOURNAL && !present.contains_key(&name) {
                remote.put_file(&name, &self.local.join(&name))?;
                claim.renew(&remote)?;
            }
        }
        let path = self.local.join(MANIFEST);
        let manifest = fs::read(&path).map_err(|source| file_error(&path, source))?;
        match remote.put_new(MANIFEST, manifest.clone())? {
            Put::Done(_) => {}
            Put::Refused if remote.get(MANIFEST)?.is_some_and(|(there, _)| there == manifest) => {}
            Put::Refused => {
                return Err(StoreError::Other {
                    url: format!("{}/{MANIFEST}", remote.url()),
                });
            }
        }
        remote.delete(JOURNAL)?;
        claim.release(&remote)
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

impl ObjectFolder {
    /// Downloads every set below the prefix into `local`, as far as it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`], [`StoreError::File`].
    pub fn download(&self, local: &Path) -> Result<(), StoreError> {
        for name in self.list()?.keys().filter(|name| is_plain(name)) {
            download(self, name, &local.join(name))?;
        }
        Ok(())
    }
}

/// Downloads one object where the file is not there.
fn download(remote: &ObjectFolder, name: &str, path: &Path) -> Result<(), StoreError> {
    if path.exists() {
        return Ok(());
    }
    let Some((bytes, _)) = remote.get(name)? else {
        return Ok(());
    };
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, bytes));
    written.map_err(|source| file_error(path, source))
}

/// Downloads what `local` lacks.
fn fetch(remote: &ObjectFolder, local: &Path) -> Result<(), StoreError> {
    let present = remote.list()?;
    // What is known here is at least as new as what was uploaded from here.
    let known_here = [MANIFEST, JOURNAL].iter().any(|name| local.join(name).exists());
    let journal = present.contains_key(JOURNAL);
    for name in present.keys().filter(|name| is_plain(name) && !is_claim(name)) {
        let record = name == MANIFEST || name == JOURNAL;
        if record && (known_here || (name == MANIFEST && journal)) {
            continue;
        }
        download(remote, name, &local.join(name))?;
    }
    Ok(())
}

/// Names of a shard, a pair and a file at most, none of which can leave its folder.
fn is_plain(name: &str) -> bool {
    let plain = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        !part.is_empty() && !part.starts_with('.') && part.chars().all(known)
    };
    name.split('/').count() <= 3 && name.split('/').all(plain)
}

fn upload(remote: &ObjectFolder, local: &Path, name: &str) -> Result<(), StoreError> {
    let path = local.join(name);
    if !path.is_dir() {
        return remote.put_file(name, &path);
    }
    for file in files_below(&path)? {
        remote.put_file(&format!("{name}/{file}"), &path.join(&file))?;
    }
    Ok(())
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

fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File {
        path: path.display().to_string(),
        source,
    }
}
