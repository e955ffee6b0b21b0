#!/usr/bin/env python
"""Measures moving an encoder: photomap's way, the usual `model.to()`, and a plain copy of the same bytes.

    scripts/bench_residency.py [--quick] [--json]

Models are ViT-B-32 and ViT-L-14 with random weights.  A stand-in for a GPU (memory that is already allocated) is
always measured, a CUDA device if there is one.  The last section starts and ends real encoder processes; on a GPU it
prints the memory in use at each step by NVML, and whether the targets of docs/benchmarks.md are met.  Figures are
medians in milliseconds.  All ways move the same bytes in the same run.  Each model has its own process, so that
page-locked RAM isn't reused.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import open_clip
import torch
from bench_tools import fresh

from photomap_cli.encoder import devices, gpu, pinned_memory
from photomap_cli.encoder.devices import CPU, CUDA
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.encoder.weights import Weights

if TYPE_CHECKING:
    from torch import nn

DTYPES = {"float32": torch.float32, "float16": torch.float16}
BOTH, TEXT = ("text", "image"), ("text",)
OFFLOAD_MS, OF_PLAIN_COPY, RELOAD_AND_QUERY_MS = 5.0, 0.8, 50.0  # targets on a GPU


def build(shape: str, dtype: torch.dtype) -> nn.Module:
    """Create a model with random weights, skipping the proper initialisation, which takes a minute."""
    with torch.device("meta"):
        model = open_clip.create_model(shape, pretrained=None, device="meta")
    model = model.to(dtype).to_empty(device="cpu").eval().requires_grad_(False)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.uniform_(-0.02, 0.02)
    return model


def milliseconds(work: Callable[[], object], device: torch.device) -> float:
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1e3 * (time.perf_counter() - started)


def cycle(
    there: Callable[[], object], back: Callable[[], object], device: torch.device, times: int
) -> dict[str, float]:
    """Return the median milliseconds of moving there and back, after one round of warm-up."""
    rounds = [(milliseconds(there, device), milliseconds(back, device)) for _ in range(times + 1)][1:]
    reloads, offloads = zip(*rounds, strict=True)
    return {"reload": statistics.median(reloads), "offload": statistics.median(offloads)}


def by_to(model: nn.Module, device: torch.device, times: int) -> dict[str, float]:
    """The usual way: each tensor is allocated and copied, in both directions."""
    if device.type == "cpu":  # `.to("cpu")` would do nothing here, so allocate and copy as it would
        card = itertools.cycle([tensor.clone() for tensor in (*model.parameters(), *model.buffers())])
        return cycle(
            lambda: replace_each(model, lambda tensor: next(card).copy_(tensor)),
            lambda: replace_each(model, torch.clone),
            device,
            times,
        )

    def away() -> None:
        model.to("cpu")
        torch.cuda.empty_cache()

    return cycle(lambda: model.to(device), away, device, times)


def replace_each(model: nn.Module, move: Callable[[torch.Tensor], torch.Tensor]) -> None:
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = move(tensor.data)


def card_memory() -> Callable[[int, torch.device], torch.Tensor]:
    """Return an allocator for the stand-in, which keeps its memory as CUDA's caching allocator does."""
    kept: dict[int, torch.Tensor] = {}

    def allocate(nbytes: int, device: torch.device) -> torch.Tensor:
        if device.type != "cpu":
            return torch.empty(nbytes, dtype=torch.uint8, device=device)
        if nbytes not in kept:
            kept[nbytes] = torch.zeros(nbytes, dtype=torch.uint8)
        return kept[nbytes][:]

    return allocate


def by_copy(nbytes: int, device: torch.device, times: int, *, pinned: bool) -> dict[str, float]:
    """The limit: one buffer of the same size is copied into an existing one; nothing needs offloading."""
    source = torch.ones(nbytes, dtype=torch.uint8, pin_memory=pinned)
    target = torch.zeros(nbytes, dtype=torch.uint8, device=device)
    return cycle(lambda: target.copy_(source, non_blocking=True), lambda: None, device, times)


def ours(weights: Weights, device: torch.device, times: int, towers: tuple[str, ...]) -> dict[str, float]:
    def reload() -> None:
        for tower in towers:
            weights.to_device(tower)

    measured = cycle(reload, weights.to_ram, device, times)
    return {**measured, "bytes": float(moved(weights, reload)), "pinned": float(weights.is_pinned)}


def pinned(weights: Weights) -> Weights:
    for tower in BOTH:
        weights.to_device(tower)
    weights.pin()
    weights.to_ram()
    return weights


