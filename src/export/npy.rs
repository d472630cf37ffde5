//! NumPy's `.npy` version 1.0: little-endian arrays in C order, float32 both ways and uint32 to write.

use std::path::Path;

use super::ExportError;

const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";

/// The bytes of an `.npy` file with `data` of `shape` (slowest axis first, C order, `<f4`).
///
/// # Errors
///
/// [`ExportError::Unfit`] where `shape` does not multiply to the length of `data`.
pub fn encode_f32(shape: &[usize], data: &[f32]) -> Result<Vec<u8>, ExportError> {
    encode("<f4", shape, data.iter().map(|value| value.to_le_bytes()))
}

/// The bytes of an `.npy` file with `data` of `shape` (slowest axis first, C order, `<u4`).
///
/// # Errors
///
/// As [`encode_f32`].
pub fn encode_u32(shape: &[usize], data: &[u32]) -> Result<Vec<u8>, ExportError> {
    encode("<u4", shape, data.iter().map(|value| value.to_le_bytes()))
}

fn encode(
    descr: &str,
    shape: &[usize],
    values: impl ExactSizeIterator<Item = [u8; 4]>,
) -> Result<Vec<u8>, ExportError> {
    if shape.iter().product::<usize>() != values.len() {
        return Err(ExportError::Unfit {
            format: "npy",
            why: format!("{} values do not fill the shape {shape:?}", values.len()),
        });
    }
    let mut bytes = header(descr, shape);
    bytes.reserve(4 * values.len());
    for value in values {
        bytes.extend_from_slice(&value);
    }
    Ok(bytes)
}

/// The bytes of an `.npy` file whose `data` are the little-endian bytes of `descr`, e.g. `|u1`, in C order.
pub(super) fn encode_bytes(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let mut bytes = header(descr, shape);
    bytes.extend_from_slice(data);
    bytes
}

/// Everything of an `.npy` file before its data, which is of type `descr` and in C order.
pub(super) fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let dims: String = shape.iter().map(|d| format!("{d}, ")).collect();
    // Python's tuple: "(3, 4)" but "(3,)".
    let dims = match shape.len() {
        1 => dims.trim_end(),
        _ => dims.trim_end_matches(", "),
    };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    // The data start on a multiple of 64 bytes; the header ends with a newline.
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');

    let mut bytes = Vec::with_capacity(MAGIC.len() + 2 + header.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes
}

/// Writes `data` of `shape` (slowest axis first, C order) as float32 `.npy`; `path` is replaced.
///
/// # Errors
///
/// As [`encode_f32`], and where the file cannot be written.
pub fn write_f32(path: &Path, shape: &[usize], data: &[f32]) -> Result<(), ExportError> {
    let bytes = encode_f32(shape, data)?;
    std::fs::write(path, bytes).map_err(|e| ExportError::write(path, e))
}

/// Writes `data` of `shape` (slowest axis first, C order) as uint32 `.npy`; `path` is replaced.
///
/// # Errors
///
/// As [`encode_u32`], and where the file cannot be written.
pub fn write_u32(path: &Path, shape: &[usize], data: &[u32]) -> Result<(), ExportError> {
    let bytes = encode_u32(shape, data)?;
    std::fs::write(path, bytes).map_err(|e| ExportError::write(path, e))
}

/// Shape and values of a float32, C-order `.npy` held in memory.
///
/// # Errors
///
/// A sentence that says what is wrong with the bytes.
pub fn decode_f32(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f32>), String> {
    let (header, at) = split(bytes)?;
    if !header.contains("'descr': '<f4'") || !header.contains("'fortran_order': False") {
        return Err(format!(
            "expected little-endian float32 in C order, got {}",
            header.trim()
        ));
    }
    let shape = shape_in(header)?;
    let data = &bytes[at..];
    let expected = shape.iter().try_fold(4usize, |n, &d| n.checked_mul(d));
    if expected != Some(data.len()) {
        return Err(format!("{} bytes of data for the shape {shape:?}", data.len()));
    }
    let values = data
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    Ok((shape, values))
}

/// Shape of a C-order `.npy` of any type held in memory, and where its data start.
pub(super) fn shape_of(bytes: &[u8]) -> Result<(Vec<usize>, usize), String> {
    let (header, at) = split(bytes)?;
    if !header.contains("'fortran_order': False") {
        return Err(format!("expected C order, got {}", header.trim()));
    }
    Ok((shape_in(header)?, at))
}

/// The header as text, and where the data start.
fn split(bytes: &[u8]) -> Result<(&str, usize), String> {
    if bytes.len() < 10 || bytes[..6] != MAGIC[..6] {
        return Err("not an .npy file".into());
    }
    if bytes[6] != 1 {
        return Err(format!(".npy version {} instead of 1", bytes[6]));
    }
    let header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = bytes.get(10..10 + header_len).ok_or("the header is cut off")?;
    let header = std::str::from_utf8(header).map_err(|_| "the header is not text")?;
    Ok((header, 10 + header_len))
}

fn shape_in(header: &str) -> Result<Vec<usize>, String> {
    let (_, dims) = header.split_once("'shape': (").ok_or("the header names no shape")?;
    let (dims, _) = dims.split_once(')').ok_or("the header names no shape")?;
    dims.split(',')
        .map(str::trim)
        .filter(|d| !d.is_empty())
        .map(str::parse)
        .collect::<Result<Vec<usize>, _>>()
        .map_err(|_| format!("odd shape ({dims})"))
}

/// Shape and values of a float32, C-order `.npy` file.
///
/// # Errors
///
/// Where the file cannot be read or holds something else; the error names it.
pub fn read_f32(path: &Path) -> Result<(Vec<usize>, Vec<f32>), ExportError> {
    let bytes = std::fs::read(path).map_err(|e| ExportError::read(path, e))?;
    decode_f32(&bytes).map_err(|why| ExportError::damaged(path, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_numpy_s() {
        // numpy.lib.format's own layout, written out by hand for a (2, 3) array.
        let bytes = encode_f32(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, -0.5]).unwrap();
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        assert_eq!(&bytes[..8], MAGIC);
        assert_eq!(bytes[8..10], [118, 0]);
        assert_eq!(&bytes[10..10 + header.len()], header.as_bytes());
        assert_eq!(bytes[127], b'\n');
        assert_eq!(bytes.len(), 128 + 24);
        assert_eq!(bytes[148..], (-0.5f32).to_le_bytes());
        assert!(encode_f32(&[2, 2], &[0.0]).is_err());
    }

    #[test]
    fn whole_numbers_keep_their_bits() {
        let bytes = encode_u32(&[2], &[1, u32::MAX]).unwrap();
        assert!(
            std::str::from_utf8(&bytes[10..128])
                .unwrap()
                .starts_with("{'descr': '<u4'")
        );
        assert_eq!(bytes[128..], [1, 0, 0, 0, 255, 255, 255, 255]);
        assert!(encode_u32(&[3], &[1, 2]).is_err());
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![4], vec![2, 2], vec![1, 4, 1]] {
            let data = vec![1.5f32; shape.iter().product()];
            let bytes = encode_f32(&shape, &data).unwrap();
            assert_eq!(decode_f32(&bytes), Ok((shape, data)));
        }
    }

    #[test]
    fn damage_is_told() {
        let bytes = encode_f32(&[2, 2], &[0.0; 4]).unwrap();
        for cut in 0..bytes.len() {
            assert!(decode_f32(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
