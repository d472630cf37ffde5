//! Which picture a hidden one is completed from: its own second view, or, as a baseline, another pair's.

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::batch::ViewTensors;
use super::error::TrainError;

/// Whose second view the model is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The pair's own.
    #[default]
    Pair,
    /// That of another position: what is completed then comes from the visible patches alone.
    Unrelated,
}

impl Reference {
    /// The tensors of a batch with their references handed on as this asks; `positions` are the sample indices of its
    /// pairs, `[batch]`.
    ///
    /// # Errors
    /// All pairs of the batch come from one position, so that none has a stranger.
    pub fn assign(self, views: ViewTensors, positions: &[u64]) -> Result<ViewTensors, TrainError> {
        if self == Self::Pair {
            return Ok(views);
        }
        let rows = strangers(positions).ok_or_else(|| {
            TrainError::Config(
                "train.reference = \"unrelated\": all pairs of a batch come from one position; raise train.batch or \
                 stream.warm_pairs"
                    .to_owned(),
            )
        })?;
        let count = rows.len();
        let rows = Tensor::from_data(TensorData::new(rows, [count]), &views.second.device());
        Ok(ViewTensors {
            second: views.second.select(0, rows),
            ..views
        })
    }
}

/// For each pair of a batch the next one, cyclically, of another position; `None` where there is none.
fn strangers(positions: &[u64]) -> Option<Vec<i32>> {
    let count = positions.len();
    (0..count)
        .map(|own| {
            let others = (1..count).map(|step| (own + step) % count);
            others
                .map(|other| (other, positions[other]))
                .find(|(_, position)| *position != positions[own])
                .map(|(other, _)| other as i32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::PairBatch;
    use burn::tensor::Device;

    #[test]
    fn every_pair_meets_the_next_stranger() {
        assert_eq!(strangers(&[4, 5, 6]), Some(vec![1, 2, 0]));
        // The same pair drawn twice does not lend to itself.
        assert_eq!(strangers(&[4, 4, 6, 4]), Some(vec![2, 2, 3, 2]));
        assert_eq!(strangers(&[4, 4]), None);
        assert_eq!(strangers(&[4]), None);
    }

    #[test]
    fn references_move_and_targets_stay() {
        let image = 4 * 4 * 3;
        let batch = PairBatch {
            first: (0..3 * image).map(|i| i as u8).collect(),
            second: (0..3u8).flat_map(|pair| vec![pair * 50; image]).collect(),
            shape: [3, 4, 4, 3],
            overlaps: vec![Default::default(); 3],
            indices: vec![7, 8, 9],
        };
        let upload = || ViewTensors::upload(&batch, 4, &[false; 3], &Device::flex()).unwrap();
        let rows = |tensor: Tensor<4>| tensor.try_to_vec_as::<f32>().unwrap();
        let own = Reference::Pair.assign(upload(), &batch.indices).unwrap();
        let lent = Reference::Unrelated.assign(upload(), &batch.indices).unwrap();
        assert_eq!(rows(own.first), rows(lent.first));
        let (own, lent) = (rows(own.second), rows(lent.second));
        assert_eq!(lent[..2 * image], own[image..]);
        assert_eq!(lent[2 * image..], own[..image]);
    }
}