def moved(weights: Weights, reload: Callable[[], None]) -> int:
    reload()
    nbytes = weights.vram_bytes
    weights.to_ram()
    return nbytes


def moving(shape: str, dtype: str, kind: str, times: int) -> dict[str, Any]:
    """Measure one model: all of it in each way, and the text tower alone in photomap's."""
    logging.disable(logging.WARNING)  # open_clip warns that the weights are random
    device, model = torch.device(kind), build(shape, DTYPES[dtype])
    rows: list[dict[str, Any]] = [{"way": "model.to()", **by_to(model, device, times)}]
    weights = Weights(model, device, allocate=card_memory())
    both = ours(weights, device, times, BOTH)
    nbytes = int(both["bytes"])
    rows.append({"way": "photomap, both towers", **both})
    rows.append({"way": "photomap, text tower", **ours(weights, device, times, TEXT)})
    rows.append({"way": "plain copy (the limit)", "bytes": nbytes, **by_copy(nbytes, device, times, pinned=False)})
    if device.type == "cuda":
        rows.append({"way": "photomap pinned, both", **ours(pinned(weights), device, times, BOTH)})
        rows.append({"way": "photomap pinned, text", **ours(weights, device, times, TEXT)})
        rows.append({"way": "plain pinned copy", "bytes": nbytes, **by_copy(nbytes, device, times, pinned=True)})
    return {"rows": compared(shape, dtype, device, rows)}


