//! The time of steps on a GPU that nobody measured, from data sheets.
//!
//! A step cannot be faster than its arithmetic at the GPU's peak and its transfers at the bandwidth of its memory. Real
//! steps take certain multiples of these bounds, and some time per layer, request and step. The multiples were fitted to
//! runs of vLLM on H100 (BLIS, `sim/latency/trained_physics_model.go`, inference-sim/inference-sim); on other GPUs they
//! are an extrapolation. The time of a server in front of the engine is not part of it.

use super::step_time::StepTime;

/// A GPU as its data sheet has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gpu {
    /// Peak of dense 16-bit arithmetic, TFLOP/s.
    pub teraflops: f64,
    /// Bandwidth of its memory, TB/s.
    pub terabytes: f64,
}

impl Gpu {
    /// Known ones.
    pub const ALL: [(&'static str, Gpu); 3] = [
        ("h100", Gpu { teraflops: 989.5, terabytes: 3.35 }),
        ("a100-80gb", Gpu { teraflops: 312.0, terabytes: 2.039 }),
        ("l40s", Gpu { teraflops: 362.05, terabytes: 0.864 }),
    ];
}

/// The shape of a dense transformer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Layers.
    pub layers: u32,
    /// Width of the model.
    pub hidden: u32,
    /// Width of the keys of a token in one layer, and of its values: heads for them times their width.
    pub kv: u32,
    /// Width inside the feed-forward part.
    pub feed_forward: u32,
}

impl Shape {
    /// Known ones, from the models' `config.json`.
    pub const ALL: [(&'static str, Shape); 3] = [
        ("llama-3.1-8b", Shape { layers: 32, hidden: 4096, kv: 1024, feed_forward: 14_336 }),
        ("llama-3.1-70b", Shape { layers: 80, hidden: 8192, kv: 1024, feed_forward: 28_672 }),
        ("qwen2.5-7b", Shape { layers: 28, hidden: 3584, kv: 512, feed_forward: 18_944 }),
    ];
}

/// Bytes of a key or value.
const KV_BYTES: f64 = 2.0;

/// The time of steps of a model of this shape on `parallel` GPUs (tensor parallelism), with `weight` bytes for each of
/// its weights.
pub fn step_time(gpu: Gpu, shape: Shape, parallel: u32, weight: f64) -> StepTime {
    let parallel = f64::from(parallel.max(1));
    // Floating-point operations and bytes per microsecond.
    let (peak, bandwidth) = (gpu.teraflops * 1e6, gpu.terabytes * 1e6);
    let [layers, hidden, kv, feed_forward] = [shape.layers, shape.hidden, shape.kv, shape.feed_forward].map(f64::from);
    // Query and output, key and value; gate, up and down.
    let weights = layers * hidden * (2.0 * hidden + 2.0 * kv + 3.0 * feed_forward) / parallel;
    let context = 1.947 * layers * 2.0 * kv * KV_BYTES / parallel / bandwidth;
    // Two exchanges per layer, each in two phases.
    let exchanged = 2.0 * layers * hidden * 2.0 * 2.0 * (parallel - 1.0) / parallel;
    StepTime {
        base: 1.363 * weights * weight / bandwidth + 32.1 * layers + 126.0,
        token: 0.752 * exchanged / bandwidth,
        token_above: 0.0,
        prompt_token: 0.152 * 2.0 * weights / peak,
        context,
        attention: 0.152 * 4.0 * layers * hidden / parallel / peak,
        // A request that decodes also writes a key and a value in each layer.
        sequence: 4.42 + context,
        skew: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scheduler::Load;
    use super::*;

    /// Llama 3.1 8B on an H100: 6.98 billion weights in layers, of 2 bytes, at 3.35 TB/s.
    #[test]
    fn a_step_on_an_h100() {
        let time = step_time(Gpu::ALL[0].1, Shape::ALL[0].1, 1, 2.0);
        let weights = 32.0 * 4096.0 * (2.0 * 4096.0 + 2.0 * 1024.0 + 3.0 * 14_336.0);
        assert_eq!(weights, 6_979_321_856.0);
        let base = 1.363 * weights * 2.0 / 3.35e6 + 32.1 * 32.0 + 126.0;
        assert!((time.base - base).abs() < 1e-9 && (base - 6832.7).abs() < 1.0, "{base}");
        // 64 requests after 1,000 tokens each read 1,001 keys and values of 2 bytes in 32 layers.
        let load = Load { tokens: 64, sequences: 64, decodes: 64, context: 64_000, longest: 1000, ..Load::default() };
        let expected = base + 64.0 * 4.42 + 1.947 * 32.0 * 2.0 * 1024.0 * 2.0 * 64.0 * 1001.0 / 3.35e6;
        assert!((time.micros(&load) - expected).abs() < 1e-6, "{} {expected}", time.micros(&load));
        // A prompt of 2,000 tokens: 2 operations per weight and token, and 4 per layer, width and pair of tokens.
        let operations = 2000.0 * 2.0 * weights + 4.0 * 32.0 * 4096.0 * 2000.0 * 1000.0;
        let expected = base + time.sequence + 0.152 * operations / 989.5e6;
        assert!((time.micros(&Load::of_one(0, 2000)) - expected).abs() < 1e-6);
    }

    #[test]
    fn tensor_parallelism_divides_the_work_and_adds_exchanges() {
        let (gpu, shape) = (Gpu::ALL[0].1, Shape::ALL[1].1);
        let (one, four) = (step_time(gpu, shape, 1, 2.0), step_time(gpu, shape, 4, 2.0));
        let fixed = 32.1 * 80.0 + 126.0;
        assert!(((one.base - fixed) / 4.0 - (four.base - fixed)).abs() < 1e-6);
        assert!((one.prompt_token / 4.0 - four.prompt_token).abs() < 1e-9);
        assert_eq!(one.token, 0.0);
        // 160 exchanges of 8,192 values of 2 bytes, twice, less a quarter.
        assert!((four.token - 0.752 * 160.0 * 8192.0 * 4.0 * 0.75 / 3.35e6).abs() < 1e-9);
    }
}
