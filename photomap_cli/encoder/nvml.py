"""Owns what the NVIDIA driver's management library (NVML) tells: no torch, no CUDA context, nothing woken."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_HIDDEN = ctypes.c_ulonglong(-1).value  # NVML_VALUE_NOT_AVAILABLE: the driver does not tell (Windows' display driver)


class _Process(ctypes.Structure):
    """nvmlProcessInfo_t of nvmlDeviceGetComputeRunningProcesses_v3."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("used_bytes", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def device_count() -> int:
    """Count the CUDA devices this process may use; 0 without a driver."""
    with _library() as nvml:
        return len(_visible(_count(nvml)))


def capabilities() -> list[tuple[int, int]]:
    """Return the compute capability of every device that the driver has, hidden from this process or not."""
    with _library() as nvml:
        return [known for index in range(_count(nvml)) if (known := _capability(nvml, index))]


def driver_cuda() -> int:
    """Return the major version of CUDA that the driver runs; 0 where it does not tell."""
    version = ctypes.c_int(0)
    with _library() as nvml:
        return version.value // 1000 if _done(nvml, "nvmlSystemGetCudaDriverVersion_v2", ctypes.byref(version)) else 0


def _capability(nvml: Any, index: int) -> tuple[int, int] | None:
    device, major, minor = ctypes.c_void_p(), ctypes.c_int(0), ctypes.c_int(0)
    if not _done(nvml, "nvmlDeviceGetHandleByIndex_v2", index, ctypes.byref(device)):
        return None
    asked = (device, ctypes.byref(major), ctypes.byref(minor))
    return (major.value, minor.value) if _done(nvml, "nvmlDeviceGetCudaComputeCapability", *asked) else None


def _count(nvml: Any) -> int:
    count = ctypes.c_uint(0)
    return count.value if _done(nvml, "nvmlDeviceGetCount_v2", ctypes.byref(count)) else 0


def _visible(count: int) -> list[str]:
    """Return the devices that CUDA_VISIBLE_DEVICES leaves of so many; like CUDA up to the first that is none."""
    asked = os.environ.get("CUDA_VISIBLE_DEVICES")
    if asked is None:
        return [str(index) for index in range(count)]
    names = [name.strip() for name in asked.split(",")]
    is_one = (name.startswith(("GPU-", "MIG-")) or (name.isdigit() and int(name) < count) for name in names)
    return [name for name, _ in zip(names, takewhile(bool, is_one), strict=False)] if count else []


def process_bytes(uuid: str, pid: int) -> int | None:
    """Return the bytes one process holds on a device, its CUDA context included.

    Args:
        uuid: the device's, as torch has it, with or without `GPU-` or `MIG-`.
        pid: the process.

    Returns:
        None where the driver hides it: no NVML, a pid namespace (containers), Windows.
    """
    count = ctypes.c_uint(256)
    found = (_Process * count.value)()
    with _library() as nvml:
        device = _device(nvml, uuid)
        if device is None:
            return None
        if not _done(nvml, "nvmlDeviceGetComputeRunningProcesses_v3", device, ctypes.byref(count), found):
            return None
    held = [process.used_bytes for process in found[: count.value] if process.pid == pid]
    return held[0] if held and held[0] != _HIDDEN else None


def used_bytes(uuid: str) -> int | None:
    """Return the bytes that all processes and the driver hold on a device, also where one's own are hidden."""
    memory = _Memory()
    with _library() as nvml:
        device = _device(nvml, uuid)
        if device is None or not _done(nvml, "nvmlDeviceGetMemoryInfo", device, ctypes.byref(memory)):
            return None
    return int(memory.used)


def _device(nvml: Any, uuid: str) -> ctypes.c_void_p | None:
    """Return NVML's handle of a device, a whole one or a slice of one (MIG); None where it knows none."""
    device, bare = ctypes.c_void_p(), uuid.removeprefix("GPU-").removeprefix("MIG-")
    for kind in ("GPU", "MIG"):
        if _done(nvml, "nvmlDeviceGetHandleByUUID", f"{kind}-{bare}".encode(), ctypes.byref(device)):
            return device
    return None


def _done(nvml: Any, question: str, *arguments: Any) -> bool:
    """Ask NVML; False without one, where it refuses, and where it is too old to know the question."""
    ask = getattr(nvml, question, None)
    return ask is not None and ask(*arguments) == 0


@contextmanager
def _library() -> Iterator[Any]:
    """Load and initialise NVML for one question; None where there is none."""
    try:
        nvml = ctypes.CDLL("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
    except OSError:
        yield None
        return
    if not _done(nvml, "nvmlInit_v2"):
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()
