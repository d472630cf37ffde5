//! Decoding of EXT_meshopt_compression and KHR_meshopt_compression buffer views, from the bitstreams that the
//! extensions' texts define (appendix A: attributes, triangles, indices; appendix B: filters).

/// Elements that are coded as one group, with one width for their differences.
const GROUP: usize = 16;

/// Decodes `count` elements of `stride` bytes each of mode ATTRIBUTES.
pub(super) fn attributes(bytes: &[u8], count: usize, stride: usize) -> Result<Vec<u8>, String> {
    if stride == 0 || stride > 256 || !stride.is_multiple_of(4) {
        return Err(format!("its attributes have a stride of {stride}"));
    }
    let (&header, body) = bytes.split_first().ok_or_else(early)?;
    let version = match header {
        0xa0 => 0,
        0xa1 => 1,
        other => return Err(format!("its attributes have the unknown header {other:#x}")),
    };
    // The end of the data holds the element before the first, and in version 1 a byte for each 4 that says how the
    // differences are taken.
    let tail = if version == 0 { stride } else { stride + stride / 4 };
    let padded = tail.max(if version == 0 { 32 } else { 24 });
    let body_end = body.len().checked_sub(padded).ok_or_else(early)?;
    let end = &body[body.len() - tail..];
    let (mut previous, channels) = (end[..stride].to_vec(), &end[stride..]);
    let mut input = Input {
        bytes: &body[..body_end],
    };

    let per_block = ((8192 / stride) & !(GROUP - 1)).min(256);
    let mut out = vec![0u8; count.checked_mul(stride).ok_or("its attributes are too many")?];
    let mut columns = vec![0u8; 4 * per_block];
    for block in out.chunks_mut(per_block * stride) {
        let elements = block.len() / stride;
        let controls = if version == 0 { &[][..] } else { input.take(stride / 4)? };
        for word in 0..stride / 4 {
            for lane in 0..4 {
                let column = &mut columns[lane * per_block..][..elements];
                match (version, controls.get(word).map_or(0, |c| (c >> (2 * lane)) & 3)) {
                    (0, _) => input.differences(column, [0, 2, 4, 8])?,
                    (_, 0) => input.differences(column, [0, 1, 2, 4])?,
                    (_, 1) => input.differences(column, [1, 2, 4, 8])?,
                    (_, 2) => column.fill(0),
                    _ => column.copy_from_slice(input.take(elements)?),
                }
            }
            let channel = channels.get(word).copied().unwrap_or(0);
            let before = &mut previous[word * 4..][..4];
            for (at, element) in block.chunks_exact_mut(stride).enumerate() {
                let coded = [0, 1, 2, 3].map(|lane| columns[lane * per_block + at]);
                let now = undo_difference(channel, coded, [before[0], before[1], before[2], before[3]])?;
                before.copy_from_slice(&now);
                element[word * 4..][..4].copy_from_slice(&now);
            }
        }
    }
    if !input.bytes.is_empty() {
        return Err(format!("its attributes leave {} bytes over", input.bytes.len()));
    }
    Ok(out)
}

/// Four bytes of an element from their coded difference to those of the element before.
fn undo_difference(channel: u8, coded: [u8; 4], before: [u8; 4]) -> Result<[u8; 4], String> {
    let pair = |at: usize| {
        let value = u16::from_le_bytes([coded[at], coded[at + 1]]);
        let delta = (value >> 1) ^ (value & 1).wrapping_neg();
        u16::from_le_bytes([before[at], before[at + 1]])
            .wrapping_add(delta)
            .to_le_bytes()
    };
    Ok(match channel & 3 {
        0 => std::array::from_fn(|lane| {
            let value = coded[lane];
            before[lane].wrapping_add((value >> 1) ^ (value & 1).wrapping_neg())
        }),
        1 => {
            let ([a, b], [c, d]) = (pair(0), pair(2));
            [a, b, c, d]
        }
        2 => {
            let turned = u32::from_le_bytes(coded).rotate_right(u32::from(channel >> 4));
            (turned ^ u32::from_le_bytes(before)).to_le_bytes()
        }
        _ => return Err(format!("its attributes have the unknown channel {channel}")),
    })
}

