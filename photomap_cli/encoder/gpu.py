"""Owns what can be learnt about GPUs without torch: no CUDA context, nothing woken.  Uses NVML by NVIDIA's pynvml."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

_LEAST_CAPABILITY = {12: (5, 0), 13: (7, 5)}
"""The oldest compute capability that PyTorch's builds for this CUDA have code for."""


def is_expected() -> bool:
    """Return whether a GPU can be expected to work; only trying it, as the encoder process does, tells for sure."""
    if not device_count():
        return False
    built_for, driver = torch_cuda(), driver_cuda()
    if built_for is None or 0 < driver < built_for:
        return False
    found = capabilities()
    return not found or max(found) >= _LEAST_CAPABILITY.get(built_for, (0, 0))


@cache
def torch_cuda() -> int | None:
    """Return the major version of CUDA that the installed torch was built for, without importing it; None for none."""
    package = find_spec("torch")
    for folder in package.submodule_search_locations or () if package else ():
        try:
            text = (Path(folder) / "version.py").read_text(encoding="utf-8")
        except OSError:
            continue
        version = re.search(r"^cuda\b[^=\n]*= *'(\d+)", text, re.MULTILINE)
        return int(version[1]) if version else None
    return None


def device_count() -> int:
    """Count the CUDA devices this process may use; 0 without a driver."""
    with _driver() as nvml:
        return len(_visible(_told(nvml, "nvmlDeviceGetCount") or 0))


def capabilities() -> list[tuple[int, int]]:
    """Return the compute capability of every device that the driver has, hidden from this process or not."""
    with _driver() as nvml:
        devices = [_told(nvml, "nvmlDeviceGetHandleByIndex", n) for n in range(_told(nvml, "nvmlDeviceGetCount") or 0)]
        told = [_told(nvml, "nvmlDeviceGetCudaComputeCapability", device) for device in devices if device is not None]
    return [(major, minor) for major, minor in filter(None, told)]


def driver_cuda() -> int:
    """Return the major version of CUDA that the driver supports; 0 if unknown."""
    with _driver() as nvml:
        return (_told(nvml, "nvmlSystemGetCudaDriverVersion") or 0) // 1000


def process_bytes(uuid: str, pid: int) -> int | None:
    """Return the bytes one process holds on a device, its CUDA context included.

    Args:
        uuid: the device's, as torch has it, with or without `GPU-` or `MIG-`.
        pid: the process.

    Returns:
        None where the driver hides it: no NVML, a pid namespace (containers), Windows.
    """
    with _driver() as nvml:
        device = _device(nvml, uuid)
        processes = _told(nvml, "nvmlDeviceGetComputeRunningProcesses", device) if device is not None else None
    return next((process.usedGpuMemory for process in processes or () if process.pid == pid), None)


def used_bytes(uuid: str) -> int | None:
    """Return the bytes that all processes and the driver hold on a device, even if a process's own are hidden."""
    with _driver() as nvml:
        device = _device(nvml, uuid)
        memory = _told(nvml, "nvmlDeviceGetMemoryInfo", device) if device is not None else None
    return int(memory.used) if memory is not None else None


def _visible(count: int) -> list[str]:
    """Return the devices that CUDA_VISIBLE_DEVICES leaves of `count`; like CUDA, up to the first invalid one."""
    asked = os.environ.get("CUDA_VISIBLE_DEVICES")
    if asked is None:
        return [str(index) for index in range(count)]
    names = [name.strip() for name in asked.split(",")]
    is_one = (name.startswith(("GPU-", "MIG-")) or (name.isdigit() and int(name) < count) for name in names)
    return [name for name, _ in zip(names, takewhile(bool, is_one), strict=False)] if count else []


def _device(nvml: Any, uuid: str) -> Any:
    """Return NVML's handle of a device, whole or a slice (MIG); None if it knows none."""
    bare = uuid.removeprefix("GPU-").removeprefix("MIG-")
    handles = (_told(nvml, "nvmlDeviceGetHandleByUUID", f"{kind}-{bare}") for kind in ("GPU", "MIG"))
    return next((handle for handle in handles if handle is not None), None)


def _told(nvml: Any, question: str, *arguments: Any) -> Any:
    """Ask NVML; None if there is none, it refuses, or it is too old for the question."""
    if nvml is None:
        return None
    try:
        return getattr(nvml, question)(*arguments)
    except nvml.NVMLError:
        return None


@contextmanager
def _driver() -> Iterator[Any]:
    """Yield pynvml, initialised for a few questions; None without a driver, which saves its 20 ms import."""
    if not _is_installed():
        yield None
        return
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def _is_installed() -> bool:
    if sys.platform == "win32":
        return True  # pynvml knows where to look
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True
