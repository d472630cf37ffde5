//! A folder for the time of one command.

use std::path::PathBuf;
use std::time::SystemTime;

/// A folder of this process, below the system's folder for temporary files, that goes away with the value.
pub struct Scratch {
    /// Where it is; not made yet.
    pub path: PathBuf,
}

impl Scratch {
    /// A folder whose name tells whose it is.
    pub fn new(name: &str) -> Self {
        // A process that was killed leaves its folder, and another may get its number.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let moment = now.map_or(0, |now| now.as_nanos());
        Self {
            path: std::env::temp_dir().join(format!("covista-{}-{moment:x}-{name}", std::process::id())),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies among temporary files; there is nobody to tell.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