/// Decodes `count` indices of mode TRIANGLES.
pub(super) fn triangles(bytes: &[u8], count: usize) -> Result<Vec<u32>, String> {
    let (&header, body) = bytes.split_first().ok_or_else(early)?;
    let version = match header {
        0xe0 => 0,
        0xe1 => 1,
        other => return Err(format!("its triangles have the unknown header {other:#x}")),
    };
    if !count.is_multiple_of(3) {
        return Err(format!("its triangles have {count} corners"));
    }
    let mut input = Input { bytes: body };
    let codes = input.take(count / 3)?;
    let table_at = input.bytes.len().checked_sub(16).ok_or_else(early)?;
    let table = &input.bytes[table_at..];
    input.bytes = &input.bytes[..table_at];

    let mut fifo = Fifo::default();
    // Version 1 keeps 13 and 14 for "the free index, one less or one more".
    let free_from = if version == 0 { 15 } else { 13 };
    let mut out = Vec::with_capacity(count);
    for &code in codes {
        let corners = if code < 0xf0 {
            let (a, b) = fifo.edge(code >> 4);
            let c = match code & 15 {
                0 => fifo.fresh(),
                at if at < free_from => fifo.vertex(at),
                15 => fifo.free(&mut input)?,
                at => {
                    let step = if at == 13 { u32::MAX } else { 1 };
                    fifo.last = fifo.last.wrapping_add(step);
                    fifo.last
                }
            };
            if code & 15 == 0 || code & 15 >= free_from {
                fifo.push_vertex(c);
            }
            [a, b, c]
        } else {
            let aux = match code {
                0xfe | 0xff => input.take(1)?[0],
                _ => table[usize::from(code & 15)],
            };
            if code >= 0xfe && aux == 0 {
                fifo.next = 0;
            }
            let (b_code, c_code) = (aux >> 4, aux & 15);
            // New vertices are numbered first, then the free indices follow in order.
            let mut a = if code == 0xff { 0 } else { fifo.fresh() };
            let mut b = if b_code == 0 {
                fifo.fresh()
            } else {
                fifo.vertex(b_code - 1)
            };
            let mut c = if c_code == 0 {
                fifo.fresh()
            } else {
                fifo.vertex(c_code - 1)
            };
            let frees = code >= 0xfe;
            if code == 0xff {
                a = fifo.free(&mut input)?;
            }
            if frees && b_code == 15 {
                b = fifo.free(&mut input)?;
            }
            if frees && c_code == 15 {
                c = fifo.free(&mut input)?;
            }
            fifo.push_vertex(a);
            if b_code == 0 || (frees && b_code == 15) {
                fifo.push_vertex(b);
            }
            if c_code == 0 || (frees && c_code == 15) {
                fifo.push_vertex(c);
            }
            fifo.push_edge(b, a);
            [a, b, c]
        };
        let [a, b, c] = corners;
        fifo.push_edge(c, b);
        fifo.push_edge(a, c);
        out.extend(corners);
    }
    Ok(out)
}

/// Decodes `count` indices of mode INDICES.
pub(super) fn indices(bytes: &[u8], count: usize) -> Result<Vec<u32>, String> {
    let (&header, body) = bytes.split_first().ok_or_else(early)?;
    if !matches!(header, 0xd0 | 0xd1) {
        return Err(format!("its indices have the unknown header {header:#x}"));
    }
    // Each index takes a byte or more.
    if count > body.len() {
        return Err(early());
    }
    let mut input = Input { bytes: body };
    let mut last = [0u32; 2];
    (0..count)
        .map(|_| {
            let value = input.varint()?;
            let baseline = &mut last[(value & 1) as usize];
            let difference = value >> 1;
            *baseline = baseline.wrapping_add((difference >> 1) ^ (difference & 1).wrapping_neg());
            Ok(*baseline)
        })
        .collect()
}

/// Undoes the filter EXPONENTIAL: a signed 8-bit exponent above a signed 24-bit mantissa becomes a float.
pub(super) fn exponential(bytes: &mut [u8]) {
    for word in bytes.as_chunks_mut::<4>().0 {
        let value = i32::from_le_bytes(*word);
        let (exponent, mantissa) = (value >> 24, (value << 8) >> 8);
        *word = (mantissa as f32 * (exponent as f32).exp2()).to_le_bytes();
    }
}

