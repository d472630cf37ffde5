//! `covista config`: the resolved configuration, or its schema.

use covista::config::{Config, PROFILES};

use super::common::ConfigArgs;

/// Arguments of `covista config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the resolved configuration with its hash
    Show {
        #[command(flatten)]
        config: ConfigArgs,
        /// JSON instead of TOML
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON schema of the configuration, with every field's unit, range and default
    Schema,
    /// List the profiles
    Profiles,
}

/// Runs `covista config`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.action {
        Action::Show { config, json } => {
            let resolved = config.load()?;
            if json {
                let record = serde_json::json!({
                    "profile": config.profile,
                    "config": resolved.to_json(),
                    "data_hash": resolved.data_hash(),
                });
                println!("{}", serde_json::to_string_pretty(&record)?);
            } else {
                println!("# profile {}, data hash {}", config.profile, resolved.data_hash());
                print!("{}", resolved.to_toml());
            }
        }
        Action::Schema => println!("{}", serde_json::to_string_pretty(&schemars::schema_for!(Config))?),
        Action::Profiles => {
            for (name, text) in PROFILES {
                let about = text.lines().next().unwrap_or_default().trim_start_matches("# ");
                println!("{name:12} {about}");
            }
        }
    }
    Ok(())
}
