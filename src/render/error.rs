//! What can go wrong between a scene and its pictures.

/// Errors of the renderer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// No adapter at all, or none that fits the name asked for.
    #[error(
        "no usable graphics adapter{wanted}: install a software one with `apt-get install mesa-vulkan-drivers`, \
         or a GPU driver; `covista doctor` lists what is seen{seen}"
    )]
    NoAdapter {
        /// ` that matches "..."`, or empty.
        wanted: String,
        /// ` (seen: ...)`, or empty.
        seen: String,
    },
    /// The adapter refused to make a device.
    #[error("the adapter {adapter} gave no device: {reason}")]
    NoDevice {
        /// Name of the adapter.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// The driver reported an error.
    #[error("the graphics device failed while {action}: {reason}")]
    Device {
        /// What was being done.
        action: &'static str,
        /// The driver's words.
        reason: String,
    },
    /// The adapter has no memory left for this, however small a batch is made.
    #[error(
        "the graphics adapter is out of memory while {action}: {reason}; end what else uses it, or take smaller pictures or a smaller scene"
    )]
    OutOfMemory {
        /// What was being done.
        action: &'static str,
        /// The driver's words, or the budget that was passed.
        reason: String,
    },
    /// The device is gone: a driver that crashed or was reset, a GPU that was taken away.
    #[error(
        "the graphics device was lost while {action} ({reason}); what was finished is kept: start again, with --resume where a set is written"
    )]
    Lost {
        /// What was being done.
        action: &'static str,
        /// The driver's words.
        reason: String,
    },
    /// Something is larger than the adapter takes.
    #[error("{what} is {size}, and this adapter takes at most {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// How large it is, with its unit.
        size: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// A texture of the scene has no pixels to give.
    #[error(transparent)]
    Texture(#[from] crate::scene::TextureError),
    /// The configuration is out of range.
    #[error("{0}")]
    Config(String),
    /// A camera cannot be drawn.
    #[error("camera {index} {reason}")]
    Camera {
        /// Place in the batch.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}
