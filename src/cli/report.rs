//! `covista report`.

use std::path::PathBuf;

use covista::export::native::NativeReader;
use covista::report::run::{RunInput, is_run, write_run};
use covista::report::{PageInput, write_page};

/// Pictures of reconstructions on the page of a training run, at most.
const SHOWN_PICTURES: usize = 12;

/// Arguments of `covista report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a generated set or of a training run, finished or not
    dir: PathBuf,
    /// The page to write [default: DIR/report.html]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Show at most this many pairs, evenly spread; the plots count all
    #[arg(long, value_name = "N", default_value_t = 200)]
    pairs: usize,
    /// Say what was written as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Runs `covista report`.
pub fn run(args: Args) -> anyhow::Result<()> {
    if is_run(&args.dir) {
        return training(args);
    }
    let set = NativeReader::open(&args.dir)?;
    let input = PageInput::read(&set, args.pairs)?;
    let out = args.out.unwrap_or_else(|| args.dir.join("report.html"));
    write_page(&input, &out)?;
    if args.json {
        let summary = serde_json::json!({
            "page": out.display().to_string(),
            "finished": input.finished,
            "pairs": input.overlaps.len(),
            "shown": input.pairs.len(),
            "yield": input.counters.yield_fraction(),
            "counters": input.counters,
        });
        println!("{summary}");
    } else {
        println!(
            "{} pairs ({} shown) from {} positions: {}",
            input.overlaps.len(),
            input.pairs.len(),
            input.counters.positions,
            out.display()
        );
    }
    Ok(())
}

/// The page of a training run.
fn training(args: Args) -> anyhow::Result<()> {
    let input = RunInput::read(&args.dir, SHOWN_PICTURES)?;
    let out = args.out.unwrap_or_else(|| args.dir.join("report.html"));
    write_run(&input, &out)?;
    let total = input.curve.total();
    if args.json {
        let summary = serde_json::json!({
            "page": out.display().to_string(),
            "finished": input.record["summary"].is_object(),
            "updates": total.count,
            "validations": input.validations.len(),
            "pictures": input.pictures.len(),
            "pairs_per_s": total.pairs_per_s(),
            "data_wait": total.data_wait(),
        });
        println!("{summary}");
    } else {
        println!(
            "{} updates, {} validations, {} pictures: {}",
            total.count,
            input.validations.len(),
            input.pictures.len(),
            out.display()
        );
    }
    Ok(())
}
