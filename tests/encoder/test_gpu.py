"""What only a CUDA device can show; `pytest -m gpu` on a machine that has one."""

import os
import signal

import numpy as np
import pytest

from photomap_cli.encoder import nvml
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.records import ResidencyState as State

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(nvml.device_count() == 0, reason="there is no CUDA device"),
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


def test_the_device_agrees_with_the_cpu(residency):
    rows, _ = ask(residency)
    on_cpu = EncoderProcess("tiny", device="cpu", precision="float32")
    on_cpu.load()
    assert (rows[0] @ on_cpu.encode_text(["a red car"])[0]) > 0.999
    on_cpu.close()


def test_nothing_is_held_after_a_release(residency, process):
    ask(residency)
    pid = process.pid
    process.release()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not process_bytes_of(pid)


def process_bytes_of(pid):
    import torch

    return nvml.process_bytes(str(torch.cuda.get_device_properties(0).uuid), pid)


def test_killed_on_the_device_the_next_query_is_answered(residency, process):
    expected, _ = ask(residency)
    os.kill(process.pid, signal.SIGKILL)
    assert (ask(residency)[0] == expected).all()


def test_a_full_card_means_an_answer_from_the_cpu_and_then_recovery(residency, process):
    import torch

    expected, _ = ask(residency)
    residency.offload()
    free, _ = torch.cuda.mem_get_info(0)
    held = [torch.empty(max(1, free - (8 << 20)), dtype=torch.uint8, device="cuda:0")]
    rows, use = ask(residency)
    assert use.fell_back
    assert np.allclose(rows @ expected.T, 1, atol=2e-2)
    held.clear()
    torch.cuda.empty_cache()
    residency.load(try_again=True)
    assert residency.snapshot().state is State.VRAM
