//! Where training runs: the CPU, or the GPU on the renderer's own device.

use std::fmt;
use std::str::FromStr;

use burn::backend::DispatchDevice;
use burn::tensor::{Device, DeviceKind};
use serde::{Deserialize, Serialize};

use super::error::TrainError;

/// The handles of the graphics device that Burn made, for the renderer to draw with.
pub use burn::tensor::wgpu::WgpuSetup as SharedGpu;

/// What the user asked to train on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceChoice {
    /// The GPU when there is a real one, the CPU otherwise.
    #[default]
    Auto,
    /// The CPU, by Burn's `flex` backend: deterministic.
    Flex,
    /// The graphics adapter, even a software one (which is far slower than `flex`).
    Wgpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "flex" => Ok(Self::Flex),
            "wgpu" => Ok(Self::Wgpu),
            other => Err(format!("unknown training device `{other}`: use auto, flex or wgpu")),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Flex => "flex",
            Self::Wgpu => "wgpu",
        })
    }
}

/// An open training device with gradients switched on.
#[derive(Debug, Clone)]
pub struct TrainDevice {
    device: Device,
    name: String,
}

impl TrainDevice {
    /// The CPU.
    pub fn flex() -> Self {
        Self {
            device: Device::flex().autodiff(),
            name: "flex (CPU)".into(),
        }
    }

    /// Opens what was asked for. On a GPU the second value holds the graphics handles that Burn uses:
    /// rendering with them puts both on one device and one queue. Call once a process.
    ///
    /// # Errors
    /// `Wgpu` was asked for and Burn finds no adapter or cannot open it.
    pub fn open(choice: DeviceChoice) -> Result<(Self, Option<SharedGpu>), TrainError> {
        if choice == DeviceChoice::Flex {
            return Ok((Self::flex(), None));
        }
        match Device::wgpu_options().init_with_setup() {
            Ok((device, setup)) => {
                let info = setup.adapter.get_info();
                let software = format!("{:?}", info.device_type) == "Cpu";
                if software && choice == DeviceChoice::Auto {
                    return Ok((Self::flex(), None));
                }
                let name = format!("{} ({:?})", info.name, info.backend);
                let device = device.autodiff();
                Ok((Self { device, name }, Some(setup)))
            }
            Err(_) if choice == DeviceChoice::Auto => Ok((Self::flex(), None)),
            Err(error) => Err(TrainError::Device {
                choice: choice.to_string(),
                reason: error.to_string(),
            }),
        }
    }

    /// Devices 1 to `count - 1` beside [`Self::open`]'s, which must be the first: each computes gradients of its own
    /// batches ([`Trainer::with_devices`](super::step::Trainer::with_devices)). On the CPU they are threads of one
    /// machine; else they are the other discrete graphics cards.
    ///
    /// # Errors
    /// There are not so many cards, or one cannot be opened.
    pub fn open_others(&self, count: usize) -> Result<Vec<Self>, TrainError> {
        if is_flex(&self.device) {
            return Ok((1..count).map(|_| self.clone()).collect());
        }
        let open = |index| {
            let kind = DeviceKind::DiscreteGpu(index);
            let opened = Device::wgpu_options().device_kind(kind).init_with_setup();
            let (device, setup) = opened.map_err(|error| TrainError::Device {
                choice: format!("wgpu ({count} devices)"),
                reason: format!("graphics card {index} of {count}: {error}"),
            })?;
            let info = setup.adapter.get_info();
            Ok(Self {
                device: device.autodiff(),
                name: format!("{} ({:?})", info.name, info.backend),
            })
        };
        (1..count).map(open).collect()
    }

    /// A name to print.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Burn's handle, with autodiff.
    pub fn burn(&self) -> &Device {
        &self.device
    }
}

/// Whether tensors of this device live in host memory, where our own kernels can reach them.
pub(crate) fn is_flex(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Flex(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Flex, DeviceChoice::Wgpu] {
            assert_eq!(choice.to_string().parse::<DeviceChoice>(), Ok(choice));
        }
        assert!("cuda".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn flex_is_found_under_autodiff() {
        assert!(is_flex(TrainDevice::flex().burn()));
    }
}
