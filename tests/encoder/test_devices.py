import warnings
from unittest.mock import create_autospec

import pytest
from cases import cases

torch = pytest.importorskip("torch")

from photomap_cli.encoder import devices, gpu  # noqa: E402  torch first
from photomap_cli.errors import (  # noqa: E402
    BadSetting,
    EncoderDeviceFailed,
    EncoderDied,
    EncoderFailed,
    EncoderOutOfMemory,
)

CUDA, CPU = devices.CUDA, devices.CPU
TOO_OLD = "CUDA initialization: The NVIDIA driver on your system is too old (found version 12020). Please update it."
UNREADY = (
    "CUDA initialization: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before? "
    "Error 802: system not yet initialized (Triggered internally at /pytorch/c10/cuda/CUDAFunctions.cpp:119.)"
)
NO_KERNEL = "CUDA error: no kernel image is available for execution on the device\nSearch for `cudaErrorNo...'"
NO_HANDLE = "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"


class Card:
    """A CUDA device as far as it is tried; what is called takes what torch's own takes, and nothing else."""

    def __init__(self, monkeypatch):
        self.is_there, self.warning, self.fault, self.done = True, None, None, []
        patched = ("is_available", "device_count", "empty_cache")
        calls = {name: create_autospec(getattr(torch.cuda, name)) for name in patched}
        calls["is_available"].side_effect = self._is_available
        calls["device_count"].side_effect = lambda: int(self.is_there)
        calls["empty_cache"].side_effect = lambda: self.done.append("empty cache")
        for name, call in calls.items():
            monkeypatch.setattr(torch.cuda, name, call)
        clear = create_autospec(torch._C._cuda_clearCublasWorkspaces, side_effect=self._clear)
        monkeypatch.setattr(torch._C, "_cuda_clearCublasWorkspaces", clear)
        monkeypatch.setattr(torch.cuda, "_exchange_device", lambda _index: self._act(0))
        monkeypatch.setattr(torch.cuda, "_maybe_exchange_device", lambda index: index)
        ones = torch.ones
        monkeypatch.setattr(torch, "ones", lambda *size, device: self._act(ones(*size)))
        monkeypatch.setattr(gpu, "device_count", lambda: 1)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    def _is_available(self):
        if self.warning:
            warnings.warn(self.warning, UserWarning, stacklevel=1)
        return self.is_there

    def _act(self, result):
        if self.fault:
            raise self.fault
        return result

    def _clear(self):
        self.done.append("clear workspaces")


@pytest.fixture
def card(monkeypatch):
    return Card(monkeypatch)


def test_a_card_that_computes_is_taken(card):
    assert devices.choose("auto") == (CUDA, "")
    assert devices.choose("cuda:0") == (CUDA, "")


@pytest.mark.parametrize(
    ("warning", "reason"),
    [
        (TOO_OLD, "The NVIDIA driver on your system is too old (found version 12020)"),
        (UNREADY, "Error 802: system not yet initialized"),
        (None, "PyTorch finds no CUDA device"),
    ],
)
def test_a_driver_that_does_not_come_up_means_the_cpu_and_the_reason(card, warning, reason):
    card.is_there, card.warning = False, warning
    assert devices.choose("auto") == (CPU, reason)


def test_a_torch_without_cuda_is_named_where_there_is_a_card(card, monkeypatch):
    card.is_there = False
    monkeypatch.setattr(torch.version, "cuda", None)
    assert devices.choose("auto") == (CPU, "this PyTorch was built without CUDA")
    monkeypatch.setattr(gpu, "device_count", lambda: 0)
    assert devices.choose("auto") == (CPU, "")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (torch.AcceleratorError(NO_KERNEL), "CUDA error: no kernel image is available for execution on the device"),
        (RuntimeError("CUDA unknown error. Set up."), "CUDA unknown error"),
        (torch.cuda.DeferredCudaCallError("CUDA call failed lazily\n\nat"), "CUDA call failed lazily"),
    ],
)
def test_a_card_that_cannot_compute_means_the_cpu_and_the_reason_unless_it_was_asked_for(card, fault, reason):
    card.fault = fault
    assert devices.choose("auto") == (CPU, reason)
    with pytest.raises(BadSetting, match="does not work") as caught:
        devices.choose("cuda:0")
    assert reason in caught.value.message
    assert devices.choose("cpu") == (CPU, "")


@pytest.mark.parametrize(
    "full", [torch.OutOfMemoryError("CUDA out of memory."), torch.AcceleratorError("CUDA error: out of memory\nS")]
)
def test_a_card_that_is_full_now_is_taken_all_the_same(card, full):
    card.fault = full
    assert devices.choose("auto") == (CUDA, "")


def test_a_card_that_is_not_there_is_a_setting_to_mend(card):
    with pytest.raises(BadSetting, match="cuda:3 is not there"):
        devices.choose("cuda:3")


def test_trimming_gives_back_the_workspaces_first(card):
    devices.trim(CUDA)
    assert card.done == ["clear workspaces", "empty cache"]
    devices.trim(CPU)
    assert len(card.done) == 2


def test_where_not_even_a_context_fits_trimming_says_so_in_the_projects_words(card):
    card.fault = torch.AcceleratorError("CUDA error: out of memory\nSearch for")
    with pytest.raises(EncoderOutOfMemory, match="no room"):
        devices.trim(CUDA)


@cases(
    ("device", "error", "expected"),
    [
        (CUDA, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), EncoderOutOfMemory),
        (CUDA, torch.AcceleratorError("CUDA error: out of memory"), EncoderOutOfMemory),
        (
            CUDA,
            torch.AcceleratorError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
            EncoderOutOfMemory,
        ),
        (CUDA, RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), EncoderOutOfMemory),
        (CUDA, RuntimeError(NO_HANDLE), EncoderOutOfMemory),
        (CUDA, RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), EncoderOutOfMemory),
        (CUDA, RuntimeError("GET was unable to find an engine to execute this computation"), EncoderOutOfMemory),
        (torch.device("mps"), RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), EncoderOutOfMemory),
        (CUDA, torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), EncoderDied),
        (CUDA, RuntimeError("CUDA error: unspecified launch failure"), EncoderDied),  # torch before 2.8
        (CUDA, RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling"), EncoderDeviceFailed),
        (CUDA, RuntimeError("cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"), EncoderDeviceFailed),
        (CPU, RuntimeError("out of memory"), EncoderFailed),
    ],
)
def test_what_torch_says_is_told_apart(device, error, expected):
    assert type(devices.translated(device, error)) is expected


def test_no_room_is_told_in_a_line_that_fits_one():
    told = "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7.81 GiB of which 6.00 MiB"
    error = devices.translated(CUDA, torch.OutOfMemoryError(told))
    assert error.message == "cuda:0 has no room: CUDA out of memory. Tried to allocate 20.00 MiB"


@pytest.mark.parametrize(
    ("machine", "has_instructions", "expected"),
    [("x86_64", True, "bfloat16"), ("x86_64", False, "float32"), ("aarch64", False, "bfloat16")],
)
def test_bfloat16_is_chosen_where_the_cpu_does_not_imitate_it(monkeypatch, machine, has_instructions, expected):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_instructions)
    monkeypatch.setattr(devices.platform, "machine", lambda: machine)
    assert devices.precision("auto", CPU) == expected
    assert devices.precision("float16", CPU) == "float16"
