// Flat-shaded triangles: stored colour out, reverse-Z depth out, no light and no gamma change.
// Host side: src/render/mesh.rs (pipelines) and src/render/gpu_data.rs (the structs below).

// True for parallel rays; decided when a pipeline is made, so that perspective pays nothing for it.
override orthographic: bool = false;
// How much farther than they are back faces count as, a share of their depth: a wall whose two sides
// are two surfaces in one place does not hide its own front.
override back_face_push: f32 = 0.0001;

// One camera. Positions are relative to the scene's origin, so that 32 bits suffice far from the
// world's; the rows take a camera-relative point to clip coordinates. In perspective these are
// (x, y, w), and clip z is the constant near plane: depth = near / z, which is reverse-Z with the far
// plane at infinity. With parallel rays they are (x, y) and the metres along the axis, and depth runs
// from 1 at the near plane to 0 at the far one.
struct ViewUniforms {
    row_x: vec3f,
    near_m: f32,
    row_y: vec3f,
    pad_y: f32,
    row_w: vec3f,
    pad_w: f32,
    eye: vec3f,
    far_m: f32,
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
    let z = dot(view.row_w, p);
    if orthographic {
        let depth = (view.far_m - z) / (view.far_m - view.near_m);
        return vec4f(dot(view.row_x, p), dot(view.row_y, p), depth, 1.0);
    }
    return vec4f(dot(view.row_x, p), dot(view.row_y, p), view.near_m, z);
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

// The number of the triangle that shows, from 1, in the order of the buffer: three vertices each, no indices.

struct TriangleVarying {
    @builtin(position) clip: vec4f,
    @location(0) uv: vec2f,
    @location(1) color: vec4f,
    @location(2) @interpolate(flat) number: u32,
}

@vertex
fn vs_triangle(
    @location(0) position: vec3f,
    @location(1) uv: vec2f,
    @location(2) color: vec4f,
    @builtin(vertex_index) vertex: u32,
) -> TriangleVarying {
    return TriangleVarying(clip_from_scene(position), uv, color, vertex / 3u + 1u);
}

@fragment
fn fs_triangle(in: TriangleVarying) -> @location(0) u32 {
    return in.number;
}

@fragment
fn fs_triangle_masked(in: TriangleVarying) -> @location(0) u32 {
    let color = textureSample(base_color, base_color_sampler, in.uv) * in.color;
    if color.a < material.alpha_cutoff {
        discard;
    }
    return in.number;
}

// A mark where a back face lies before what the picture shows.

@vertex
fn vs_back(@location(0) position: vec3f, @location(1) uv: vec2f, @location(2) color: vec4f) -> TintedVarying {
    var clip = clip_from_scene(position);
    if orthographic {
        clip.z -= back_face_push * (1.0 - clip.z);
    } else {
        clip.z *= 1.0 - back_face_push;
    }
    return TintedVarying(clip, uv, color);
}

@fragment
fn fs_back() -> @location(0) vec4f {
    return vec4f(1.0);
}

@fragment
fn fs_back_masked(in: TintedVarying) -> @location(0) vec4f {
    let color = textureSample(base_color, base_color_sampler, in.uv) * in.color;
    if color.a < material.alpha_cutoff {
        discard;
    }
    return vec4f(1.0);
}
