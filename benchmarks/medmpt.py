"""MedMPT at full size against a straightforward reference, measured in the same run.

    python benchmarks/medmpt.py [--json FILE] [--threads N] [--only preprocess,encode,caption,gpu]

Random weights of the official size, two threads unless `--threads` says otherwise. The reference is what one writes first: plain
matmul-softmax attention, all slices in one batch, no key-value cache (every step runs the whole history), fp32, and preprocessing that
windows the whole volume in float64 and samples afterwards. Each variant runs in a process of its own, so that its peak memory is its own.
CPU seconds are given beside wall seconds: on a busy machine the ratio of CPU seconds is the one to read. Aims: preprocessing >= 10x with
equal bits, captioning >= 6x with equal ids, encoding >= 4x where the CPU multiplies bf16 in hardware (AMX or AVX512-BF16). AVX512-BF16
alone multiplies bf16 at twice the speed of fp32 (Zen 4, one thread: 210 against 90 to 105 GFLOP/s), so that 4x needs AMX.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
THREADS = 2
BEAMS, STEPS = 2, 120
Outcome = tuple[str, float]


def _plain_attention() -> None:
    """Replace the fused kernel in this process."""
    import torch

    def plain(q, k, v, attn_mask=None, is_causal=False, dropout_p=0.0):  # type: ignore[no-untyped-def]
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        if attn_mask is not None:
            scores = scores.masked_fill(~attn_mask, float("-inf"))
        return scores.softmax(-1) @ v

    torch.nn.functional.scaled_dot_product_attention = plain


def _model():  # type: ignore[no-untyped-def]
    import torch

    from medmpt_backend.model.config import MedMPTConfig
    from medmpt_backend.model.network import MedMPT

    torch.manual_seed(0)
    config = MedMPTConfig.base().model_copy(update={"labs": None, "medication": None})
    return MedMPT(config).eval().requires_grad_(False)


def _timed(work: Callable[[], str]) -> dict[str, object]:
    wall, cpu = time.perf_counter(), time.process_time()
    digest = work()
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "digest": digest}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def preprocess(reference: bool) -> dict[str, object]:
    """512 x 512 x 300 to the model's input."""
    import numpy as np
    import torch

    from medmpt_backend.imaging.volume import SeriesInfo, Volume
    from medmpt_backend.inference.preprocess import official_indices, prepare, resize_u8, window_u8
    from medmpt_backend.model.config import OFFICIAL_WINDOWS, PreprocessConfig

    hu = np.random.default_rng(0).integers(-1100, 600, (300, 512, 512), dtype=np.int16)
    volume = Volume(hu, (1.0, 0.7, 0.7), SeriesInfo("0" * 16))

    def straightforward() -> str:
        as_float = volume.hu[::-1].astype(np.float64)
        windows = np.stack([window_u8(as_float, w, c) for w, c in OFFICIAL_WINDOWS])
        chosen = torch.from_numpy(windows[:, official_indices(300, 32)])
        return _digest(resize_u8(chosen, 224).transpose(0, 1).contiguous().numpy().tobytes())

    def ours() -> str:
        return _digest(prepare(volume, PreprocessConfig(sampling="official"), 32, 224).image.numpy().tobytes())

    return _timed(straightforward if reference else ours)


