//! Element types of stored tensors.

use half::{bf16, f16};
use serde::Serialize;

/// A floating-point type that files store; all are read as 32-bit floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ElementType {
    /// 16 bits, 8 of exponent.
    Bf16,
    /// 16 bits, 5 of exponent.
    F16,
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

impl ElementType {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::Bf16 | Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// One number from as many bytes as [`Self::bytes`] says; 0 for another count.
    pub fn decode(self, bytes: &[u8], big_endian: bool) -> f32 {
        let mut whole = [0; 8];
        let Some(room) = whole.get_mut(..bytes.len()) else {
            return 0.0;
        };
        room.copy_from_slice(bytes);
        if big_endian {
            room.reverse();
        }
        match self {
            Self::Bf16 => bf16::from_le_bytes([whole[0], whole[1]]).to_f32(),
            Self::F16 => f16::from_le_bytes([whole[0], whole[1]]).to_f32(),
            Self::F32 => f32::from_le_bytes([whole[0], whole[1], whole[2], whole[3]]),
            Self::F64 => f64::from_le_bytes(whole) as f32,
        }
    }

    /// All numbers of `bytes`, one after the other.
    pub fn decode_all(self, bytes: &[u8], big_endian: bool) -> Vec<f32> {
        let numbers = bytes.chunks_exact(self.bytes());
        numbers.map(|number| self.decode(number, big_endian)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_and_order_gives_the_number() {
        for (kind, bytes) in [
            (ElementType::F32, (-1.5f32).to_le_bytes().to_vec()),
            (ElementType::F64, (-1.5f64).to_le_bytes().to_vec()),
            (ElementType::F16, f16::from_f32(-1.5).to_le_bytes().to_vec()),
            (ElementType::Bf16, bf16::from_f32(-1.5).to_le_bytes().to_vec()),
        ] {
            assert_eq!(kind.decode_all(&bytes, false), [-1.5]);
            let reversed: Vec<u8> = bytes.into_iter().rev().collect();
            assert_eq!(kind.decode_all(&reversed, true), [-1.5]);
        }
    }
}
