//! The numbers of a PLY body, in order.

use super::header::{Encoding, Property, Scalar};

/// Reads the numbers one after the other. Errors are sentences.
pub(super) struct Body<'a> {
    rest: &'a [u8],
    encoding: Encoding,
}

impl<'a> Body<'a> {
    pub(super) fn new(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { rest: bytes, encoding }
    }

    /// The next number.
    pub(super) fn number(&mut self, kind: Scalar) -> Result<f64, String> {
        match self.encoding {
            Encoding::Ascii => {
                let text = self.rest.trim_ascii_start();
                let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
                let (word, rest) = text.split_at(end);
                self.rest = rest;
                if word.is_empty() {
                    return Err("the PLY ends early".to_owned());
                }
                std::str::from_utf8(word)
                    .ok()
                    .and_then(|w| w.parse().ok())
                    .ok_or_else(|| {
                        let shown = crate::scene::files::shorten(&String::from_utf8_lossy(word));
                        format!("{shown:?} in the PLY is not a number")
                    })
            }
            Encoding::Little => self.binary(kind, false),
            Encoding::Big => self.binary(kind, true),
        }
    }

    fn binary(&mut self, kind: Scalar, big: bool) -> Result<f64, String> {
        let (bytes, rest) = self.rest.split_at_checked(kind.size()).ok_or("the PLY ends early")?;
        self.rest = rest;
        let mut word = [0u8; 8];
        let word = &mut word[..bytes.len()];
        word.copy_from_slice(bytes);
        if big {
            word.reverse();
        }
        Ok(match (kind, &*word) {
            (Scalar::U8, &[a]) => a.into(),
            (Scalar::I8, &[a]) => (a as i8).into(),
            (Scalar::U16, &[a, b]) => u16::from_le_bytes([a, b]).into(),
            (Scalar::I16, &[a, b]) => i16::from_le_bytes([a, b]).into(),
            (Scalar::U32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]).into(),
            (Scalar::I32, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]).into(),
            (Scalar::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]).into(),
            (Scalar::F64, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => 0.0,
        })
    }

    /// Replaces `out` by a property's numbers: one, or a list.
    pub(super) fn property(&mut self, property: &Property, out: &mut Vec<f64>) -> Result<(), String> {
        out.clear();
        let Some(length) = property.list else {
            out.push(self.number(property.kind)?);
            return Ok(());
        };
        let length = self.number(length)?;
        // Each number takes a byte or more, so what is longer than the rest is a lie.
        if !(0.0..=self.rest.len() as f64).contains(&length) {
            return Err(format!("a PLY list claims {length} numbers, past the end"));
        }
        for _ in 0..length as usize {
            out.push(self.number(property.kind)?);
        }
        Ok(())
    }
}
