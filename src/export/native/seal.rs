//! The seal of a manifest: its last entry, the BLAKE3 of all bytes before it.
//!
//! ```text
//! {
//!   "adapters": [...],
//!   ...
//!   "topdowns": [...],
//!   "seal": "<BLAKE3 of everything up to the `]` of the line above, 64 hexadecimal digits>"
//! }
//! ```
//!
//! It stands last, whatever the order of the other keys, so that it is written and checked in one pass: the file
//! without its last [`TAIL`] bytes is what was hashed.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::file::{Cursor, RecordFile, STREAMED};
use crate::export::ExportError;

/// The key of the seal.
pub const SEAL: &str = "seal";
/// What stands before the digits and after them.
const BEFORE: &[u8] = b",\n  \"seal\": \"";
const AFTER: &[u8] = b"\"\n}\n";
const DIGITS: usize = 2 * blake3::OUT_LEN;
/// Bytes of the seal in the file.
const TAIL: usize = BEFORE.len() + DIGITS + AFTER.len();

/// Passes bytes on and ends them with their seal.
pub struct Sealing<W> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Sealing<W> {
    /// Nothing written yet.
    pub fn new(out: W) -> Self {
        Self {
            out,
            hasher: blake3::Hasher::new(),
        }
    }

    /// Writes the seal and the end of the object whose entries came before.
    pub fn seal(mut self) -> io::Result<W> {
        let digits = self.hasher.finalize().to_hex();
        self.out.write_all(&[BEFORE, digits.as_bytes(), AFTER].concat())?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether the file carries a seal; those of earlier builds do not.
///
/// # Errors
///
/// [`ExportError::Damaged`] where the seal says other bytes than there are; read errors.
pub fn check(file: &Arc<RecordFile>) -> Result<bool, ExportError> {
    let failed = |error| ExportError::read(file.path(), error);
    let Some(sealed) = file.len()?.checked_sub(TAIL as u64) else {
        return Ok(false);
    };
    let mut cursor = Cursor::new(file, STREAMED);
    cursor.seek(sealed).map_err(failed)?;
    let mut tail = [0; TAIL];
    cursor.read_exact(&mut tail).map_err(failed)?;
    let digits = tail.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER));
    let Some(digits) = digits else {
        return Ok(false);
    };
    cursor.seek(0).map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(cursor.take(sealed)).map_err(failed)?;
    match hasher.finalize().to_hex().as_bytes() == digits {
        true => Ok(true),
        false => Err(broken(file)),
    }
}

/// The error of a manifest that is not as it was written.
pub fn broken(file: &RecordFile) -> ExportError {
    ExportError::damaged(
        file.path(),
        "the manifest is not as it was written: its seal does not fit its content. Copy it again from where the set came from, \
         or make the set again; where it was edited on purpose, remove its last entry, \"seal\"",
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn checked(bytes: &[u8]) -> Result<bool, ExportError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        check(&RecordFile::new(file, Path::new("manifest.json")))
    }

    #[test]
    fn a_seal_fits_its_bytes_alone() {
        let text = format!("{{\n  \"a\": [{}0]", "1, ".repeat(100_000));
        let mut sealing = Sealing::new(Vec::new());
        for part in text.as_bytes().chunks(1000) {
            sealing.write_all(part).unwrap();
        }
        let mut bytes = sealing.seal().unwrap();
        assert!(checked(&bytes).unwrap());
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json[SEAL], blake3::hash(text.as_bytes()).to_hex().as_str());
        bytes[77_777] ^= 1;
        assert!(checked(&bytes).unwrap_err().to_string().contains("seal does not fit"));
        assert!(!checked(text.as_bytes()).unwrap());
        assert!(!checked(b"").unwrap());
    }
}
