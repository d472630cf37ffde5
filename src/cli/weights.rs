//! `covista weights`: weights of other programs, in and out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use covista::train::weights::{
    Checkpoint, Comparison, ElementType, Entry, Format, Hints, Layout, ModelFile, Shapes, export, infer,
    write_safetensors,
};
use covista::train::{CrocoConfig, PositionCode};
use serde::Serialize;

use super::exit::Failure;

/// Arguments of `covista weights`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read CroCo, MIMIC or MAE weights and say what matches; --out keeps them for `pretrain --init`
    Import(ImportArgs),
    /// Write a model for PyTorch or timm
    Export(ExportArgs),
    /// Say what a file of weights holds
    Info(InfoArgs),
}

/// What names and shapes do not tell.
#[derive(Debug, clap::Args)]
struct HintArgs {
    /// Attention heads of the encoder [default: by its width]
    #[arg(long, value_name = "N")]
    encoder_heads: Option<usize>,
    /// Attention heads of the decoder [default: by its width]
    #[arg(long, value_name = "N")]
    decoder_heads: Option<usize>,
    /// Position code: cosine or rope [default: cosine where the file holds position tables]
    #[arg(long)]
    pos: Option<String>,
}

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// A .pth of torch.save or a safetensors file; pickles are read as data, nothing in them runs
    file: PathBuf,
    /// New safetensors file for the model's weights
    #[arg(long, value_name = "MODEL.safetensors")]
    out: Option<PathBuf>,
    #[command(flatten)]
    hints: HintArgs,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ExportArgs {
    /// Run folder or file of weights
    model: PathBuf,
    /// Names of croco, mimic, mae (a model of that kind) or timm (the encoder alone)
    #[arg(long)]
    layout: Layout,
    /// New safetensors file
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,
    #[command(flatten)]
    hints: HintArgs,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct InfoArgs {
    /// Run folder or file of weights
    file: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista weights`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Import(args) => import(&args),
        What::Export(args) => export_model(&args),
        What::Info(args) => info(&args),
    }
}

impl HintArgs {
    fn hints(&self) -> anyhow::Result<Hints> {
        let pos = match self.pos.as_deref() {
            None => None,
            Some("cosine") => Some(PositionCode::Cosine),
            Some("rope") => Some(PositionCode::Rope),
            Some(other) => {
                return Err(Failure::arguments(format!(
                    "unknown position code `{other}`: use cosine or rope"
                )));
            }
        };
        Ok(Hints {
            encoder_heads: self.encoder_heads,
            decoder_heads: self.decoder_heads,
            pos,
            image: None,
        })
    }
}

/// What `import` found.
#[derive(Debug, Serialize)]
struct ImportReport<'a> {
    file: &'a Path,
    format: Format,
    under: &'a Option<String>,
    model: CrocoConfig,
    elements: &'a BTreeMap<ElementType, usize>,
    parameters: usize,
    #[serde(flatten)]
    comparison: &'a Comparison,
    besides: &'a [String],
    out: &'a Option<PathBuf>,
}

fn import(args: &ImportArgs) -> anyhow::Result<()> {
    let hints = args.hints.hints()?;
    if let Some(out) = &args.out {
        refuse_existing(out)?;
    }
    let file = ModelFile::read(&args.file, &hints)?;
    let report = ImportReport {
        file: &args.file,
        format: file.checkpoint.format,
        under: &file.checkpoint.under,
        model: file.config,
        elements: &file.checkpoint.elements,
        parameters: count(&file.comparison.matched),
        comparison: &file.comparison,
        besides: &file.checkpoint.besides,
        out: &args.out,
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_import(&report);
    }
    let config = file.config;
    let parameters = file.parameters()?;
    if let Some(out) = &args.out {
        let layout = match config.architecture {
            covista::train::Architecture::Croco => Layout::Croco,
            covista::train::Architecture::Mimic => Layout::Mimic,
            covista::train::Architecture::Mae => Layout::Mae,
        };
        write_safetensors(out, &export(&config, parameters, layout)?, Some(&config))?;
        eprintln!("wrote {}", out.display());
    }
    Ok(())
}

fn print_import(report: &ImportReport<'_>) {
    let comparison = report.comparison;
    println!(
        "{}: {}",
        report.file.display(),
        words(&report.model, report.under.as_deref())
    );
    println!("  element types   {}", element_words(report.elements));
    println!(
        "  matched         {} of {} parameters, {:.1} M numbers",
        comparison.matched.len(),
        comparison.matched.len() + comparison.missing.len() + comparison.misshapen.len(),
        report.parameters as f64 / 1e6
    );
    list("missing", comparison.missing.iter().map(entry_words));
    list(
        "other shape",
        comparison
            .misshapen
            .iter()
            .map(|m| format!("{} {:?}, wanted {:?}", m.name, m.shape, m.wanted)),
    );
    list("left over", comparison.left_over.iter().map(entry_words));
    list("computed anew", comparison.tables.iter().map(entry_words));
    list("beside the model", report.besides.iter().cloned());
}

fn export_model(args: &ExportArgs) -> anyhow::Result<()> {
    let hints = args.hints.hints()?;
    refuse_existing(&args.out)?;
    let file = ModelFile::read(&args.model, &hints)?;
    let config = file.config;
    let tensors = export(&config, file.parameters()?, args.layout)?;
    // A file for others states no more than they do.
    write_safetensors(&args.out, &tensors, None)?;
    let without_class_token = args.layout == Layout::Timm && config.architecture.class_tokens() == 0;
    let how = match (args.layout, without_class_token) {
        (Layout::Timm, true) => "timm.create_model(NAME, num_classes=0, class_token=False, global_pool='')",
        (Layout::Timm, false) => "timm.create_model(NAME, num_classes=0)",
        _ => "load_state_dict(safetensors.torch.load_file(FILE))",
    };
    if args.json {
        let numbers: usize = tensors.iter().map(|tensor| tensor.values.len()).sum();
        println!(
            "{}",
            serde_json::json!({"out": args.out, "model": config, "tensors": tensors.len(), "numbers": numbers, "load": how})
        );
    } else {
        println!(
            "wrote {} tensors to {}; load with {how}",
            tensors.len(),
            args.out.display()
        );
        if without_class_token {
            println!("CroCo's encoder has no class token, so timm's model must be made without one");
        }
    }
    Ok(())
}

/// What `info` found.
#[derive(Debug, Serialize)]
struct InfoReport<'a> {
    file: &'a Path,
    format: Format,
    under: &'a Option<String>,
    model: Option<CrocoConfig>,
    why_no_model: Option<String>,
    elements: &'a BTreeMap<ElementType, usize>,
    tensors: &'a Shapes,
    besides: &'a [String],
}

fn info(args: &InfoArgs) -> anyhow::Result<()> {
    let checkpoint = Checkpoint::read(&args.file)?;
    let shapes = checkpoint.shapes();
    let model = infer(&shapes, &checkpoint.hints(&Hints::default()));
    if args.json {
        let report = InfoReport {
            file: &args.file,
            format: checkpoint.format,
            under: &checkpoint.under,
            why_no_model: model.as_ref().err().map(ToString::to_string),
            model: model.ok(),
            elements: &checkpoint.elements,
            tensors: &shapes,
            besides: &checkpoint.besides,
        };
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    match model {
        Ok(config) => println!(
            "{}: {}",
            args.file.display(),
            words(&config, checkpoint.under.as_deref())
        ),
        Err(error) => println!("{}: {error}", args.file.display()),
    }
    println!("  element types   {}", element_words(&checkpoint.elements));
    for (name, shape) in &shapes {
        println!("  {name} {shape:?}");
    }
    list("beside the model", checkpoint.besides.iter().cloned());
    Ok(())
}

/// The model in one line.
fn words(config: &CrocoConfig, under: Option<&str>) -> String {
    let place = under.map(|key| format!(", under `{key}`")).unwrap_or_default();
    format!("{config}{place}")
}

fn element_words(elements: &BTreeMap<ElementType, usize>) -> String {
    let parts: Vec<String> = elements
        .iter()
        .map(|(kind, count)| format!("{count} {kind:?}"))
        .collect();
    parts.join(", ").to_lowercase()
}

fn entry_words(entry: &Entry) -> String {
    format!("{} {:?}", entry.name, entry.shape)
}

fn count(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.shape.iter().product::<usize>()).sum()
}

/// Prints a titled list, of which at most 20; nothing where there is none.
fn list(title: &str, lines: impl ExactSizeIterator<Item = String>) {
    const SHOWN: usize = 20;
    let count = lines.len();
    if count > 0 {
        println!("  {title:15} {count}");
    }
    for line in lines.take(SHOWN) {
        println!("    {line}");
    }
    if count > SHOWN {
        println!("    and {} more; --json lists all", count - SHOWN);
    }
}

fn refuse_existing(out: &Path) -> anyhow::Result<()> {
    if out.exists() {
        return Err(Failure::output(format!(
            "the output file exists already, name a new one: {}",
            out.display()
        )));
    }
    Ok(())
}
