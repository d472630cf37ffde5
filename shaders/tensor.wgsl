// From a picture of RGBA bytes to one image of a tensor [count, 3, side, side]: a window of it, channel after channel,
// each byte replaced by its normalised value. Host mirror: src/render/tensor.rs.

struct TensorWindow {
    // First word of the picture in `pixels`, and words of a row.
    first_word: u32,
    row_words: u32,
    left: u32,
    top: u32,
    // Pixels across and down.
    side: u32,
    // Place of the image in the tensor.
    image: u32,
    pad_a: u32,
    pad_b: u32,
}

@group(0) @binding(0) var<uniform> window: TensorWindow;
// Value of each byte: 256 for each channel. A table and no arithmetic, so that every device gives the host's bits.
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> pixels: array<u32>;
@group(0) @binding(3) var<storage, read_write> tensor: array<f32>;

@compute @workgroup_size(8, 8, 1)
fn tensor_image(@builtin(global_invocation_id) at: vec3<u32>) {
    if at.x >= window.side || at.y >= window.side {
        return;
    }
    let texel = pixels[window.first_word + (window.top + at.y) * window.row_words + window.left + at.x];
    let plane = window.side * window.side;
    let place = window.image * 3u * plane + at.y * window.side + at.x;
    tensor[place] = values[texel & 255u];
    tensor[place + plane] = values[256u + ((texel >> 8u) & 255u)];
    tensor[place + 2u * plane] = values[512u + ((texel >> 16u) & 255u)];
}
