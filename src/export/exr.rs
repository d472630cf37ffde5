//! OpenEXR with one channel: depth as CroCo and DUSt3R store it.
//!
//! Written: scan lines, ZIP in blocks of 16 lines, channel `Y` of 16- or 32-bit floats. Read: scan lines without
//! compression or with ZIP, of which the first channel is taken. Tiles, several parts, deep data and the other
//! compressions are refused by name. (The crate `exr` would do more, but its own dependencies turn on features
//! of the linear algebra under the trainer.)

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use half::f16;

use crate::view::DepthMap;

const MAGIC: u32 = 20_000_630;
/// Version 2 without any of the flags: one part of scan lines, short names.
const VERSION: u32 = 2;
/// Pixel types and compressions by their numbers in the file.
const HALF: i32 = 1;
const FLOAT: i32 = 2;
const NONE: u8 = 0;
const ZIPS: u8 = 2;
const ZIP: u8 = 3;
/// Lines of a block under [`ZIP`].
const ZIP_LINES: usize = 16;
/// More pixels a side are not a depth map but damage.
const MAX_SIDE: i32 = 1 << 16;

/// The file bytes of a depth map; `half` stores 16 bits a sample, else 32.
///
/// The map must have as many samples as its size says.
pub(super) fn encode(depth: &DepthMap, half: bool) -> std::io::Result<Vec<u8>> {
    let (width, height) = (depth.width as usize, depth.height as usize);
    let sample = if half { 2 } else { 4 };
    let raw: Vec<u8> = match half {
        true => depth
            .metres
            .iter()
            .flat_map(|&z| f16::from_f32(z).to_le_bytes())
            .collect(),
        false => depth.metres.iter().flat_map(|&z| z.to_le_bytes()).collect(),
    };
    let mut out = header(depth.width, depth.height, if half { HALF } else { FLOAT });
    let mut offset = (out.len() + 8 * height.div_ceil(ZIP_LINES)) as u64;
    let mut blocks = Vec::new();
    for (number, lines) in raw.chunks(ZIP_LINES * width * sample).enumerate() {
        out.extend_from_slice(&offset.to_le_bytes());
        let packed = pack(lines)?;
        let stored = if packed.len() < lines.len() { &packed } else { lines };
        blocks.extend_from_slice(&((number * ZIP_LINES) as i32).to_le_bytes());
        blocks.extend_from_slice(&(stored.len() as i32).to_le_bytes());
        blocks.extend_from_slice(stored);
        offset += 8 + stored.len() as u64;
    }
    out.extend_from_slice(&blocks);
    Ok(out)
}

fn header(width: u32, height: u32, pixel: i32) -> Vec<u8> {
    let mut out = Vec::with_capacity(320);
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&VERSION.to_le_bytes());
    let mut attribute = |name: &str, kind: &str, value: &[u8]| {
        for text in [name, kind] {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        }
        out.extend_from_slice(&(value.len() as i32).to_le_bytes());
        out.extend_from_slice(value);
    };
    let words = |words: &[i32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    // Name, pixel type, four bytes of flags, sampling along both axes; an empty name ends the list.
    let channels = [b"Y\0".as_slice(), &words(&[pixel, 0, 1, 1]), b"\0"].concat();
    let window = words(&[0, 0, width as i32 - 1, height as i32 - 1]);
    attribute("channels", "chlist", &channels);
    attribute("compression", "compression", &[ZIP]);
    attribute("dataWindow", "box2i", &window);
    attribute("displayWindow", "box2i", &window);
    attribute("lineOrder", "lineOrder", &[0]);
    attribute("pixelAspectRatio", "float", &1f32.to_le_bytes());
    attribute("screenWindowCenter", "v2f", &[0; 8]);
    attribute("screenWindowWidth", "float", &1f32.to_le_bytes());
    out.push(0);
    out
}

/// ZIP of OpenEXR: even bytes before odd ones, differences of neighbours, then zlib.
fn pack(raw: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut bytes: Vec<u8> = raw
        .iter()
        .step_by(2)
        .chain(raw.iter().skip(1).step_by(2))
        .copied()
        .collect();
    for place in (1..bytes.len()).rev() {
        bytes[place] = bytes[place].wrapping_sub(bytes[place - 1]).wrapping_add(128);
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    encoder.finish()
}

fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
    if packed.len() == length {
        return Ok(packed.to_vec());
    }
    let mut bytes = Vec::with_capacity(length);
    let mut decoder = ZlibDecoder::new(packed).take(length as u64 + 1);
    decoder.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() != length {
        return Err("a block has another length than its lines".into());
    }
    for place in 1..length {
        bytes[place] = bytes[place].wrapping_add(bytes[place - 1]).wrapping_sub(128);
    }
    let (even, odd) = bytes.split_at(length.div_ceil(2));
    Ok((0..length)
        .map(|i| if i % 2 == 0 { even[i / 2] } else { odd[i / 2] })
        .collect())
}

