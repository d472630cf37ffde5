//! Runs seeded cases against one parser and holds it to three promises: no panic, no more memory than stated, no
//! file touched outside the folder that it was given.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::inotify;

use crate::ALLOCATOR;
use crate::mutate::Mutator;

/// Memory is counted for the whole process, so the parsers take turns.
static TURN: Mutex<()> = Mutex::new(());
/// Where and why the last panic was.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());
/// Failures that are listed before a run gives up.
const LISTED: usize = 8;

/// Cases a parser: `COVISTA_CASES`, by default a thousand; `COVISTA_FIRST_CASE` says where to begin.
fn cases() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("COVISTA_FIRST_CASE").unwrap_or(0);
    first..first + number("COVISTA_CASES").unwrap_or(1000)
}

/// What one case came to.
pub enum Outcome {
    /// The parser read it.
    Read,
    /// The parser refused it with an error.
    Refused,
}

impl<T, E> From<Result<T, E>> for Outcome {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Read,
            Err(_) => Self::Refused,
        }
    }
}

/// Bytes that a reader may take for each byte of a case's files beyond what is stated for its target: the damage makes
/// texts of up to 16 MiB, of which reader and damage hold several copies, growing buffers up to twice over.
const PER_BYTE: usize = 12;
/// Times that a case is run before it is said to take too much memory.
const ATTEMPTS: usize = 5;

/// Runs every case of `target`; none may take more than `limit` bytes, and [`PER_BYTE`] for each byte of its files, beyond
/// what was taken before it.
///
/// `case` draws its damage from the mutator, and works in the folder of the [`Fold`]. Some cases must be read and some
/// refused, or the damage tests nothing.
#[track_caller]
pub fn run(target: &str, limit: usize, mut case: impl FnMut(&mut Mutator, &Fold) -> Outcome) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    std::panic::set_hook(Box::new(|panic| {
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string().replace('\n', " ");
    }));
    let fold = Fold::new();
    let (mut read, mut refused, mut most, mut failures) = (0u64, 0u64, 0, Vec::new());
    for number in cases() {
        // Other tests prepare their files meanwhile, and all threads are counted: a case that takes too much does so again.
        let (mut outcome, mut taken, mut allowed) = (Ok(Outcome::Refused), usize::MAX, limit);
        for _ in 0..ATTEMPTS {
            let mut mutator = Mutator::new(target, number);
            fold.written.set(0);
            let before = ALLOCATOR.restart();
            outcome = catch_unwind(AssertUnwindSafe(|| case(&mut mutator, &fold)));
            taken = taken.min(ALLOCATOR.peak().saturating_sub(before));
            allowed = limit + PER_BYTE * fold.written.get();
            if taken <= allowed {
                break;
            }
        }
        most = most.max(taken);
        match outcome {
            Ok(Outcome::Read) => read += 1,
            Ok(Outcome::Refused) => refused += 1,
            Err(_) => {
                let why = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
                failures.push(format!("case {number}: {why}"));
            }
        }
        if taken > allowed {
            failures.push(format!("case {number} took {taken} bytes, {allowed} are stated"));
        }
        failures.extend(fold.touched().into_iter().map(|what| format!("case {number}: {what}")));
        if failures.len() >= LISTED {
            break;
        }
    }
    let _ = std::panic::take_hook();
    println!(
        "{target}: {read} read, {refused} refused, at most {:.1} MB",
        most as f64 / 1e6
    );
    assert!(
        failures.is_empty(),
        "{target} (COVISTA_FIRST_CASE=N COVISTA_CASES=1 repeats case N):\n{}",
        failures.join("\n")
    );
    assert!(read > 0 && refused > 0, "{target}: {read} read, {refused} refused");
}

/// A folder for the files of a case, inside one that nobody may touch.
pub struct Fold {
    outer: tempfile::TempDir,
    inner: PathBuf,
    watch: OwnedFd,
    /// Bytes of the files of the case so far.
    written: Cell<usize>,
}

/// A folder in memory where there are such, for a case is a thousand small files.
pub fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

impl Fold {
    fn new() -> Self {
        let outer = in_memory();
        for (name, bytes) in secrets() {
            std::fs::write(outer.path().join(name), bytes).unwrap();
        }
        let inner = outer.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).unwrap();
        let any = inotify::WatchFlags::OPEN
            | inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::ATTRIB
            | inotify::WatchFlags::CREATE
            | inotify::WatchFlags::DELETE
            | inotify::WatchFlags::MOVE;
        inotify::add_watch(&watch, outer.path(), any).unwrap();
        let written = Cell::new(0);
        Self {
            outer,
            inner,
            watch,
            written,
        }
    }

    /// The folder for the files of a case.
    pub fn path(&self) -> &Path {
        &self.inner
    }

    /// Writes a file of a case and says where it is.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.inner.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // It may be a link to a file that is to stay as it is.
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, bytes).unwrap();
        self.written.set(self.written.get() + bytes.len());
        path
    }

    /// Removes everything of the case before.
    pub fn clear(&self) {
        for entry in std::fs::read_dir(&self.inner).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => std::fs::remove_dir_all(&path).unwrap(),
                false => std::fs::remove_file(&path).unwrap(),
            }
        }
    }

    /// What was done outside the folder since the last call.
    fn touched(&self) -> Vec<String> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.watch, &mut buffer);
        let mut found = Vec::new();
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| name.to_string_lossy().into_owned());
            // Looking into the folder of the case opens it.
            if name.as_deref() != Some("inner") && name.is_some() {
                found.push(format!("{name:?} outside the folder: {:?}", event.events()));
            }
        }
        found
    }
}

impl Drop for Fold {
    fn drop(&mut self) {
        let left: BTreeMap<String, Vec<u8>> = std::fs::read_dir(self.outer.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    std::fs::read(entry.path()).unwrap(),
                )
            })
            .collect();
        if !std::thread::panicking() {
            assert_eq!(left, secrets(), "files outside the folder changed");
        }
    }
}

/// Files that lie outside the folder of a case, where a name may lead.
fn secrets() -> BTreeMap<String, Vec<u8>> {
    let names = ["secret.bin", "secret.png", "secret.mtl", "secret.glb"];
    names
        .map(|name| (name.to_owned(), b"nobody reads this".to_vec()))
        .into()
}
