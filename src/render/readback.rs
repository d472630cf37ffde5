//! Which of the drawn pixels travel to the host.

/// What is copied back of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readback {
    /// Every plane that is drawn.
    Whole,
    /// The luma of a centred square of so many pixels and the number of its pixels with a surface.
    Gray {
        /// Pixels across and down.
        crop: u32,
    },
    /// The mask of back faces alone.
    Marks,
}

impl Readback {
    /// Whether colours, depth and triangle numbers come back.
    pub fn planes(self) -> bool {
        self == Self::Whole
    }

    /// Whether the mask of back faces comes back, where one is drawn.
    pub fn marks(self) -> bool {
        matches!(self, Self::Whole | Self::Marks)
    }
}