def compared(shape: str, dtype: str, device: torch.device, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    where = "RAM -> RAM (stand-in)" if device.type == "cpu" else "RAM -> VRAM"
    first = rows[0]
    return [
        {
            "shape": shape,
            "dtype": dtype,
            "where": where,
            **row,
            "reload_ratio": first["reload"] / row["reload"],
            "offload_ratio": first["offload"] / row["offload"] if row["offload"] > 1e-3 else None,
        }
        for row in rows
    ]


def save(shape: str, folder: Path) -> str:
    """Write a model with random weights in open_clip's layout; return its spec string."""
    from safetensors.torch import save_file

    model = build(shape, torch.float32)
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    config = {"model_cfg": open_clip.get_model_config(shape), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return f"local-dir:{folder}"


def process(spec: str, label: str) -> dict[str, Any]:
    """Measure an encoder process: start, query, offload, reload and query, release, and the memory after each."""
    encoder = EncoderProcess(spec)
    residency = Residency(encoder, idle_timeout=0, release_timeout=0)

    def query() -> object:
        return residency.run("text", lambda one: one.encode_text(["a photo of a dog"]))

    row: dict[str, Any] = {"encoder": label, "card_before": card_bytes(), "start_and_query": milliseconds(query, CPU)}
    row["hot_query"] = statistics.median(milliseconds(query, CPU) for _ in range(5))
    time.sleep(1.5)  # the process page-locks its weights after a moment without requests
    row["ram_bytes"] = residency.snapshot().memory.ram_bytes
    if residency.snapshot().info and residency.snapshot().info.can_offload:  # type: ignore[union-attr]
        row |= in_and_out(residency, query)
    row["release"] = milliseconds(encoder.release, CPU)
    row["card_released"] = card_bytes()
    residency.close()
    return row


def in_and_out(residency: Residency, query: Callable[[], object]) -> dict[str, Any]:
    """Measure five offloads and reloads of a live process, and the memory in use in between."""
    row: dict[str, Any] = {"card_resident": card_bytes()}
    row["process_resident"] = residency.snapshot().memory.vram_process_bytes
    moves, process_bytes = [], []
    for _ in range(5):
        offload = milliseconds(residency.offload, CPU)
        row["card_offloaded"] = card_bytes()
        process_bytes.append(residency.snapshot().memory.vram_process_bytes)
        moves.append((offload, milliseconds(query, CPU), residency.snapshot().last_reload_ms or 0.0))
    names = ("offload", "reload_and_query", "reload")
    row |= {name: statistics.median(taken) for name, taken in zip(names, zip(*moves, strict=True), strict=True)}
    snapshot = residency.snapshot()
    row |= {"process_offloaded": process_bytes[-1], "pinned": snapshot.memory.pinned}
    return row | {"on_the_cpu": snapshot.cpu_fallbacks, "error": snapshot.last_error and snapshot.last_error.message}


def card_bytes() -> int | None:
    """Return the GPU memory in use by all processes, in bytes; None without a GPU."""
    if not has_card():
        return None
    return gpu.used_bytes(str(torch.cuda.get_device_properties(CUDA).uuid))


def has_card() -> bool:
    return bool(gpu.device_count()) and torch.cuda.is_available()


def machine() -> dict[str, object]:
    return {
        "cpu": devices.name(CPU)[0],
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name(CUDA) if has_card() else None,
        "pinning": pinned_memory.is_safe() and has_card(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def measure(*, quick: bool) -> dict[str, Any]:
    logging.disable(logging.WARNING)
    times = 5 if quick else 9
    shapes = ("ViT-B-32",) if quick else ("ViT-B-32", "ViT-L-14")
    kinds = ("cpu", "cuda:0") if has_card() else ("cpu",)
    wanted = itertools.product(kinds, shapes, DTYPES)
    moves = [row for kind, shape, dtype in wanted for row in fresh(moving, shape, dtype, kind, times)["rows"]]
    processes = [process("tiny", "tiny")]
    if not quick:
        with tempfile.TemporaryDirectory() as folder:
            processes += [process(save(shape, Path(folder)), shape) for shape in shapes]
    return {"machine": machine(), "moves": moves, "processes": processes, "targets": targets(moves, processes)}


def targets(moves: list[dict[str, Any]], processes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print for each figure from a GPU whether it meets the target of docs/benchmarks.md."""
    met: list[tuple[str, float, float, bool]] = []
    on_card = [row for row in moves if row["where"] == "RAM -> VRAM"]
    plain = {(row["shape"], row["dtype"]): row["reload"] for row in on_card if row["way"] == "plain pinned copy"}
    for row in on_card:
        what = f"{row['shape']} {row['dtype']}, {row['way']}"
        if row["way"].startswith("photomap"):
            met.append((f"{what}: offload, ms, at most", row["offload"], OFFLOAD_MS, row["offload"] <= OFFLOAD_MS))
        if row["way"] == "photomap pinned, both":
            share = plain[row["shape"], row["dtype"]] / row["reload"] if row["pinned"] else 0.0
            met.append(
                (f"{what}: share of a plain copy's rate, at least", share, OF_PLAIN_COPY, share >= OF_PLAIN_COPY)
            )
    for row in processes:
        if "offload" in row:
            ms, label = row["reload_and_query"], row["encoder"]
            met.append((f"{label}: reload and query, ms, at most", ms, RELOAD_AND_QUERY_MS, ms <= RELOAD_AND_QUERY_MS))
            left = float((row["card_released"] or 0) - (row["card_before"] or 0))
            met.append((f"{label}: bytes on the card after a release, more than before", left, 0.0, left <= 0))
    return [dict(zip(("what", "is", "wanted", "met"), one, strict=True)) for one in met]


def figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def show(measured: dict[str, Any]) -> None:
    say = sys.stdout.write
    facts = measured["machine"]
    say(f"{facts['cpu']}, {facts['threads']} threads, GPU: {facts['cuda'] or 'none'}, torch {facts['torch']}\n\n")
    say(
        f"{'shape':10}{'dtype':9}{'where':23}{'way':25}{'MB':>7}{'reload':>9}{'GB/s':>7}{'x':>6}{'offload':>9}{'x':>7}\n"
    )
    for row in measured["moves"]:
        nbytes = row.get("bytes")
        rate = None if nbytes is None else nbytes / row["reload"] / 1e6
        say(
            f"{row['shape']:10}{row['dtype']:9}{row['where']:23}{row['way']:25}"
            f"{figure(nbytes and nbytes / 1e6, '7.0f'):>7}{row['reload']:9.1f}{figure(rate, '7.1f'):>7}"
            f"{row['reload_ratio']:6.1f}{row['offload']:9.2f}{figure(row['offload_ratio'], '7.0f'):>7}\n"
        )
    say("\nms by medians; x: how many times faster than model.to()\n\n")
    if facts["cuda"] is None:
        say("no CUDA device: the sections on a card were skipped\n\n")
    for row in measured["processes"]:
        facts_of_it = (
            f"{name} {value:,.1f}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
        )
        say("process: " + ", ".join(facts_of_it) + "\n")
    for one in measured["targets"]:
        say(f"{'met   ' if one['met'] else 'MISSED'} {one['what']} {one['wanted']:g}: {one['is']:,.2f}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ViT-B-32 alone, and the embedded encoder: under 40 s")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    arguments = parser.parse_args()
    measured = measure(quick=arguments.quick)
    if arguments.json:
        sys.stdout.write(json.dumps(measured, indent=1) + "\n")
    else:
        show(measured)


if __name__ == "__main__":
    main()
