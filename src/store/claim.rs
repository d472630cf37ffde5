//! Which of several processes may write an output: an object that only one can make.

use std::time::{Duration, Instant};

use super::{ObjectFolder, Put, StoreError, Version};

/// How long a claim holds after its owner was last heard of.
pub const LEASE: Duration = Duration::from_secs(60);
/// Time between two looks at another's claim.
const LOOK: Duration = Duration::from_secs(2);
/// Name of the object.
const NAME: &str = "claim";

/// A claim that this process holds.
///
/// The owner renews it; whoever finds one that does not change for a [`LEASE`], by his own clock, takes it over by a
/// conditional write, so that of several only one does.
#[derive(Debug)]
pub struct Claim {
    owner: String,
    version: Version,
    beat: u64,
    renewed: Instant,
}

impl Claim {
    /// Claims `folder` for `owner`, a text that tells processes apart.
    ///
    /// A claim of the same owner is taken over at once: the caller knows that no other process has that name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where another process holds it; [`StoreError::Request`].
    pub fn take(folder: &ObjectFolder, owner: &str) -> Result<Self, StoreError> {
        Self::take_after(folder, owner, LEASE)
    }

    fn take_after(folder: &ObjectFolder, owner: &str, lease: Duration) -> Result<Self, StoreError> {
        let held = |version| Self {
            owner: owner.into(),
            version,
            beat: 0,
            renewed: Instant::now(),
        };
        if let Put::Done(version) = folder.put_new(NAME, text(owner, 0))? {
            return Ok(held(version));
        }
        let busy = |other: &[u8]| StoreError::Busy {
            owner: String::from_utf8_lossy(other)
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            url: folder.url().into(),
        };
        let Some((mut content, version)) = folder.get(NAME)? else {
            // Given back this very moment.
            return match folder.put_new(NAME, text(owner, 0))? {
                Put::Done(version) => Ok(held(version)),
                Put::Refused => Err(busy(b"")),
            };
        };
        if content.split(|&b| b == b'\n').next() != Some(owner.as_bytes()) {
            tracing::info!("{} is claimed; looking whether its owner lives", folder.url());
            let since = Instant::now();
            while since.elapsed() < lease {
                std::thread::sleep(LOOK.min(lease));
                match folder.get(NAME)? {
                    Some((now, _)) if now == content => {}
                    Some((now, _)) => return Err(busy(&now)),
                    None => break,
                }
            }
            content = folder.get(NAME)?.map(|(content, _)| content).unwrap_or_default();
        }
        match folder.put_over(NAME, text(owner, 0), &version)? {
            Put::Done(version) => Ok(held(version)),
            Put::Refused => match folder.put_new(NAME, text(owner, 0))? {
                Put::Done(version) => Ok(held(version)),
                Put::Refused => Err(busy(&content)),
            },
        }
    }

    /// Says that the owner lives, where that is due.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where the claim was lost; [`StoreError::Request`].
    pub fn renew(&mut self, folder: &ObjectFolder) -> Result<(), StoreError> {
        if self.renewed.elapsed() < LEASE / 4 {
            return Ok(());
        }
        self.beat += 1;
        match folder.put_over(NAME, text(&self.owner, self.beat), &self.version)? {
            Put::Done(version) => {
                (self.version, self.renewed) = (version, Instant::now());
                Ok(())
            }
            Put::Refused => Err(StoreError::Busy {
                owner: "the claim was lost".into(),
                url: folder.url().into(),
            }),
        }
    }

    /// Gives the output free.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn release(self, folder: &ObjectFolder) -> Result<(), StoreError> {
        folder.delete(NAME)
    }
}

fn text(owner: &str, beat: u64) -> Vec<u8> {
    format!("{owner}\n{beat}\n").into_bytes()
}

/// True for the claim among the names of a folder.
pub(super) fn is_claim(name: &str) -> bool {
    name == NAME
}
