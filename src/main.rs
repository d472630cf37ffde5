//! The command line of Covista.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
