//! Where a set goes: a folder, a shard's folder, or object storage by way of a folder of this machine.

use std::path::{Path, PathBuf};

#[cfg(feature = "object-store")]
use covista::export::ExportError;
use covista::export::Format;
use covista::export::native::{Counters, NativeWriter, RunRecord, ShardRecord};
use covista::shard::{ClaimedFolder, shard_name};
#[cfg(feature = "object-store")]
use covista::store::{Mirror, ObjectFolder, is_object_url};

use super::Args;
use crate::cli::exit::Failure;
use crate::cli::formats::Layout;
#[cfg(feature = "object-store")]
use crate::cli::remote;

/// An output that this process writes.
pub struct Output {
    /// None where the folder is written in place.
    folder: Option<ClaimedFolder>,
    #[cfg(feature = "object-store")]
    mirror: Option<Mirror>,
}

/// Where `--out` and the shard point to.
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A prefix of a bucket.
    Objects(String),
}

/// The folder that `--out` names, its scheme taken off.
pub fn folder_of(out: &Path) -> PathBuf {
    let text = out.to_string_lossy();
    text.strip_prefix("file://")
        .map_or_else(|| out.to_path_buf(), PathBuf::from)
}

impl Place {
    /// Of a command line; `file://` is a folder.
    pub fn of(args: &Args, shard: Option<ShardRecord>, layout: &Layout<'_>) -> anyhow::Result<Self> {
        let text = args.out.to_string_lossy();
        let is_url = text.contains("://") && !text.starts_with("file://");
        if (is_url || shard.is_some()) && layout.formats() != [Format::Native] {
            return Err(Failure::arguments(
                "shards and sets in object storage are written in the native format: merge or fetch them, then run covista export",
            ));
        }
        if is_url && (args.overwrite || args.index.is_some()) {
            return Err(Failure::arguments(
                "--overwrite and --index are for folders: in object storage give another prefix, or remove the objects first",
            ));
        }
        let part = shard.map(|shard| shard_name(shard.index, shard.count));
        Ok(match (is_url, part) {
            (true, Some(part)) => Self::Objects(format!("{}/{part}", text.trim_end_matches('/'))),
            (true, None) => Self::Objects(text.into_owned()),
            (false, Some(part)) => Self::Folder(folder_of(&args.out).join(part)),
            (false, None) => Self::Folder(layout.native_dir()),
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Objects(url) => f.write_str(url),
        }
    }
}

impl Output {
    /// Claims the place, before anything costly is done. `Err(counters)` inside where a complete set is there already.
    pub fn claim(place: &Place, args: &Args, run: &RunRecord) -> anyhow::Result<Result<Self, Counters>> {
        match place {
            Place::Folder(path) => {
                let folder = match run.shard {
                    Some(_) => Some(ClaimedFolder::claim(path)?),
                    None => None,
                };
                Ok(Ok(Self {
                    folder,
                    #[cfg(feature = "object-store")]
                    mirror: None,
                }))
            }
            Place::Objects(url) => Self::claim_objects(url, args, run),
        }
    }

    #[cfg(not(feature = "object-store"))]
    fn claim_objects(url: &str, _: &Args, _: &RunRecord) -> anyhow::Result<Result<Self, Counters>> {
        Err(Failure::arguments(format!(
            "this build writes to folders only; build it with --features object-store for {url}"
        )))
    }

