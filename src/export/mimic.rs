//! The tree that the released pair sets have, with the list that the released loader reads.
//!
//! ```text
//! out/
//!   pairs.csv                       path1,path2,correspondence, relative to this folder
//!   <dataset>/<scene>/<position>/   0000.jpg  0001.jpg  corresponding.npy
//! ```
//!
//! `corresponding.npy` holds one pickled dict, patch of the first view to patch of the second (a
//! zero-dimensional object array, as `numpy.save` writes a dict): read it with
//! `numpy.load(path, allow_pickle=True).item()`. Poses, depth and overlaps have no place in this
//! format; the native one keeps them.

use std::fs;
use std::path::{Path, PathBuf};

use super::scene_folders::folder_name;
use super::staged::Lines;
use super::{ExportError, PairWriter, PictureFormat, encode_picture, npy};
use crate::view::{Correspondence, ViewPair};

/// Name of the list of pairs.
pub const LIST: &str = "pairs.csv";
const TEMPORARY_LIST: &str = ".tmp-list";

/// Writes one tree; the list comes last, so a tree without it is not complete.
#[derive(Debug)]
pub struct MimicWriter {
    dir: PathBuf,
    dataset: String,
    list: Lines,
}

impl MimicWriter {
    /// Starts a tree in a folder that must not exist yet. `dataset` is the first level of folders.
    ///
    /// # Errors
    ///
    /// [`ExportError::Exists`] for a folder that is there, [`ExportError::Create`] where it cannot be made.
    pub fn create(dir: &Path, dataset: &str) -> Result<Self, ExportError> {
        match fs::create_dir(dir) {
            Ok(()) => Self::inside(dir, dataset),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(ExportError::Exists {
                path: dir.to_path_buf(),
            }),
            Err(error) => Err(ExportError::create(dir, error)),
        }
    }

    /// Starts a tree in an empty folder.
    pub(super) fn inside(dir: &Path, dataset: &str) -> Result<Self, ExportError> {
        let mut list = Lines::create(dir.join(TEMPORARY_LIST))?;
        list.line("path1,path2,correspondence")?;
        Ok(Self {
            dir: dir.to_path_buf(),
            dataset: folder_name(dataset),
            list,
        })
    }

    /// Stores a pair in the folder of its position; a further pair of that position gets `-1`, `-2`, ...
    ///
    /// # Errors
    ///
    /// Write errors. After one the tree is as before the call.
    pub fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        let scene = format!("{}/{}", self.dataset, folder_name(&pair.origin.scene));
        let parent = self.dir.join(&scene);
        fs::create_dir_all(&parent).map_err(|e| ExportError::create(&parent, e))?;
        let index = pair.origin.index;
        let mut names = std::iter::once(index.to_string()).chain((1u32..).map(|n| format!("{index}-{n}")));
        let name = names.find(|n| !parent.join(n).exists()).unwrap_or_default();

        let temporary = self.dir.join(".tmp-pair");
        fs::create_dir_all(&temporary).map_err(|e| ExportError::create(&temporary, e))?;
        for (file, bytes) in [
            ("0000.jpg", encode_picture(&pair.first.color, PictureFormat::Jpeg)?),
            ("0001.jpg", encode_picture(&pair.second.color, PictureFormat::Jpeg)?),
            ("corresponding.npy", dict_npy(&pair.correspondence)),
        ] {
            let path = temporary.join(file);
            fs::write(&path, bytes).map_err(|e| ExportError::write(&path, e))?;
        }
        let finished = parent.join(&name);
        fs::rename(&temporary, &finished).map_err(|e| ExportError::write(&finished, e))?;
        let at = |file: &str| format!("{scene}/{name}/{file}");
        let [first, second, matches] = ["0000.jpg", "0001.jpg", "corresponding.npy"].map(at);
        self.list.line(&format!("{first},{second},{matches}"))
    }

    /// Writes the list of pairs: the tree is complete.
    ///
    /// # Errors
    ///
    /// Write errors.
    pub fn finish(self) -> Result<(), ExportError> {
        self.list.finish()?;
        let path = self.dir.join(LIST);
        fs::rename(self.dir.join(TEMPORARY_LIST), &path).map_err(|e| ExportError::write(&path, e))
    }
}

impl PairWriter for MimicWriter {
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        Self::write_pair(self, pair)
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        Self::finish(*self)
    }
}

/// The `.npy` bytes of the dict of matches.
fn dict_npy(matches: &Correspondence) -> Vec<u8> {
    let mut bytes = npy::header("|O", &[]);
    bytes.extend_from_slice(&pickled(matches));
    bytes
}

/// Pickle (protocol 3) of a zero-dimensional object array that holds the dict.
///
/// The opcodes are those of Python's `pickletools`; the classes are named as numpy 1 names them,
/// which numpy 2 understands too.
fn pickled(matches: &Correspondence) -> Vec<u8> {
    // _reconstruct(ndarray, (0,), b"b"), then its state: version 1, shape (), dtype, C order, items.
    let mut out = b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R".to_vec();
    out.extend_from_slice(b"(K\x01)");
    // dtype("O8", False, True) with its own state (3, "|", None, None, None, -1, -1, 63).
    out.extend_from_slice(b"cnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87R");
    out.extend_from_slice(b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb");
    out.extend_from_slice(b"\x89]}(");
    for &(first, second) in &matches.patches {
        for patch in [first, second] {
            out.push(b'M');
            out.extend_from_slice(&patch.to_le_bytes());
        }
    }
    out.extend_from_slice(b"uatb.");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_is_in_the_pickle() {
        let matches = Correspondence {
            grid: 14,
            patches: vec![(3, 195), (258, 4)],
        };
        let bytes = pickled(&matches);
        let items = b"}(M\x03\x00M\xc3\x00M\x02\x01M\x04\x00uatb.";
        assert!(bytes.ends_with(items));
    }
}
