//! The files of a reconstruction experiment, written under a temporary name and renamed when complete.

use std::path::{Path, PathBuf};

use covista::evaluate::{ModelLosses, Reconstruction};
use covista::report::reconstruction::{ShownCompletion, model_title, sheet, write_reconstruction};
use covista::validate::push_line;

use super::super::exit::Failure;
use super::pairs::PairLabel;

/// Writes `report.html`, `reconstruction.json`, `losses.csv` and `pictures.png` into the new folder `out`.
pub fn write(
    out: &Path,
    outcome: &Reconstruction,
    models: &[ModelLosses],
    labels: &[PairLabel],
    shown: &[ShownCompletion],
) -> anyhow::Result<()> {
    let temporary = temporary_beside(out);
    let write = || -> anyhow::Result<()> {
        let failed = |error: std::io::Error| Failure::output(format!("cannot write: {error}: {}", temporary.display()));
        std::fs::create_dir_all(&temporary).map_err(failed)?;
        let json = serde_json::to_string_pretty(outcome)?;
        std::fs::write(temporary.join("reconstruction.json"), json + "\n").map_err(failed)?;
        std::fs::write(temporary.join("losses.csv"), lines(models, labels)).map_err(failed)?;
        write_reconstruction(outcome, shown, &temporary.join("report.html"))?;
        if let Some(sheet) = sheet(shown) {
            let saved = sheet.save(temporary.join("pictures.png"));
            saved.map_err(|error| Failure::output(format!("cannot write pictures.png: {error}")))?;
        }
        std::fs::rename(&temporary, out).map_err(failed)
    };
    write().inspect_err(|_| {
        // What is half-written is of no use; the error that stopped it is the one to report.
        let _ = std::fs::remove_dir_all(&temporary);
    })
}

/// A line a pair: where it comes from, its overlaps, and the loss of every model.
fn lines(models: &[ModelLosses], labels: &[PairLabel]) -> String {
    let mut text = String::new();
    let keys = ["scene", "index", "first", "second", "homography", "covisibility"].map(str::to_owned);
    push_line(
        &mut text,
        keys.into_iter().chain(models.iter().map(|m| model_title(&m.model))),
    );
    for (pair, label) in labels.iter().enumerate() {
        let origin = &label.origin;
        let overlap = |overlap: Option<covista::view::Overlap>| overlap.map_or(String::new(), |o| o.min().to_string());
        let key = [
            origin.scene.clone(),
            origin.index.to_string(),
            origin.views[0].to_string(),
            origin.views[1].to_string(),
            overlap(label.overlaps.homography),
            overlap(label.overlaps.covisibility),
        ];
        let losses = models.iter().map(|model| model.losses[pair].normalised.to_string());
        push_line(&mut text, key.into_iter().chain(losses));
    }
    text
}

/// `.NAME.tmp-PID` in the folder of `path`, so that the rename stays on one file system.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp-{}", std::process::id()))
}
