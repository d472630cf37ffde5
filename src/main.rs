//! The command line of Covista.

mod cli;

fn main() -> std::process::ExitCode {
    // The first thing that the process does, while nothing else runs.
    set_unless_set("NODEVICE_SELECT", "1");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if let Some(threads) = raster_threads(cores) {
        set_unless_set("LP_NUM_THREADS", threads);
    }
    cli::main()
}

/// Sets a variable for the drivers that this process loads. Mesa's device-select layer is kept out by one: it looks for
/// a Wayland display when a Vulkan instance is made and complains on stderr where there is none. Adapters are ranked by
/// Covista itself.
fn set_unless_set(name: &str, value: &str) {
    if std::env::var_os(name).is_none() {
        // SAFETY: `main` calls this before any other thread exists.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Threads of its own with which Mesa's software adapter shall draw on so many cores; `None` leaves it to Mesa. With one
/// or two cores they only pass pixels from one cache to the other, while comparing views has work for the second core:
/// a quarter less CPU time a picture (`covista bench generate`).
fn raster_threads(cores: usize) -> Option<&'static str> {
    (cores <= 2).then_some("0")
}
