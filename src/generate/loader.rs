//! Scenes read in a thread of their own, one at a time, before their turn comes.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};

use super::walkable::{Walkable, WalkableConfig, WalkableError};
use crate::scene::SceneSource;

/// A thread that makes scenes walkable. Dropping it does not wait for a scene in hand: the thread ends after it.
#[derive(Debug)]
pub struct Loader {
    requests: Sender<SceneSource>,
    loaded: Receiver<(SceneSource, Result<Walkable, WalkableError>)>,
    requested: Option<SceneSource>,
    _thread: JoinHandle<()>,
}

impl Loader {
    /// Starts the thread, which waits for the first request.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn spawn(config: WalkableConfig) -> std::io::Result<Self> {
        let (requests, asked) = crossbeam_channel::bounded::<SceneSource>(1);
        let (sender, loaded) = crossbeam_channel::bounded(1);
        let thread = std::thread::Builder::new()
            .name("covista-scenes".to_owned())
            .spawn(move || {
                for source in asked {
                    let outcome = Walkable::load(&source, &config);
                    if sender.send((source, outcome)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            requests,
            loaded,
            requested: None,
            _thread: thread,
        })
    }

    /// True while a scene is asked for and not yet taken.
    pub fn is_busy(&self) -> bool {
        self.requested.is_some()
    }

    /// Asks for a scene; while one is under way nothing happens.
    pub fn request(&mut self, source: &SceneSource) {
        if self.requested.is_none() && self.requests.send(source.clone()).is_ok() {
            self.requested = Some(source.clone());
        }
    }

    /// The scene, which is waited for; one that was asked for in vain is let go first.
    ///
    /// # Errors
    /// As [`Walkable::load`].
    pub fn take(&mut self, source: &SceneSource) -> Result<Walkable, WalkableError> {
        loop {
            self.request(source);
            let Ok((found, outcome)) = self.loaded.recv() else {
                return Err(WalkableError::NoReader);
            };
            self.requested = None;
            if found == *source {
                return outcome;
            }
        }
    }
}