/// Undoes the filter COLOR: luma, two chroma differences and an alpha that also tells the number of bits become RGBA
/// of 8 bits (stride 4) or 16 bits (stride 8).
pub(super) fn color(bytes: &mut [u8], stride: usize) -> Result<(), String> {
    let width = match stride {
        4 | 8 => stride / 4,
        other => return Err(format!("its colours have a stride of {other}")),
    };
    for element in bytes.chunks_exact_mut(stride) {
        let raw = |at: usize| match width {
            1 => i32::from(element[at]),
            _ => i32::from(u16::from_le_bytes([element[2 * at], element[2 * at + 1]])),
        };
        let signed = |at: usize| {
            if width == 1 {
                raw(at) as i8 as i32
            } else {
                raw(at) as i16 as i32
            }
        };
        let (luma, orange, green, coded) = (raw(0), signed(1), signed(2), raw(3));
        // The highest bit set in alpha marks the top of the range; alpha itself has a bit less.
        let mut range = coded;
        for shift in [1, 2, 4, 8] {
            range |= range >> shift;
        }
        let alpha = ((coded << 1) & range) | (coded & 1);
        let scale = ((1 << (8 * width)) - 1) as f32 / range.max(1) as f32;
        for (at, value) in [luma + orange - green, luma + green, luma - orange - green, alpha]
            .into_iter()
            .enumerate()
        {
            let value = (value as f32 * scale + 0.5) as u16;
            match width {
                1 => element[at] = value.min(255) as u8,
                _ => element[2 * at..][..2].copy_from_slice(&value.to_le_bytes()),
            }
        }
    }
    Ok(())
}

/// The bytes that are left.
struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or_else(early)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Groups of 16 values, each group with the width that two bits at the front choose. All ones in fewer than 8
    /// bits stand for "a whole byte, after the group".
    fn differences(&mut self, out: &mut [u8], widths: [u8; 4]) -> Result<(), String> {
        let groups = out.len().div_ceil(GROUP);
        let header = self.take(groups.div_ceil(4))?;
        for (at, group) in out.chunks_mut(GROUP).enumerate() {
            let width = widths[usize::from((header[at / 4] >> (2 * (at % 4))) & 3)];
            let packed = self.take(usize::from(width) * GROUP / 8)?;
            let per_byte = 8 / width.max(1);
            let escape = ((1u16 << width) - 1) as u8;
            // The last group is whole in the file, also where fewer elements are left.
            for k in 0..GROUP {
                let value = match width {
                    0 => 0,
                    8 => packed[k],
                    _ => {
                        let place = k as u8 % per_byte;
                        // Single bits count from the lowest, wider ones from the highest.
                        let shift = if width == 1 { place } else { 8 - width * (place + 1) };
                        let value = (packed[k / usize::from(per_byte)] >> shift) & escape;
                        if value == escape { self.take(1)?[0] } else { value }
                    }
                };
                if let Some(slot) = group.get_mut(k) {
                    *slot = value;
                }
            }
        }
        Ok(())
    }

    /// Seven bits a byte, lowest first, at most five bytes.
    fn varint(&mut self) -> Result<u32, String> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.take(1)?[0];
            value |= u32::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err("it has an index that does not end".to_owned())
    }
}

/// What the triangle coder remembers: the last 16 edges and vertices, the next new vertex, the last free index.
#[derive(Default)]
struct Fifo {
    edges: [(u32, u32); 16],
    vertices: [u32; 16],
    edge_at: usize,
    vertex_at: usize,
    next: u32,
    last: u32,
}

impl Fifo {
    fn edge(&self, back: u8) -> (u32, u32) {
        self.edges[self.edge_at.wrapping_sub(1 + usize::from(back)) & 15]
    }

    fn vertex(&self, back: u8) -> u32 {
        self.vertices[self.vertex_at.wrapping_sub(1 + usize::from(back)) & 15]
    }

    fn fresh(&mut self) -> u32 {
        let vertex = self.next;
        self.next = self.next.wrapping_add(1);
        vertex
    }

    fn free(&mut self, input: &mut Input<'_>) -> Result<u32, String> {
        let value = input.varint()?;
        self.last = self.last.wrapping_add((value >> 1) ^ (value & 1).wrapping_neg());
        Ok(self.last)
    }

    fn push_vertex(&mut self, vertex: u32) {
        self.vertices[self.vertex_at & 15] = vertex;
        self.vertex_at = self.vertex_at.wrapping_add(1);
    }

    fn push_edge(&mut self, a: u32, b: u32) {
        self.edges[self.edge_at & 15] = (a, b);
        self.edge_at = self.edge_at.wrapping_add(1);
    }
}

fn early() -> String {
    "its compressed data ends early".to_owned()
}
