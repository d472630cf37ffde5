//! What lies below a prefix, gone through as the store tells it.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::StreamExt;
use object_store::{Error, ObjectStoreExt};

use super::{ObjectFolder, StoreError};

/// The names below a prefix, 8 bytes each: enough to ask for one.
///
/// Names are kept as 64-bit hashes. Of a million names that are not there, among ten million that are, one is taken for
/// there once in two million times.
#[derive(Debug, Default)]
pub struct ObjectNames {
    hashes: Vec<u64>,
}

impl ObjectNames {
    pub(super) fn add(&mut self, name: &str) {
        self.hashes.push(hash(name));
    }

    /// Sorts what was added, which [`Self::contains`] needs.
    pub(super) fn sorted(mut self) -> Self {
        self.hashes.sort_unstable();
        self
    }

    /// True where an object has this name, relative to the prefix.
    pub fn contains(&self, name: &str) -> bool {
        self.hashes.binary_search(&hash(name)).is_ok()
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

impl ObjectFolder {
    /// Calls `take` with the name, relative to the prefix, and the size in bytes of every object, page after page: what
    /// is in memory does not grow with their number.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`]; what `take` returns.
    pub fn each_object(&self, mut take: impl FnMut(&str, u64) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut listed = self.store.list(Some(&self.prefix));
        // Each is waited for alone, so that `take` may use the store itself.
        while let Some(object) = self.runtime.block_on(listed.next()) {
            let object = object.map_err(|error| self.failed("", &error))?;
            let parts = object.location.prefix_match(&self.prefix);
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            let name: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
            take(&name.join("/"), object.size)?;
        }
        Ok(())
    }

    /// The names of all objects.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn names(&self) -> Result<ObjectNames, StoreError> {
        let mut names = ObjectNames::default();
        self.each_object(|name, _| {
            names.add(name);
            Ok(())
        })?;
        Ok(names.sorted())
    }

    /// True where there is no object; no more than one page is asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        let mut listed = self.store.list(Some(&self.prefix));
        match self.runtime.block_on(listed.next()) {
            None => Ok(true),
            Some(object) => object.map(|_| false).map_err(|error| self.failed("", &error)),
        }
    }

    /// Size of an object in bytes; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn size(&self, name: &str) -> Result<Option<u64>, StoreError> {
        match self.runtime.block_on(self.store.head(&self.path(name))) {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(name, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again_and_others_are_not() {
        let mut names = ObjectNames::default();
        for pair in (0..10_000).rev() {
            names.add(&format!("{pair:06}/pair.json"));
        }
        let names = names.sorted();
        assert!((0..10_000).all(|pair| names.contains(&format!("{pair:06}/pair.json"))));
        assert!((10_000..20_000).all(|pair| !names.contains(&format!("{pair:06}/pair.json"))));
        assert!(!names.contains(""));
    }
}
