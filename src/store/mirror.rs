//! A set on this machine and the same set in object storage.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

use super::claim::{Claim, is_claim};
use super::transfer::{PART_BYTES, Upload, file_error};
use super::{ObjectFolder, ObjectNames, Put, StoreError};

const MANIFEST: &str = "manifest.json";
const JOURNAL: &str = "progress.jsonl";
/// Finished things that may wait for their upload; more make the generator wait.
const WAITING: usize = 64;
/// Files that are handed on at a time where all of a set are gone through.
const BATCH: usize = 256;

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
        let mut files = Vec::new();
        each_file_below(folder, &format!("{name}/"), &mut |file| {
            let path = self.local.join(&file);
            files.push(Upload::whole(file, path)?);
            Ok(())
        })?;
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
        let is_pair = |name: &str| name.len() > 6 && name.split('/').next().is_some_and(|n| n.parse::<u64>().is_ok());
        let (mut present, mut stray) = (ObjectNames::default(), Vec::new());
        self.remote.each_object(|name, _| {
            present.add(name);
            if is_pair(name) && !self.local.join(name).exists() {
                stray.push(name.to_owned());
            }
            Ok(())
        })?;
        let present = present.sorted();
        let mut lacking = Vec::new();
        each_file_below(&self.local, "", &mut |name| {
            if name != MANIFEST && name != JOURNAL && !present.contains(&name) {
                let path = self.local.join(&name);
                lacking.push(Upload::whole(name, path)?);
            }
            match lacking.len() {
                BATCH.. => self.remote.upload(&std::mem::take(&mut lacking)),
                _ => Ok(()),
            }
        })?;
        self.remote.upload(&lacking)?;
        claim.check()?;
        for name in stray {
            // What another run left that was killed before anything listed it.
            self.remote.delete(&name)?;
        }
        self.put_manifest()?;
        self.remote.delete(JOURNAL)?;
        claim.release()
    }

    /// Uploads the manifest where there is none; the same one may be there.
    fn put_manifest(&self) -> Result<(), StoreError> {
        let path = self.local.join(MANIFEST);
        let size = fs::metadata(&path).map_err(|source| file_error(&path, source))?.len();
        if self.remote.size(MANIFEST)?.is_none() {
            if size >= PART_BYTES {
                // Stores know no condition on uploads in parts; the claim keeps others away.
                return self.remote.upload(&[Upload::whole(MANIFEST.into(), path)?]);
            }
            let manifest = fs::read(&path).map_err(|source| file_error(&path, source))?;
            if matches!(self.remote.put_new(MANIFEST, manifest)?, Put::Done(_)) {
                return Ok(());
            }
        }
        let there = self.local.join(".tmp-manifest");
        let found = self.remote.download_one(MANIFEST, &there)?;
        match found && hash_of(&path)? == hash_of(&there)? {
            true => Ok(()),
            false => Err(StoreError::Other {
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
    /// Downloads the manifest of a set that has ended to `path`; false where the prefix holds none. Whether its files are
    /// there as well, [`Self::names`] tells.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`], [`StoreError::File`].
    pub fn download_manifest(&self, path: &Path) -> Result<bool, StoreError> {
        Ok(self.size(JOURNAL)?.is_none() && self.download_one(MANIFEST, path)?)
    }

    /// Downloads every set below the prefix into `local`, as far as it is not there; how many objects there are.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`], [`StoreError::File`].
    pub fn download(&self, local: &Path) -> Result<usize, StoreError> {
        let (mut objects, mut lacking) = (0, Batch::new(self, local));
        self.each_object(|name, _| {
            if !is_plain(name) || is_claim(name) {
                return Ok(());
            }
            objects += 1;
            match local.join(name).exists() {
                true => Ok(()),
                false => lacking.add(name),
            }
        })?;
        lacking.fetch()?;
        Ok(objects)
    }
}

/// Downloads what `local` lacks.
fn fetch(remote: &ObjectFolder, local: &Path) -> Result<(), StoreError> {
    let finished_here = local.join(MANIFEST).exists();
    let journal_here = fs::metadata(local.join(JOURNAL)).map(|data| data.len()).ok();
    let journal_there = remote.size(JOURNAL)?;
    let known_there = journal_there.is_some() || remote.size(MANIFEST)?.is_some();
    if !known_there && !finished_here && journal_here.is_none() {
        // Pairs that nothing lists; they are made again.
        return Ok(());
    }
    // Another machine may have gone on from what this one uploaded: the longer journal knows more.
    let better = |size: u64| !finished_here && journal_here.is_none_or(|here| here < size);
    // The writer makes the folder, and wants to: it is there only where something is fetched.
    let mut lacking = Batch::new(remote, local);
    remote.each_object(|name, size| {
        let wanted = match name {
            JOURNAL => better(size),
            MANIFEST => !finished_here && journal_here.is_none() && journal_there.is_none(),
            name => is_plain(name) && !is_claim(name) && !local.join(name).exists(),
        };
        match wanted {
            true => lacking.add(name),
            false => Ok(()),
        }
    })?;
    lacking.fetch()
}

/// Objects to be downloaded, a batch at a time.
struct Batch<'a> {
    remote: &'a ObjectFolder,
    local: &'a Path,
    wanted: Vec<(String, PathBuf)>,
}

impl<'a> Batch<'a> {
    fn new(remote: &'a ObjectFolder, local: &'a Path) -> Self {
        Self {
            remote,
            local,
            wanted: Vec::new(),
        }
    }

    fn add(&mut self, name: &str) -> Result<(), StoreError> {
        self.wanted.push((name.to_owned(), self.local.join(name)));
        match self.wanted.len() {
            BATCH.. => self.fetch(),
            _ => Ok(()),
        }
    }

    fn fetch(&mut self) -> Result<(), StoreError> {
        match self.wanted.is_empty() {
            true => Ok(()),
            false => self.remote.fetch(self.local, &std::mem::take(&mut self.wanted)),
        }
    }
}

/// The BLAKE3 of a file, however large.
fn hash_of(path: &Path) -> Result<blake3::Hash, StoreError> {
    let mut hasher = blake3::Hasher::new();
    fs::File::open(path)
        .and_then(|mut file| std::io::copy(&mut file, &mut hasher))
        .map_err(|source| file_error(path, source))?;
    Ok(hasher.finalize())
}

/// Names of a shard, a pair and a file at most, none of which can leave its folder.
fn is_plain(name: &str) -> bool {
    let plain = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(known)
    };
    name.split('/').count() <= 3 && name.split('/').all(plain)
}

/// Calls `take` with every file below a folder, named relative to it after `prefix`; hidden ones are unfinished.
fn each_file_below(
    folder: &Path,
    prefix: &str,
    take: &mut dyn FnMut(String) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(|source| file_error(folder, source))? {
        let entry = entry.map_err(|source| file_error(folder, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        match entry.path().is_dir() {
            true => each_file_below(&entry.path(), &format!("{prefix}{name}/"), take)?,
            false => take(format!("{prefix}{name}"))?,
        }
    }
    Ok(())
}
