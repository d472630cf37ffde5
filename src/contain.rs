//! Panics that are caught: decoders and drivers are other people's code, and must not end a run.
//!
//! What panics inside of [`contained`] is told as an error by whoever called it, so a panic hook may keep quiet about it:
//! [`is_contained`] says so.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs `work`; a panic in it is returned as the value that it carried. Whatever it was changing must be thrown away then.
pub fn contained<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    /// Counts back on every way out.
    struct Inside;
    impl Drop for Inside {
        fn drop(&mut self) {
            DEPTH.with(|depth| depth.set(depth.get() - 1));
        }
    }
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let _inside = Inside;
    catch_unwind(AssertUnwindSafe(work))
}

/// As [`contained`] for work that may fail anyway: a panic is an error with its sentence.
///
/// # Errors
/// Those of `work`.
pub fn or_error<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    contained(work).unwrap_or_else(|panic| Err(said(&*panic).to_owned()))
}

/// Whether a panic of this thread would be caught by [`contained`].
pub fn is_contained() -> bool {
    DEPTH.with(|depth| depth.get() > 0)
}

/// The sentence that a panic carried.
pub fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_caught_at_any_depth() {
        assert!(!is_contained());
        let outer = contained(|| {
            assert!(is_contained());
            let inner = contained(|| -> u8 { panic!("level {}", 2) });
            assert_eq!(said(&*inner.unwrap_err()), "level 2");
            assert!(is_contained());
            7
        });
        assert_eq!(outer.unwrap(), 7);
        assert!(!is_contained());
        assert_eq!(said(&*contained(|| panic!("plain")).unwrap_err()), "plain");
        assert_eq!(
            said(&*contained(|| std::panic::panic_any(3)).unwrap_err()),
            "no reason given"
        );
        assert_eq!(
            or_error(|| -> Result<u8, _> { panic!("broken") }),
            Err("broken".to_owned())
        );
        assert_eq!(or_error(|| Ok(4)), Ok(4));
        assert!(!is_contained());
    }
}