    #[cfg(feature = "object-store")]
    fn claim_objects(url: &str, args: &Args, run: &RunRecord) -> anyhow::Result<Result<Self, Counters>> {
        if !is_object_url(url) {
            return Err(Failure::arguments(format!(
                "{url} is no place to write to: the schemes are file://, s3:// and gs://"
            )));
        }
        let remote = ObjectFolder::open(url)?;
        // With --resume the hash of every file is checked, as in a folder; without, that each is there.
        if !args.resume {
            let counted = remote::finished(&remote, args.scratch.as_deref(), |set| match run.shard {
                None => Err(Failure::output(format!(
                    "a complete set is there already; give another --out: {url}"
                ))),
                Some(_) => match set.run().difference(run) {
                    None => Ok(set.counters().clone()),
                    Some((what, found, expected)) => Err(ExportError::Mismatch {
                        what,
                        found,
                        expected,
                        path: PathBuf::from(format!("{url}/manifest.json")),
                    }
                    .into()),
                },
            })?;
            if let Some(counters) = counted {
                return Ok(Err(counters));
            }
            if run.shard.is_none() && !remote.is_empty()? {
                return Err(Failure::output(format!(
                    "objects are there already; give another --out, or --resume to continue: {url}"
                )));
            }
        }
        let name = format!("covista-{}", &blake3::hash(url.as_bytes()).to_hex()[..16]);
        let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let folder = ClaimedFolder::claim(&scratch.join(name))?;
        let mirror = Mirror::start(remote, folder.temporary(), &owner(folder.temporary()))?;
        Ok(Ok(Self {
            folder: Some(folder),
            mirror: Some(mirror),
        }))
    }

    /// The writer of the set, continued where something is there.
    pub fn writer(&self, place: &Place, resume: bool, run: &RunRecord) -> anyhow::Result<NativeWriter> {
        Ok(match (&self.folder, place) {
            (Some(folder), _) => folder.writer(run)?,
            (None, Place::Folder(path)) if resume => NativeWriter::resume(path, run)?,
            (None, Place::Folder(path)) => NativeWriter::create(path, run)?,
            (None, Place::Objects(url)) => return Err(Failure::output(format!("nothing was claimed at {url}"))),
        })
    }

    /// Says that a pair is complete in its folder.
    #[cfg_attr(
        not(feature = "object-store"),
        allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "objects need both")
    )]
    pub fn written(&mut self, pair: &Path) -> anyhow::Result<()> {
        #[cfg(feature = "object-store")]
        if let Some(mirror) = &mut self.mirror {
            mirror.upload(pair)?;
        }
        let _ = pair;
        Ok(())
    }

    /// Says that this is a good moment to make the progress known.
    #[cfg_attr(
        not(feature = "object-store"),
        allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "objects need both")
    )]
    pub fn checkpoint(&mut self) -> anyhow::Result<()> {
        #[cfg(feature = "object-store")]
        if let Some(mirror) = &mut self.mirror {
            mirror.checkpoint()?;
        }
        Ok(())
    }

    /// Ends an interrupted run.
    pub fn pause(self) -> anyhow::Result<()> {
        #[cfg(feature = "object-store")]
        if let Some(mirror) = self.mirror {
            mirror.pause()?;
        }
        Ok(())
    }

    /// Ends a complete run: the manifest is written last.
    pub fn finish(self, writer: NativeWriter) -> anyhow::Result<Counters> {
        #[cfg(feature = "object-store")]
        let (mirror, folder) = (self.mirror, self.folder);
        #[cfg(not(feature = "object-store"))]
        let folder = self.folder;
        #[cfg(feature = "object-store")]
        if let Some(mirror) = mirror {
            let counters = writer.finish()?;
            mirror.finish()?;
            if let Some(folder) = folder {
                folder.discard();
            }
            return Ok(counters);
        }
        Ok(match folder {
            Some(folder) => folder.finish(writer)?,
            None => writer.finish()?,
        })
    }
}

/// A name that no other living process has: the working folder is locked, and machines and containers differ.
#[cfg(feature = "object-store")]
fn owner(folder: &Path) -> String {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    };
    let machine = read("/etc/machine-id");
    let boot = read("/proc/sys/kernel/random/boot_id");
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| read("/etc/hostname"));
    // Containers of one image on one machine may share all of the above.
    let files = std::fs::read_link("/proc/self/ns/mnt").unwrap_or_default();
    format!("{host} {machine} {boot} {} {}", files.display(), folder.display())
}
