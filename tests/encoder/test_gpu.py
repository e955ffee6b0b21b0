"""What only a CUDA device can show; `scripts/gpu` on a machine that has one."""

import os
import signal

import numpy as np
import pytest

from photomap_cli.encoder import gpu, models, pinned_memory
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.records import ResidencyState as State

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not gpu.is_expected(), reason="there is no CUDA device that this torch can use"),
]


@pytest.fixture
def process():
    with_card = EncoderProcess("tiny", device="cuda:0")
    yield with_card
    with_card.close()


@pytest.fixture
def residency(process):
    made = Residency(process, idle_timeout=0, release_timeout=0)
    yield made
    made.close()


def ask(residency, text="a red car"):
    return residency.run("text", lambda encoder: encoder.encode_text([text]))


def test_fifty_cycles_give_the_same_bits_and_no_byte_more(residency):
    expected, _ = ask(residency)
    weights = residency.snapshot().memory.vram_weight_bytes
    assert residency.snapshot().state is State.VRAM
    assert weights > 0
    totals = []
    for _ in range(50):
        residency.offload()
        assert residency.snapshot().memory.vram_weight_bytes == 0
        rows, use = ask(residency)
        assert not use.fell_back
        assert (rows == expected).all()
        assert residency.snapshot().memory.vram_weight_bytes == weights
        totals.append(residency.snapshot().memory.vram_process_bytes)
    assert totals[5] is None or totals[-1] == totals[5], "memory of the device drifts"


def pictures(size):
    return np.random.default_rng(3).integers(0, 256, (5, *size, 3), dtype=np.uint8)


def test_the_device_agrees_with_the_cpu(residency):
    rows, use = ask(residency)
    batch = pictures(use.info.image_size)
    seen, use = residency.run("image", lambda encoder: encoder.encode_images(batch))
    assert not use.fell_back
    on_cpu = EncoderProcess("tiny", device="cpu", precision="float32")
    on_cpu.load()
    expected = np.concatenate([on_cpu.encode_text(["a red car"]), on_cpu.encode_images(batch)])
    on_cpu.close()
    assert (np.concatenate([rows, seen]) * expected).sum(axis=1).min() > 0.999


@pytest.fixture
def encoder():
    """The encoder in this process, where torch can be asked what it holds."""
    from photomap_cli.encoder import openclip

    name, tag = models.open_clip_name("tiny")
    how = {"device": "cuda:0", "precision": "auto", "allow_download": False, "on_progress": lambda *_: None}
    return openclip.load(spec="tiny", name=name, tag=tag, **how)


def test_after_an_offload_torch_holds_no_byte_of_the_card(encoder):
    import torch

    for _ in range(3):
        encoder.to_vram("text")
        encoder.encode_text(["a red car"])
        encoder.to_vram("image")
        encoder.encode_images(pictures(encoder.info.image_size))
        assert torch.cuda.memory_reserved(0) > 0
        encoder.to_ram()
        assert (torch.cuda.memory_allocated(0), torch.cuda.memory_reserved(0)) == (0, 0)


@pytest.mark.skipif(not pinned_memory.is_safe(), reason="nothing is page-locked on this system")
def test_page_locked_weights_are_the_same_bits(encoder):
    encoder.to_vram("text")
    expected = encoder.encode_text(["a red car"])
    encoder.pin()
    assert encoder.memory().pinned
    for _ in range(5):
        encoder.to_ram()
        encoder.to_vram("text")
        assert (encoder.encode_text(["a red car"]) == expected).all()
    encoder.to_ram()


@pytest.mark.skipif(not pinned_memory.is_safe(), reason="nothing is page-locked on this system")
def test_pictures_that_come_by_page_locked_memory_are_the_same_and_an_offload_gives_it_back(encoder):
    batch = many_pictures(encoder.info.image_size)
    encoder.to_vram("image")
    staged = encoder.encode_images(batch)
    assert encoder.memory().staging_bytes > 0
    encoder.to_ram()
    assert encoder.memory().staging_bytes == 0
    encoder._staging = None
    encoder.to_vram("image")
    plain = encoder.encode_images(batch)
    assert (staged * plain).sum(axis=1).min() > 0.999
    encoder.to_ram()


def many_pictures(size):
    """Return more than fit into the staging buffer at once, each another one."""
    few = pictures(size)
    return np.concatenate([np.roll(few, shift, axis=2) for shift in range(600)])


ROOM = 256 << 20


def test_batches_leave_others_most_of_the_card_and_never_hit_its_end(encoder):
    import torch

    batch = many_pictures(encoder.info.image_size)
    encoder.to_vram("image")
    expected = encoder.encode_images(batch[:100])
    encoder.trim()
    others = torch.empty(torch.cuda.mem_get_info(0)[0] - ROOM, dtype=torch.uint8, device="cuda:0")
    torch.cuda.reset_peak_memory_stats(0)
    before = torch.cuda.memory_allocated(0)
    refused = []
    encoder._batch_sizer.failed = lambda *given: refused.append(given)
    assert np.allclose(encoder.encode_images(batch)[:100], expected, atol=2e-2)
    assert not refused
    assert torch.cuda.max_memory_allocated(0) - before < ROOM / 2
    del others
    encoder.to_ram()


def test_nothing_is_held_after_a_release(residency, process):
    ask(residency)
    pid = process.pid
    process.release()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not process_bytes_of(pid)


def process_bytes_of(pid):
    import torch

    return gpu.process_bytes(str(torch.cuda.get_device_properties(0).uuid), pid)


def test_killed_on_the_device_the_next_query_is_answered(residency, process):
    expected, _ = ask(residency)
    os.kill(process.pid, signal.SIGKILL)
    assert (ask(residency)[0] == expected).all()


def test_a_full_card_means_an_answer_from_the_cpu_and_then_recovery(residency, process):
    import torch

    expected, _ = ask(residency)
    residency.offload()
    held = filled(torch)
    rows, use = ask(residency)
    assert use.refusal == "the GPU is full"
    assert np.allclose(rows @ expected.T, 1, atol=2e-2)
    held.clear()
    torch.cuda.empty_cache()
    residency.load(try_again=True)
    assert residency.snapshot().state is State.VRAM


def filled(torch):
    """Take all that the card has, but for pieces that are smaller than any tower."""
    held, size = [], torch.cuda.mem_get_info(0)[0]
    while size >= 1 << 20:
        try:
            held.append(torch.empty(size, dtype=torch.uint8, device="cuda:0"))
        except torch.OutOfMemoryError:
            size //= 2
    return held