/// What a header says, as far as it matters.
#[derive(Default)]
struct Header {
    /// Pixel type of each channel.
    channels: Vec<i32>,
    compression: Option<u8>,
    window: Option<[i32; 4]>,
}

/// The first channel of an OpenEXR file.
///
/// # Errors
///
/// A sentence that says what is wrong with the bytes, or which kind of file is not read.
pub(super) fn decode(bytes: &[u8]) -> Result<DepthMap, String> {
    let mut rest = Bytes(bytes);
    if rest.u32()? != MAGIC {
        return Err("not an OpenEXR file".into());
    }
    if rest.u32()? != VERSION {
        return Err("tiles, several parts, deep data or long names in OpenEXR are not read".into());
    }
    let header = rest.header()?;
    let compression = header.compression.ok_or("the header has no compression")?;
    if ![NONE, ZIPS, ZIP].contains(&compression) {
        return Err(format!(
            "OpenEXR compression {compression} is not read, only none (0) and ZIP (2, 3)"
        ));
    }
    let [left, top, right, bottom] = header.window.ok_or("the header has no dataWindow")?;
    let side = |low: i32, high: i32| {
        let length = i64::from(high) - i64::from(low) + 1;
        (1..=i64::from(MAX_SIDE)).contains(&length).then_some(length as usize)
    };
    let size = side(left, right).zip(side(top, bottom));
    let (width, height) = size.ok_or("the size of the picture makes no sense")?;
    // zlib packs a thousandfold at most; more would be memory for nothing.
    if width * height > bytes.len().saturating_mul(1100) {
        return Err("the picture is larger than the file can hold".into());
    }
    let bits = |kind: &i32| if *kind == HALF { 2 } else { 4 };
    let first = *header.channels.first().ok_or("there is no channel")?;
    if first != HALF && first != FLOAT {
        return Err("the first channel holds whole numbers, not floats".into());
    }
    let line_length: usize = header.channels.iter().map(bits).sum::<usize>() * width;
    let block_lines = if compression == ZIP { ZIP_LINES } else { 1 };
    let blocks = height.div_ceil(block_lines);
    // Blocks carry their own place, so the table of offsets is not needed.
    rest.take(8 * blocks)?;
    let mut metres = vec![0f32; width * height];
    for _ in 0..blocks {
        let line = i64::from(rest.i32()?) - i64::from(top);
        let line = usize::try_from(line)
            .ok()
            .filter(|line| *line < height)
            .ok_or("a block lies outside")?;
        let length = usize::try_from(rest.i32()?).map_err(|_| "a block has no length")?;
        let lines = block_lines.min(height - line);
        let raw = match compression {
            NONE => rest.take(length)?.to_vec(),
            _ => unpack(rest.take(length)?, lines * line_length)?,
        };
        if raw.len() != lines * line_length {
            return Err("a block has another length than its lines".into());
        }
        for (row, samples) in raw.chunks_exact(line_length).enumerate() {
            let target = &mut metres[(line + row) * width..(line + row + 1) * width];
            read_samples(samples, first == HALF, target);
        }
    }
    Ok(DepthMap {
        width: width as u32,
        height: height as u32,
        metres,
    })
}

fn read_samples(bytes: &[u8], half: bool, target: &mut [f32]) {
    if half {
        for (value, b) in target.iter_mut().zip(bytes.chunks_exact(2)) {
            *value = f16::from_le_bytes([b[0], b[1]]).to_f32();
        }
    } else {
        for (value, b) in target.iter_mut().zip(bytes.chunks_exact(4)) {
            *value = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
    }
}

/// Bytes from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (head, rest) = self.0.split_at_checked(count).ok_or("the file is cut off")?;
        self.0 = rest;
        Ok(head)
    }

    fn i32(&mut self) -> Result<i32, String> {
        let bytes = self.take(4)?.try_into().map_err(|_| "the file is cut off")?;
        Ok(i32::from_le_bytes(bytes))
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.i32().map(i32::cast_unsigned)
    }

    /// A text that ends with a zero byte.
    fn text(&mut self) -> Result<&'a [u8], String> {
        let end = self.0.iter().position(|&byte| byte == 0).ok_or("the file is cut off")?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }

    fn header(&mut self) -> Result<Header, String> {
        let mut header = Header::default();
        loop {
            let name = self.text()?;
            if name.is_empty() {
                return Ok(header);
            }
            self.text()?;
            let length = usize::try_from(self.i32()?).map_err(|_| "an attribute has no length")?;
            let mut value = Bytes(self.take(length)?);
            match name {
                b"channels" => {
                    while !value.text()?.is_empty() {
                        header.channels.push(value.i32()?);
                        value.take(12)?;
                    }
                }
                b"compression" => header.compression = value.0.first().copied(),
                b"dataWindow" => header.window = Some([value.i32()?, value.i32()?, value.i32()?, value.i32()?]),
                _ => {}
            }
        }
    }
}
