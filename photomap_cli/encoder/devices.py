"""Owns the device that computes: which one, whether it works, its name, and its errors in photomap's terms.

Child process only; every CUDA call of the project is made inside `using`.
"""

from __future__ import annotations

import platform
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from photomap_cli.encoder import gpu
from photomap_cli.errors import BadSetting, EncoderDeviceFailed, EncoderDied, EncoderFailed, EncoderOutOfMemory

CUDA, CPU = torch.device("cuda:0"), torch.device("cpu")
_HINT = "photomap config set device auto"

# What a full card reports: no room for an allocation, a context, a handle or a library's plan; or another
# process has the card exclusively.  cuBLAS and cuDNN usually report a handle that can't be created.
_NO_ROOM = (
    *("out of memory", "ALLOC_FAILED", "ALLOCATION_FAILED", "busy or unavailable"),
    *("CUBLAS_STATUS_NOT_INITIALIZED", "CUDNN_STATUS_NOT_INITIALIZED"),
    *("find an engine", "valid cuDNN algorithm"),
)
_LOST = (
    "CUDA error: ",
    "HIP error: ",
)  # the runtime's own errors; cuBLAS's begin the same way and continue with its name


def choose(setting: str) -> tuple[torch.device, str]:
    """Return the device for a setting, and why an existing GPU isn't used; "" if there's nothing to tell.

    `auto` prefers CUDA, then MPS, and relies on a card only after it has run something.  Raises BadSetting.
    """
    if setting == "auto":
        why_not = _why_not_cuda()
        if why_not is None:
            return CUDA, ""
        return (torch.device("mps"), "") if torch.backends.mps.is_available() else (CPU, why_not)
    device = torch.device(setting)
    there = {"cuda": torch.cuda.device_count() > (device.index or 0), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, True):
        raise BadSetting(f"device {setting} is not there", hint=_HINT)
    if fault := _fault(device):
        raise BadSetting(f"device {setting} does not work: {fault}", hint=_HINT)
    return device, ""


def _why_not_cuda() -> str | None:
    """Return None if the first CUDA device works, else why it doesn't; "" if there is no GPU at all."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        is_there = torch.cuda.is_available()  # never raises: a failing driver gives a warning and no device
    if is_there:
        return _fault(CUDA) or None
    if heard:
        return _in_short(str(heard[-1].message).removeprefix("CUDA initialization: "))
    if not gpu.device_count():
        return ""
    return "PyTorch finds no CUDA device" if torch.version.cuda else "this PyTorch was built without CUDA"


def _fault(device: torch.device) -> str:
    """Run something on a device and return what is wrong with it, or "".  A full device isn't wrong."""
    if device.type != "cuda":
        return ""
    try:
        with using(device):
            torch.ones(1, device=device).add_(1).cpu()
            torch.cuda.empty_cache()
    except EncoderOutOfMemory:
        return ""
    except EncoderFailed as error:
        return _in_short(str(error.__cause__))
    except (AssertionError, torch.cuda.DeferredCudaCallError) as error:  # what torch raises if it can't even start
        return _in_short(str(error))
    return ""


@contextmanager
def using(device: torch.device) -> Iterator[None]:
    """Make `device` current (a new thread starts on device 0) and turn torch's errors into the project's."""
    try:
        with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
            yield
    except RuntimeError as error:
        raise translated(device, error) from error


def translated(device: torch.device, error: RuntimeError) -> EncoderFailed:
    """Return torch's error as a PhotomapError: out of memory, a device lost to this process, or another failure."""
    words = str(error).strip()
    reason = words.partition("\n")[0].partition(". GPU ")[0]  # without the allocator's summary of all memory
    on_card = device.type != "cpu"
    if isinstance(error, torch.OutOfMemoryError) or (on_card and any(sign in words for sign in _NO_ROOM)):
        return EncoderOutOfMemory(f"{device} has no room: {reason}")
    if not on_card:
        return EncoderFailed(f"{device}: {reason}")
    if words.startswith(_LOST) and "CUBLAS_STATUS" not in reason:  # every later call on its context fails too
        return EncoderDied(f"{device} is lost: {reason}")
    return EncoderDeviceFailed(f"{device}: {reason}")


def _in_short(words: str) -> str:
    """Return torch's message without its advice: the first sentence, or the CUDA error that it quotes."""
    line = words.strip().partition("\n")[0].partition(" (Triggered")[0]
    quoted = re.search(r"Error \d+: .*", line)
    return quoted[0] if quoted else re.split(r"\. (?=[A-Z])", line)[0].removesuffix(".")


def trim(device: torch.device) -> None:
    """Hand freed device memory back to the driver.  Drop every reference to it first, or nothing is freed."""
    if device.type == "cuda":
        with using(device):
            # Torch owns cuBLAS's workspaces (8 MB, 32 on Hopper) and keeps them otherwise.
            torch._C._cuda_clearCublasWorkspaces()
            torch.cuda.empty_cache()


def synchronise(device: torch.device) -> None:
    """Wait for a device's work without spinning, which would take a core from the decoders."""
    if device.type == "cuda":
        done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        done.record()
        done.synchronize()


def tune() -> None:
    """Keep cuDNN out of attention: it plans again for every batch size, 0.4 s each on Hopper and Blackwell."""
    torch.backends.cuda.enable_cudnn_sdp(False)


def precision(setting: str, device: torch.device) -> str:
    """Return the dtype for a setting: half on CUDA, bfloat16 on CPUs that compute in it, float32 elsewhere.

    Pure bfloat16 runs ViT-B-32-256 5.5 times as fast as float32 on a CPU with AMX, and twice with AVX-512's bfloat16,
    at cosine 0.99995.
    """
    if setting != "auto":
        return setting
    if device.type == "cuda":
        return "float16"
    return "bfloat16" if device.type == "cpu" and _multiplies_bfloat16() else "float32"


def _multiplies_bfloat16() -> bool:
    """Whether this CPU has bfloat16: for other AVX-512 CPUs oneDNN emulates it, 2.3 times slower than float32."""
    is_x86 = platform.machine().lower() in {"x86_64", "amd64"}
    return torch.ops.mkldnn._is_mkldnn_bf16_supported() and (not is_x86 or torch.cpu._is_avx512_bf16_supported())


def name(device: torch.device) -> tuple[str, bool]:
    """Return the hardware's name and whether it has memory of its own to give back."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        if getattr(properties, "is_integrated", False):
            return f"{properties.name} (unified memory: nothing to offload)", False
        return str(properties.name), True
    if device.type == "mps":
        return "Apple GPU (unified memory: nothing to offload)", False
    return _cpu_name(), False


def _cpu_name() -> str:
    """Return the processor's name as the system gives it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "CPU"
