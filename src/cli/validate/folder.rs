//! The files of a validation folder.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use covista::export::ExportError;
use covista::validate::{
    MeasuredPair, MetricRule, PairKey, PartnerRow, Plan, Table, TableError, parse_partners, partner_lines, plan_lines,
    table,
};
use covista::view::View;

use super::super::exit::Failure;

/// Every candidate pair with all measures.
pub const PAIRS: &str = "pairs.csv";
/// What was measured and from where.
pub const PLAN: &str = "plan.json";
/// The keys of all pairs, for other metrics.
pub const PLAN_LINES: &str = "plan.csv";
/// Patch partners, with `--images`.
pub const PARTNERS: &str = "partners.csv";
/// Pictures, with `--images`.
pub const VIEWS: &str = "views";
/// The page and its numbers.
pub const REPORTS: [&str; 2] = ["report.html", "report.json"];

/// A folder that is being filled, position by position: what is written stays valid if the run ends early.
pub struct FolderWriter {
    dir: PathBuf,
    pairs: File,
    partners: Option<File>,
    metrics: Vec<MetricRule>,
}

impl FolderWriter {
    /// Makes the folder; what an earlier validation left in it is removed.
    pub fn create(dir: &Path, metrics: Vec<MetricRule>, images: bool) -> Result<Self, ExportError> {
        std::fs::create_dir_all(dir).map_err(|error| ExportError::create(dir, error))?;
        for name in [PAIRS, PLAN, PLAN_LINES, PARTNERS].into_iter().chain(REPORTS) {
            remove(&dir.join(name), |path| std::fs::remove_file(path))?;
        }
        remove(&dir.join(VIEWS), |path| std::fs::remove_dir_all(path))?;
        let mut writer = Self {
            dir: dir.to_owned(),
            pairs: create(&dir.join(PAIRS))?,
            partners: images.then(|| create(&dir.join(PARTNERS))).transpose()?,
            metrics,
        };
        let header = table::header(&writer.metrics);
        writer.append(PAIRS, &header)?;
        if writer.partners.is_some() {
            let header = partner_lines(&[], &writer.metrics, true);
            writer.append(PARTNERS, &header)?;
        }
        Ok(writer)
    }

    /// Appends the pairs of a position; with its pictures where they are asked for.
    pub fn position(&mut self, pairs: &[MeasuredPair]) -> Result<(), ExportError> {
        let lines = table::lines(pairs.iter().map(|pair| &pair.row), &self.metrics);
        self.append(PAIRS, &lines)?;
        if self.partners.is_some() {
            let rows: Vec<PartnerRow> = pairs
                .iter()
                .map(|pair| PartnerRow {
                    key: pair.row.key.clone(),
                    truth: pair.true_partners.clone(),
                    metrics: pair.partners.clone(),
                })
                .collect();
            let lines = partner_lines(&rows, &self.metrics, false);
            self.append(PARTNERS, &lines)?;
        }
        Ok(())
    }

    /// Writes the views of a position as PNG.
    pub fn views<V: AsRef<View>>(&self, scene: &str, index: u64, views: &[V]) -> Result<(), ExportError> {
        for (place, view) in views.iter().enumerate() {
            let path = self.dir.join(image_name(scene, index, place as u32));
            let parent = path.parent().unwrap_or(&self.dir);
            std::fs::create_dir_all(parent).map_err(|error| ExportError::create(parent, error))?;
            view.as_ref().color.save(&path).map_err(|error| match error {
                image::ImageError::IoError(error) => ExportError::write(&path, error),
                error => ExportError::write(&path, std::io::Error::other(error)),
            })?;
        }
        Ok(())
    }

    /// Writes the plan.
    pub fn plan(&self, plan: &Plan, table: &Table) -> Result<(), ExportError> {
        let json = serde_json::to_string_pretty(plan).map_err(|error| ExportError::Unfit {
            format: "a plan",
            why: error.to_string(),
        })?;
        write(&self.dir.join(PLAN), &json)?;
        let images = self.partners.is_some();
        let image = |key: &PairKey| {
            images.then(|| [key.first, key.second].map(|place| image_name(&key.scene, key.index, place)))
        };
        write(&self.dir.join(PLAN_LINES), &plan_lines(&table.rows, image))
    }

    fn append(&mut self, name: &str, text: &str) -> Result<(), ExportError> {
        let file = match &mut self.partners {
            Some(file) if name == PARTNERS => file,
            _ => &mut self.pairs,
        };
        file.write_all(text.as_bytes())
            .map_err(|error| ExportError::write(&self.dir.join(name), error))
    }
}

fn create(path: &Path) -> Result<File, ExportError> {
    File::create(path).map_err(|error| ExportError::create(path, error))
}

/// Writes a whole file.
pub fn write(path: &Path, text: &str) -> Result<(), ExportError> {
    std::fs::write(path, text).map_err(|error| ExportError::write(path, error))
}

fn remove(path: &Path, by: impl Fn(&Path) -> std::io::Result<()>) -> Result<(), ExportError> {
    match by(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ExportError::write(path, error)),
        _ => Ok(()),
    }
}

/// The picture of a view below the folder. Characters of a scene's name that a path cannot hold are replaced.
pub fn image_name(scene: &str, index: u64, place: u32) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let scene: String = scene.chars().map(plain).collect();
    let scene = scene.trim_start_matches('.');
    format!("{VIEWS}/{scene}/{index:06}/{place:02}.png")
}

/// A folder that was measured before.
pub struct Folder {
    /// What was measured.
    pub plan: Plan,
    /// Its pairs.
    pub table: Table,
    /// Patch partners of pairs that have some; empty where none were exported.
    pub partners: Vec<PartnerRow>,
}

impl Folder {
    /// Reads a folder.
    pub fn read(dir: &Path) -> anyhow::Result<Self> {
        let plan = dir.join(PLAN);
        let plan: Plan = serde_json::from_str(&text(&plan)?)
            .map_err(|error| Failure::input(format!("not a plan of covista validate ({error}): {}", plan.display())))?;
        let pairs = dir.join(PAIRS);
        let table = Table::parse(&text(&pairs)?, &plan.metrics).map_err(|error| table_failure(&pairs, &error))?;
        let partners = dir.join(PARTNERS);
        let partners = match partners.exists() {
            true => {
                parse_partners(&text(&partners)?, &plan.metrics).map_err(|error| table_failure(&partners, &error))?
            }
            false => Vec::new(),
        };
        Ok(Self { plan, table, partners })
    }
}

/// A text file, or bad input.
pub fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::input(format!("cannot read ({error}): {}", path.display())))
}

/// A table that does not fit, as bad input.
pub fn table_failure(path: &Path, error: &TableError) -> anyhow::Error {
    Failure::input(format!("{}: {error}", path.display()))
}
