//! Which of several processes may write an output: an object that only one can make.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{ObjectFolder, Put, StoreError, Version};

/// How long a claim holds after its owner was last heard of.
pub const LEASE: Duration = Duration::from_secs(60);
/// Time between two looks at another's claim.
const LOOK: Duration = Duration::from_secs(2);
/// Name of the object.
const NAME: &str = "claim";

/// A claim that this process holds.
///
/// A thread renews it while the value lives; whoever finds one that does not change for a [`LEASE`], by his own clock,
/// takes it over by a conditional write, so that of several only one does.
#[derive(Debug)]
pub struct Claim {
    folder: Arc<ObjectFolder>,
    mark: String,
    lost: Arc<AtomicBool>,
    /// Ends the thread when it is dropped.
    _beating: Sender<()>,
}

impl Claim {
    /// Claims `folder` for `owner`, a line of text that tells processes apart.
    ///
    /// A claim of the same owner is taken over at once: the caller knows that no other process has that name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where another process holds it; [`StoreError::Request`].
    pub fn take(folder: &Arc<ObjectFolder>, owner: &str) -> Result<Self, StoreError> {
        // Tells this claim from an earlier one of the same owner.
        let mark = format!("{owner}\nprocess {}\n", std::process::id());
        let version = take(folder, owner, &text(&mark, 0))?;
        let lost = Arc::new(AtomicBool::new(false));
        let (sender, ended) = bounded(0);
        let (theirs, beaten, told) = (Arc::clone(folder), mark.clone(), Arc::clone(&lost));
        std::thread::spawn(move || {
            if beat(&theirs, &beaten, version, &ended) {
                told.store(true, Ordering::SeqCst);
            }
        });
        Ok(Self {
            folder: Arc::clone(folder),
            mark,
            lost,
            _beating: sender,
        })
    }

    /// Whether it is still held, as of the last beat.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where another process took it over.
    pub fn check(&self) -> Result<(), StoreError> {
        match self.lost.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(StoreError::Busy {
                owner: "it took over after this one was not heard of for a minute".into(),
                url: self.folder.url().into(),
            }),
        }
    }

    /// Gives the output free, unless another has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn release(self) -> Result<(), StoreError> {
        match self.folder.get(NAME)? {
            Some((content, _)) if content.starts_with(self.mark.as_bytes()) => self.folder.delete(NAME),
            _ => Ok(()),
        }
    }
}

/// Makes the object, or takes it over where its owner is this one or is not heard of.
fn take(folder: &ObjectFolder, owner: &str, text: &[u8]) -> Result<Version, StoreError> {
    if let Put::Done(version) = folder.put_new(NAME, text.to_vec())? {
        return Ok(version);
    }
    let busy = |other: &[u8]| StoreError::Busy {
        owner: first_line(other),
        url: folder.url().into(),
    };
    if let Some((content, version)) = folder.get(NAME)? {
        if first_line(&content) != owner {
            tracing::warn!(
                "{} is claimed by {}; looking for {} s whether that process lives",
                folder.url(),
                first_line(&content),
                LEASE.as_secs()
            );
            let since = Instant::now();
            while since.elapsed() < LEASE {
                std::thread::sleep(LOOK);
                match folder.get(NAME)? {
                    Some((now, _)) if now == content => {}
                    Some((now, _)) => return Err(busy(&now)),
                    None => break,
                }
            }
        }
        match folder.put_over(NAME, text.to_vec(), &version)? {
            Put::Done(version) => return Ok(version),
            // Given back, or taken by a third, or by an attempt of this one whose answer was lost.
            Put::Refused => {}
        }
    }
    if let Put::Done(version) = folder.put_new(NAME, text.to_vec())? {
        return Ok(version);
    }
    match folder.get(NAME)? {
        Some((content, version)) if content == text => Ok(version),
        other => Err(busy(&other.map(|(content, _)| content).unwrap_or_default())),
    }
}

/// Renews the claim until `ended` closes; true where it was lost.
fn beat(folder: &ObjectFolder, mark: &str, mut version: Version, ended: &Receiver<()>) -> bool {
    for count in 1.. {
        match ended.recv_timeout(LEASE / 4) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return false,
        }
        match folder.put_over(NAME, text(mark, count), &version) {
            Ok(Put::Done(now)) => version = now,
            Ok(Put::Refused) => match folder.get(NAME) {
                // An attempt whose answer was lost.
                Ok(Some((content, now))) if content.starts_with(mark.as_bytes()) => version = now,
                Ok(_) => return true,
                Err(error) => tracing::warn!("the claim could not be read: {error}"),
            },
            // Nobody else can take it over while the store is down; what is uploaded meets the same trouble and ends the run.
            Err(error) => tracing::warn!("the claim could not be renewed: {error}"),
        }
    }
    false
}

fn text(mark: &str, beat: u64) -> Vec<u8> {
    format!("{mark}{beat}\n").into_bytes()
}

fn first_line(content: &[u8]) -> String {
    String::from_utf8_lossy(content)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// True for the claim among the names below a folder of sets.
pub(super) fn is_claim(name: &str) -> bool {
    name.rsplit('/').next() == Some(NAME)
}
