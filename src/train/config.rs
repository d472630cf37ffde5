//! Every number of a training run.

use serde::{Deserialize, Serialize};

use super::augment::Augment;
use super::croco::{Architecture, CrocoConfig, DecoderSize, ModelSize, PositionCode};
use super::error::TrainError;
use super::precision::Precision;
use super::reference::Reference;

/// Settings of a pretraining run. The defaults are CroCo v1's recipe with a model that a laptop trains.
///
/// Published values: Weinzaepfel et al. 2022, section 3.3; MIMIC's supplement, table 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Kind of model: `croco`, `mimic` (CroCo with a class token) or `mae` (the first view alone). Default `croco`.
    pub architecture: Architecture,
    /// Model size: `micro`, `tiny`, `base` (ViT-B, decoder 512x8), `base_basedec` (ViT-B, decoder 768x12) or
    /// `large` (ViT-L, decoder 768x12). Default `tiny`.
    pub model: ModelSize,
    /// Decoder, where not the one of `model`: `auto`, `micro`, `tiny`, `small` (512x8) or `base` (768x12). Default `auto`.
    pub decoder: DecoderSize,
    /// Position code: `cosine` (CroCo v1, MIMIC, MAE) or `rope` (CroCo v2; `croco` only). Default `cosine`.
    pub pos: PositionCode,
    /// Side of the square input, pixels, a multiple of `patch`, 16 to 1024. Default 224.
    pub image: usize,
    /// Side of a patch, pixels, 4 to 64. Default 16.
    pub patch: usize,
    /// Share of the first view's patches that is hidden, above 0 and below 1; `croco` rounds the number of hidden
    /// ones down, `mimic` and `mae` that of visible ones. Default 0.9.
    pub mask_ratio: f64,
    /// Pairs a batch, 1 to 65536. Default 8.
    pub batch: usize,
    /// Batches whose gradients are averaged before one update, 1 to 65536. Default 1.
    pub accumulate: usize,
    /// Updates of this run, at least 1. Default 300.
    pub steps: u64,
    /// Updates over which the cosine falls to `min_lr`, at least `steps`; 0 means `steps`. CroCo plans twice what it runs. Default 0.
    pub schedule_steps: u64,
    /// Share of the schedule spent in linear warm-up, 0 to 1. Default 0.05 (CroCo: 40 of 800 epochs).
    pub warmup_fraction: f64,
    /// Learning rate for an effective batch of 256: the peak is `blr * batch * accumulate / 256`. Above 0. Default 1.5e-4.
    pub blr: f64,
    /// Peak learning rate itself; overrides `blr` when not 0. At least 0. Default 1e-3, which lets a tiny model learn
    /// in a few hundred steps of small batches; the published recipes set it to 0 and use `blr`.
    pub lr: f64,
    /// Learning rate at the end of the cosine, at least 0. Default 0.
    pub min_lr: f64,
    /// AdamW's decay of the first moment, 0 to below 1. Default 0.9.
    pub beta1: f64,
    /// AdamW's decay of the second moment, 0 to below 1. Default 0.95.
    pub beta2: f64,
    /// AdamW's epsilon, above 0. Default 1e-8.
    pub eps: f64,
    /// Decoupled weight decay, 0 to 1; never applied to 1-D parameters (biases and norms). Default 0.05.
    pub weight_decay: f64,
    /// Largest global gradient norm; 0 leaves gradients as they are. Default 0.
    pub clip_norm: f64,
    /// Probability that the two views change places, so that either may be the masked one, 0 to 1. MIMIC: 0.5; CroCo: 0. Default 0.5.
    pub swap: f64,
    /// What is done to each view before the model sees it: `none` (MIMIC) or `croco` (an independent random crop of
    /// `image` pixels and an independent colour jitter a view; wants pairs larger than `image`). Default `none`.
    pub augment: Augment,
    /// The type of matrix products: `f32`, `bf16` or `f16` (with a scaled loss); refused where the device does not
    /// compute in it. Weights, moments, norms and loss are float32 always. Default `f32`.
    pub precision: Precision,
    /// Decay of the running mean of the weights (EMA) at each update, 0 (no mean is kept) to below 1. The mean is
    /// saved beside the weights and judged in their place. Default 0.
    pub ema_decay: f64,
    /// Whose second view completes a first one: `pair` (its own, CroCo) or `unrelated` (that of another position of
    /// the batch: the baseline that shows what the reference is worth; needs `batch` of 2 or more). Default `pair`.
    pub reference: Reference,
    /// Seed of the weights, the masks and the swaps. Default 0.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            architecture: Architecture::Croco,
            model: ModelSize::Tiny,
            decoder: DecoderSize::Auto,
            pos: PositionCode::Cosine,
            image: 224,
            patch: 16,
            mask_ratio: 0.9,
            batch: 8,
            accumulate: 1,
            steps: 300,
            schedule_steps: 0,
            warmup_fraction: 0.05,
            blr: 1.5e-4,
            lr: 1e-3,
            min_lr: 0.0,
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-8,
            weight_decay: 0.05,
            clip_norm: 0.0,
            swap: 0.5,
            augment: Augment::None,
            precision: Precision::F32,
            ema_decay: 0.0,
            reference: Reference::Pair,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Refuses values outside the documented ranges; the message names field, value and range.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: f64, ok: bool, range: &str| {
            if ok && value.is_finite() {
                Ok(())
            } else {
                Err(format!("train.{name} = {value} is out of range: {range}"))
            }
        };
        if self.architecture != Architecture::Croco && self.pos == PositionCode::Rope {
            return Err("train.pos = \"rope\" goes with train.architecture = \"croco\" only: a class token has no place to turn by; use \"cosine\"".into());
        }
        let patch = self.patch as f64;
        let image = self.image as f64;
        within("patch", patch, (4..=64).contains(&self.patch), "4 to 64 pixels")?;
        within("image", image, (16..=1024).contains(&self.image), "16 to 1024 pixels")?;
        within(
            "image",
            image,
            self.image.is_multiple_of(self.patch),
            "a multiple of train.patch",
        )?;
        within(
            "mask_ratio",
            self.mask_ratio,
            self.mask_ratio > 0.0 && self.mask_ratio < 1.0,
            "above 0 and below 1",
        )?;
        let (tokens, masked) = (self.croco().tokens(), self.masked_tokens());
        within(
            "mask_ratio",
            self.mask_ratio,
            masked > 0 && masked < tokens,
            "such that at least one patch is hidden and one visible",
        )?;
        let count = |name: &str, value: usize| within(name, value as f64, (1..=65536).contains(&value), "1 to 65536");
        count("batch", self.batch)?;
        count("accumulate", self.accumulate)?;
        within("steps", self.steps as f64, self.steps > 0, "at least 1")?;
        within(
            "schedule_steps",
            self.schedule_steps as f64,
            self.schedule_steps == 0 || self.schedule_steps >= self.steps,
            "0, or at least train.steps",
        )?;
        let share = |name: &str, value: f64| within(name, value, (0.0..=1.0).contains(&value), "0 to 1");
        share("warmup_fraction", self.warmup_fraction)?;
        share("weight_decay", self.weight_decay)?;
        share("swap", self.swap)?;
        let partners = self.reference == Reference::Pair || self.batch > 1;
        within(
            "batch",
            self.batch as f64,
            partners,
            "at least 2 with train.reference = \"unrelated\"",
        )?;
        within("blr", self.blr, self.blr > 0.0, "above 0")?;
        within("lr", self.lr, self.lr >= 0.0, "0 (use blr) or above")?;
        within("min_lr", self.min_lr, self.min_lr >= 0.0, "at least 0")?;
        within("beta1", self.beta1, (0.0..1.0).contains(&self.beta1), "0 to below 1")?;
        within(
            "ema_decay",
            self.ema_decay,
            (0.0..1.0).contains(&self.ema_decay),
            "0 to below 1",
        )?;
        within("beta2", self.beta2, (0.0..1.0).contains(&self.beta2), "0 to below 1")?;
        within("eps", self.eps, self.eps > 0.0, "above 0")?;
        within("clip_norm", self.clip_norm, self.clip_norm >= 0.0, "0 (off) or above")
    }

    /// [`Self::validate`] as an error of this module.
    pub fn checked(&self) -> Result<(), TrainError> {
        self.validate().map_err(TrainError::Config)
    }

    /// The model's part of the settings.
    pub fn croco(&self) -> CrocoConfig {
        let (encoder, decoder) = self.model.widths();
        CrocoConfig {
            architecture: self.architecture,
            encoder,
            decoder: self.decoder.width().unwrap_or(decoder),
            pos: self.pos,
            image: self.image,
            patch: self.patch,
        }
    }

    /// How many patches of the first view are hidden, see [`CrocoConfig::hidden_patches`]: 176 of 196 by default.
    pub fn masked_tokens(&self) -> usize {
        self.croco().hidden_patches(self.mask_ratio)
    }

    /// Pairs that one update sees.
    pub fn effective_batch(&self) -> usize {
        self.batch * self.accumulate
    }

    /// The learning rate at the end of the warm-up: `lr`, or `blr * effective_batch / 256`.
    pub fn peak_lr(&self) -> f64 {
        if self.lr > 0.0 {
            self.lr
        } else {
            self.blr * self.effective_batch() as f64 / 256.0
        }
    }

    /// Updates that the schedule spans.
    pub fn horizon(&self) -> u64 {
        if self.schedule_steps == 0 {
            self.steps
        } else {
            self.schedule_steps
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_hide_176_of_196() {
        let config = TrainConfig::default();
        config.validate().unwrap();
        assert_eq!((config.croco().tokens(), config.masked_tokens()), (196, 176));
    }

    #[test]
    fn encoder_and_decoder_are_chosen_apart() {
        let config = TrainConfig {
            model: ModelSize::Large,
            decoder: DecoderSize::Small,
            ..Default::default()
        };
        let croco = config.croco();
        assert_eq!((croco.encoder.dim, croco.decoder.dim), (1024, 512));
    }

    #[test]
    fn rotary_codes_do_not_go_with_a_class_token() {
        let config = TrainConfig {
            architecture: Architecture::Mimic,
            pos: PositionCode::Rope,
            ..Default::default()
        };
        assert!(config.validate().unwrap_err().contains("train.pos"));
    }

    #[test]
    fn a_refusal_names_field_value_and_range() {
        let config = TrainConfig {
            mask_ratio: 1.5,
            ..Default::default()
        };
        let message = config.validate().unwrap_err();
        for part in ["mask_ratio", "1.5", "below 1"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn published_rates_scale_with_the_batch() {
        let config = TrainConfig {
            lr: 0.0,
            batch: 128,
            accumulate: 32,
            ..Default::default()
        };
        assert!((config.peak_lr() - 2.4e-3).abs() < 1e-12);
    }
}