def encode(reference: bool) -> dict[str, object]:
    """One study to scan embedding; ours in the precision that the hardware gets automatically, in chunks of 8 slices."""
    import torch

    from medmpt_backend.model.precision import choose_precision, convert

    model = _model()
    device = torch.device("cpu")
    precision = "fp32" if reference else choose_precision("auto", device)
    if reference:
        _plain_attention()
    model = convert(model, precision, device)
    image = torch.rand(1, 32, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 2 - 1
    image = image.bfloat16() if precision == "bf16" else image

    @torch.inference_mode()
    def work() -> str:
        scan, _ = model.fuse(model.encode_slices(image, None if reference else 8))
        return json.dumps([round(x, 5) for x in scan[0].float().tolist()])

    return {**_timed(work), "precision": precision}


def caption(reference: bool) -> dict[str, object]:
    """The released beam search, 120 steps, beam 2."""
    import torch

    from medmpt_backend.inference.released_decoding import official_beam_search

    model = _model()
    decoder = model.text_decoder
    text = model.config.text
    memory = torch.randn(1, 32, text.width, generator=torch.Generator().manual_seed(2))

    class _Uncached:
        """The decoder's cached interface, served by the whole history at every step."""

        config = decoder.config

        def start(self, memory: torch.Tensor) -> list[torch.Tensor]:
            return [memory]

        def step(self, token: torch.Tensor, cache: list[torch.Tensor]) -> torch.Tensor:
            cache.append(token)
            history = torch.stack(cache[1:], 1)
            rows = cache[0].repeat_interleave(len(history) // len(cache[0]), 0)
            return decoder(history, rows)[:, -1].log_softmax(-1)

    if reference:
        _plain_attention()
    searched = _Uncached() if reference else decoder

    def work() -> str:
        found = official_beam_search(searched, memory, BEAMS, STEPS, text.cls, text.cls)  # type: ignore[arg-type]
        return _digest(found.ids.numpy().tobytes())

    return _timed(work)


def gpu(reference: bool) -> dict[str, object]:
    """Studies per second of bf16 encoding on CUDA, and its share of the measured matrix-product ceiling."""
    import torch

    from medmpt_backend.model.precision import convert

    if not torch.cuda.is_available():
        return {"skipped": "no CUDA device"}
    device = torch.device("cuda")
    model = convert(_model(), "bf16", device)
    image = torch.rand(8, 32, 3, 224, 224, device=device, dtype=torch.bfloat16)

    def seconds(work: Callable[[], object], times: int) -> float:
        work()
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(times):
            work()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / times

    with torch.inference_mode():
        per_batch = seconds(lambda: model.fuse(model.encode_slices(image)), 10)
        a = torch.randn(8192, 8192, device=device, dtype=torch.bfloat16)
        ceiling = 2 * 8192**3 / seconds(lambda: a @ a, 20)
    tokens, width, depth = 197, 768, 12
    flops = 8 * 32 * depth * (24 * tokens * width**2 + 4 * tokens**2 * width)
    return {"studies_per_s": 8 / per_batch, "share_of_ceiling": flops / per_batch / ceiling, "ceiling_tflops": ceiling / 1e12}


PARTS = {"preprocess": preprocess, "encode": encode, "caption": caption}


def _agreement(reference: str, ours: str) -> str:
    """Equal bits, or the cosine of two embeddings."""
    if reference == ours or not reference.startswith("["):
        return f"equal output: {reference == ours}"
    import numpy as np

    a, b = (np.array(json.loads(x)) for x in (reference, ours))
    return f"cosine of the outputs: {a @ b / np.linalg.norm(a) / np.linalg.norm(b):.5f}"


def _child(name: str, reference: bool, threads: int) -> dict[str, object]:
    command = [sys.executable, __file__, "--child", name, "--threads", str(threads)] + (["--reference"] if reference else [])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run and print one line per part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="preprocess,encode,caption,gpu")
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--child")
    parser.add_argument("--reference", action="store_true")
    arguments = parser.parse_args()
    if arguments.child:
        import torch

        torch.set_num_threads(arguments.threads)
        result = {**PARTS, "gpu": gpu}[arguments.child](arguments.reference)
        result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(result))
        return
    results: dict[str, object] = {}
    for name in arguments.only.split(","):
        if name == "gpu":
            results[name] = _child(name, False, arguments.threads)
            print(f"gpu: {results[name]}", flush=True)
            continue
        reference, ours = _child(name, True, arguments.threads), _child(name, False, arguments.threads)
        agreement = _agreement(str(reference.pop("digest")), str(ours.pop("digest")))
        ratio = {unit: float(str(reference[unit])) / float(str(ours[unit])) for unit in ("wall_s", "cpu_s")}
        results[name] = {"reference": reference, "ours": ours, "speedup": ratio, "agreement": agreement}
        print(
            f"{name}: {ratio['wall_s']:.1f}x wall, {ratio['cpu_s']:.1f}x CPU; reference {reference['wall_s']:.2f} s "
            f"{reference['peak_mb']:.0f} MB, ours {ours['wall_s']:.2f} s {ours['peak_mb']:.0f} MB; {agreement}",
            flush=True,
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
