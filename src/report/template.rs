//! Filling the pages, and putting them where they belong.

use std::path::{Path, PathBuf};

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use crate::export::ExportError;

/// What pages include: the head that all share, and the looks of those that show numbers and plots.
const SHARED: [(&str, &str); 2] = [
    ("head.html", include_str!("head.html")),
    ("numbers.css", include_str!("numbers.css")),
];

/// The page that `template` makes of `page`.
///
/// # Errors
///
/// [`ExportError::Unfit`] where the template asks for what `page` does not have.
pub(super) fn fill(template: &'static str, page: impl Serialize) -> Result<String, ExportError> {
    let filled = || -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        for (name, text) in SHARED {
            environment.add_template(name, text)?;
        }
        // Its name says that values are escaped as HTML.
        environment.add_template("page.html", template)?;
        environment.get_template("page.html")?.render(Serde(page))
    };
    filled().map_err(|error| ExportError::Unfit {
        format: "a page",
        why: error.to_string(),
    })
}

/// Writes a file; one that is there is replaced, but only by a whole one.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), ExportError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    std::fs::write(&temporary, text)
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|error| {
            // Half a file is of no use; that removing it may fail too changes nothing.
            let _ = std::fs::remove_file(&temporary);
            ExportError::write(path, error)
        })
}
