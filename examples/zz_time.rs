//! t
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    f[11].parse::<f64>().unwrap() / 100.0
}
fn main() {
    use covista::scene::procedural::*;
    for seed in 0..4 {
        let c = cpu();
        build(seed);
        let all = cpu() - c;
        let c = cpu();
        build_with(
            &ProceduralConfig {
                texture_px: 256,
                ..Default::default()
            },
            seed,
        )
        .unwrap();
        let t256 = cpu() - c;
        let c = cpu();
        build_with(
            &ProceduralConfig {
                texture_px: 256,
                shading: 0.0,
                ..Default::default()
            },
            seed,
        )
        .unwrap();
        let nobake = cpu() - c;
        println!("seed {seed}: cpu {all:.2} s; 256 px {t256:.2}; and no bake {nobake:.2}");
    }
}
