//! The command line of Covista.

mod cli;

fn main() -> std::process::ExitCode {
    quiet_device_selection();
    cli::main()
}

/// Keeps Mesa's device-select layer out: it looks for a Wayland display when a Vulkan instance is made
/// and complains on stderr where there is none. Adapters are ranked by Covista itself.
fn quiet_device_selection() {
    if std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: nothing else runs yet; this is the first thing that the process does.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
