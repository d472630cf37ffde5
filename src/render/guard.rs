//! Work on a device that may fail or go away meanwhile.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::error::RenderError;
use super::gpu::Gpu;
use crate::contain::{contained, said};

/// How long a failed device is given to finish what it has in hand.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the driver gave a device up, once it has told.
#[derive(Debug, Clone, Default)]
pub(super) struct Lost(Arc<OnceLock<String>>);

impl Lost {
    /// Asks the device to tell, which it does to one listener only: the device must be nobody else's.
    pub fn listen(&self, device: &wgpu::Device) {
        let lost = self.clone();
        device.set_device_lost_callback(move |reason, message| lost.tell(format!("{reason:?} {message}").trim()));
    }

    /// The first reason is the cause; later ones follow from it.
    fn tell(&self, reason: &str) {
        let _ = self.0.set(reason.to_owned());
    }

    fn reason(&self) -> Option<&String> {
        self.0.get()
    }
}

impl Gpu {
    /// Runs `work` and turns what the driver reports meanwhile into an error instead of a panic.
    pub(super) fn scoped<T>(&self, action: &'static str, work: impl FnOnce() -> T) -> Result<T, RenderError> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        // wgpu panics where memory that it would map for the host is not there, as on a lost device.
        let result = contained(work);
        let validation = pollster::block_on(validation.pop());
        // What does not fit is not there, which makes whatever uses it invalid: the cause comes first.
        if let Some(error) = pollster::block_on(memory.pop()) {
            return Err(RenderError::OutOfMemory {
                action,
                reason: error.to_string(),
            });
        }
        let reason = validation.map(|error| error.to_string());
        match (result, reason) {
            // A lost device reports nothing to scopes.
            (Ok(result), None) if self.lost.reason().is_none() => Ok(result),
            (Ok(_), reason) => Err(self.failure(action, reason.unwrap_or_default())),
            // What the driver reported comes before what followed from it.
            (Err(panic), reason) => Err(self.failure(action, reason.unwrap_or_else(|| said(&*panic).to_owned()))),
        }
    }

    /// The error of a failed action: where the device is lost, that is why.
    pub(super) fn failure(&self, action: &'static str, reason: String) -> RenderError {
        if self.lost.reason().is_none() {
            // A device that goes away makes things invalid at once, but tells of it only when it is asked and has
            // nothing more to do. What it answers is of no use: the failure has happened.
            self.catch_up();
        }
        if self.lost.reason().is_none() && self.is_gone() {
            self.lost.tell("the driver gives no reason");
        }
        match self.lost.reason() {
            Some(reason) => RenderError::Lost {
                action,
                reason: reason.clone(),
            },
            None => RenderError::Device { action, reason },
        }
    }

    /// Blocks until the given submission is done.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<(), RenderError> {
        self.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: None,
        })
        .map_err(|error| self.failure("waiting for a picture", error))
    }

    /// Has the device tell what has happened so far.
    pub(super) fn catch_up(&self) {
        let _ = self.poll(wgpu::PollType::Wait {
            submission_index: None,
            timeout: Some(PATIENCE),
        });
    }

    /// Whether the device makes nothing more; for those that tell their loss to somebody else.
    fn is_gone(&self) -> bool {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        // On a lost device there is no buffer, and no word of it before it is used.
        let probe = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("probe"),
            size: wgpu::COPY_BUFFER_ALIGNMENT,
            usage: wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue
            .write_buffer(&probe, 0, &[0; wgpu::COPY_BUFFER_ALIGNMENT as usize]);
        let refused = pollster::block_on(validation.pop()).is_some();
        refused && pollster::block_on(memory.pop()).is_none()
    }

    /// Asks the device how far it is. wgpu panics where the driver says that it is lost, after it told the loss.
    fn poll(&self, how: wgpu::PollType) -> Result<(), String> {
        match contained(|| self.device.poll(how)) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(panic) => Err(said(&*panic).to_owned()),
        }
    }
}
