// What the overlap filter needs of a view: the luma of a centred window, four pixels a word, and how many of its
// pixels show a surface. Host mirror: src/render/gray.rs.

struct GrayWindow {
    left: u32,
    top: u32,
    // Pixels across and down.
    size: u32,
    // Words of a row and of a layer in `pixels`.
    row_words: u32,
    layer_words: u32,
    pad_a: u32,
    pad_b: u32,
    pad_c: u32,
}

@group(0) @binding(0) var color: texture_2d_array<f32>;
@group(0) @binding(1) var depth: texture_depth_2d_array;
@group(0) @binding(2) var<uniform> window: GrayWindow;
@group(0) @binding(3) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(4) var<storage, read_write> surfaces: array<atomic<u32>>;

// Words of a row that one invocation makes.
const RUN: u32 = 8u;

// The fixed-point weights of the host's conversion, so that both give the same bytes.
fn luma(texel: vec4<f32>) -> u32 {
    let rgb = vec3<u32>(texel.rgb * 255.0 + 0.5);
    return (9798u * rgb.r + 19235u * rgb.g + 3735u * rgb.b + 16384u) >> 15u;
}

@compute @workgroup_size(8, 8, 1)
fn gray(@builtin(global_invocation_id) at: vec3<u32>) {
    if at.y >= window.size || at.x * RUN >= window.row_words {
        return;
    }
    let row = i32(window.top + at.y);
    let layer = i32(at.z);
    var count = 0u;
    for (var run = 0u; run < RUN; run++) {
        let word = at.x * RUN + run;
        if word >= window.row_words {
            break;
        }
        var packed = 0u;
        for (var lane = 0u; lane < 4u; lane++) {
            let x = word * 4u + lane;
            if x >= window.size {
                break;
            }
            let place = vec2<i32>(i32(window.left + x), row);
            packed |= luma(textureLoad(color, place, layer, 0)) << (8u * lane);
            // Reverse-Z: 0 is "nothing".
            count += select(0u, 1u, textureLoad(depth, place, layer, 0) > 0.0);
        }
        pixels[at.z * window.layer_words + at.y * window.row_words + word] = packed;
    }
    atomicAdd(&surfaces[at.z], count);
}
