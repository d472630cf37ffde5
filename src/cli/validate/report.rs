//! The report of measured pairs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covista::report::validation::{ShownBlunder, ValidationInput, write_validation};
use covista::validate::{MetricRule, PairKey, PartnerRow, Plan, Summary, Table, TruthKind, Worst};
use image::RgbImage;
use serde::Serialize;

use super::super::exit::Failure;
use super::folder::{self, Folder, REPORTS, image_name};
use super::{Args, require_fresh};

/// `report.json`.
#[derive(Serialize)]
struct Report<'a> {
    covista_version: &'a str,
    profile: &'a str,
    config_hash: &'a str,
    seed: u64,
    interrupted: bool,
    #[serde(flatten)]
    summary: &'a Summary,
}

/// Reports on a folder that was measured before.
pub fn again(args: &Args, from: &Path) -> anyhow::Result<()> {
    let Folder {
        plan,
        mut table,
        partners,
    } = Folder::read(from)?;
    if let Some(out) = &args.out {
        require_fresh(out, args.overwrite)?;
    }
    for path in &args.external {
        let text = folder::text(path)?;
        let name = path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let rule = MetricRule {
            name,
            // Somebody else's numbers have no texture gate of ours.
            min_laplacian_variance: 0.0,
            ..plan
                .metrics
                .first()
                .cloned()
                .ok_or_else(|| Failure::input("the plan names no metric"))?
        };
        table
            .add_external(&text, &rule)
            .map_err(|error| folder::table_failure(path, &error))?;
    }
    let mut pictures = Pictures {
        dir: from.to_owned(),
        partners: partners.into_iter().map(|row| (row.key.clone(), row)).collect(),
    };
    let has_pictures = !pictures.partners.is_empty();
    let mut chosen = Worst::new(args.worst);
    if has_pictures {
        for (place, row) in table.rows.iter().enumerate() {
            for (metric, rule) in table.metrics.iter().enumerate() {
                chosen.offer(row, rule, metric, || place);
            }
        }
    }
    let mut worst = Worst::new(args.worst);
    for found in chosen.sorted() {
        let shown = pictures.of(&found.row.key, found.metric)?;
        worst.offer(&found.row, &table.metrics[found.metric], found.metric, || shown);
    }
    let out = args.out.as_deref().unwrap_or(from);
    std::fs::create_dir_all(out).map_err(|error| covista::export::ExportError::create(out, error))?;
    write(args, out, plan, table, worst, has_pictures)
}

/// Pictures and partners of a folder with images.
struct Pictures {
    dir: PathBuf,
    partners: BTreeMap<PairKey, PartnerRow>,
}

impl Pictures {
    fn of(&mut self, key: &PairKey, metric: usize) -> anyhow::Result<ShownBlunder> {
        let read = |place: u32| -> anyhow::Result<Arc<RgbImage>> {
            let path = self.dir.join(image_name(&key.scene, key.index, place));
            let picture = image::open(&path)
                .map_err(|error| Failure::input(format!("cannot read the picture ({error}): {}", path.display())))?;
            Ok(Arc::new(picture.into_rgb8()))
        };
        let views = [read(key.first)?, read(key.second)?];
        let row = self.partners.get(key);
        Ok(ShownBlunder {
            views,
            found: row.and_then(|row| row.metrics.get(metric).cloned()),
            truth: row.map(|row| row.truth.clone()).unwrap_or_default(),
        })
    }
}

/// Writes page and numbers, and says the main figures.
pub fn write(
    args: &Args,
    out: &Path,
    plan: Plan,
    table: Table,
    worst: Worst<ShownBlunder>,
    pictures: bool,
) -> anyhow::Result<()> {
    let summary = table.summary(plan.seed);
    let report = Report {
        covista_version: &plan.covista_version,
        profile: &plan.profile,
        config_hash: &plan.config_hash,
        seed: plan.seed,
        interrupted: plan.interrupted,
        summary: &summary,
    };
    folder::write(&out.join(REPORTS[1]), &serde_json::to_string_pretty(&report)?)?;
    let input = ValidationInput {
        location: out.display().to_string(),
        plan,
        summary,
        worst: worst.sorted(),
        pictures,
    };
    write_validation(&input, &out.join(REPORTS[0]))?;
    tell(args, out, &input.summary)
}

/// The main figures of a metric for standard output.
#[derive(Serialize)]
struct Main<'a> {
    metric: &'a str,
    truth: TruthKind,
    figures: BTreeMap<&'a str, Option<f64>>,
}

fn tell(args: &Args, out: &Path, summary: &Summary) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for metric in &summary.metrics {
        for truth in &metric.truths {
            all.push(Main {
                metric: &metric.rule.name,
                truth: truth.truth,
                figures: truth
                    .figures
                    .iter()
                    .map(|(key, spread)| (key.as_str(), spread.value))
                    .collect(),
            });
        }
    }
    if args.json {
        let told = serde_json::json!({
            "page": out.join(REPORTS[0]).display().to_string(),
            "pairs": summary.pairs,
            "positions": summary.positions,
            "metrics": all,
        });
        println!("{told}");
        return Ok(());
    }
    println!(
        "{} pairs of {} positions: {}",
        summary.pairs,
        summary.positions,
        out.join(REPORTS[0]).display()
    );
    for main in &all {
        let tell = |key: &str| main.figures.get(key).copied().flatten();
        let share = |key: &str| tell(key).map_or("-".to_owned(), |v| format!("{:.1} %", 100.0 * v));
        println!(
            "{:12} against {:18} Pearson {}, mean abs. error {}, precision {}, recall {}",
            main.metric,
            main.truth.title(),
            tell("pearson").map_or("-".to_owned(), |v| format!("{v:.3}")),
            share("mae"),
            share("precision"),
            share("recall")
        );
    }
    Ok(())
}
