// Flat-shaded triangles: stored colour out, reverse-Z depth out, no light and no gamma change.
// Host side: src/render/mesh.rs (pipelines) and src/render/gpu_data.rs (the structs below).

// One camera. Positions are relative to the scene's origin, so that 32 bits suffice far from the
// world's; the rows take a camera-relative point to clip coordinates (x, y, w), and clip z is the
// constant near plane: depth = near / z, which is reverse-Z with the far plane at infinity.
struct ViewUniforms {
    row_x: vec3f,
    near_m: f32,
    row_y: vec3f,
    pad_y: f32,
    row_w: vec3f,
    pad_w: f32,
    eye: vec3f,
    pad_eye: f32,
}

struct MaterialUniforms {
    alpha_cutoff: f32,
    pad_a: f32,
    pad_b: f32,
    pad_c: f32,
}

@group(0) @binding(0) var<uniform> view: ViewUniforms;
@group(1) @binding(0) var<uniform> material: MaterialUniforms;
@group(1) @binding(1) var base_color: texture_2d<f32>;
@group(1) @binding(2) var base_color_sampler: sampler;

fn clip_from_scene(position: vec3f) -> vec4f {
    let p = position - view.eye;
    return vec4f(dot(view.row_x, p), dot(view.row_y, p), view.near_m, dot(view.row_w, p));
}

// One colour a triangle: materials without a texture.

struct FlatVarying {
    @builtin(position) clip: vec4f,
    @location(0) @interpolate(flat) color: vec4f,
}

@vertex
fn vs_flat(@location(0) position: vec3f, @location(2) color: vec4f) -> FlatVarying {
    return FlatVarying(clip_from_scene(position), color);
}

@fragment
fn fs_flat(in: FlatVarying) -> @location(0) vec4f {
    return in.color;
}

// Vertex colours without a texture.

struct SmoothVarying {
    @builtin(position) clip: vec4f,
    @location(0) color: vec4f,
}

@vertex
fn vs_smooth(@location(0) position: vec3f, @location(2) color: vec4f) -> SmoothVarying {
    return SmoothVarying(clip_from_scene(position), color);
}

@fragment
fn fs_smooth(in: SmoothVarying) -> @location(0) vec4f {
    return in.color;
}

// A texture and nothing else.

struct TexturedVarying {
    @builtin(position) clip: vec4f,
    @location(0) uv: vec2f,
}

@vertex
fn vs_textured(@location(0) position: vec3f, @location(1) uv: vec2f) -> TexturedVarying {
    return TexturedVarying(clip_from_scene(position), uv);
}

@fragment
fn fs_textured(in: TexturedVarying) -> @location(0) vec4f {
    return textureSample(base_color, base_color_sampler, in.uv);
}

// A texture times a factor or vertex colours.

struct TintedVarying {
    @builtin(position) clip: vec4f,
    @location(0) uv: vec2f,
    @location(1) color: vec4f,
}

@vertex
fn vs_tinted(@location(0) position: vec3f, @location(1) uv: vec2f, @location(2) color: vec4f) -> TintedVarying {
    return TintedVarying(clip_from_scene(position), uv, color);
}

@fragment
fn fs_tinted(in: TintedVarying) -> @location(0) vec4f {
    return textureSample(base_color, base_color_sampler, in.uv) * in.color;
}

@fragment
fn fs_masked(in: TintedVarying) -> @location(0) vec4f {
    let color = textureSample(base_color, base_color_sampler, in.uv) * in.color;
    if color.a < material.alpha_cutoff {
        discard;
    }
    return color;
}
