"""Owns what the NVIDIA driver's management library (NVML) tells: no torch, no CUDA context, nothing woken."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager
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


def device_count() -> int:
    """Count the CUDA devices this process may use; 0 without a driver."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return 0
    count = ctypes.c_uint(0)
    with _library() as nvml:
        if nvml is None or nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
            return 0
    return count.value


def process_bytes(uuid: str, pid: int) -> int | None:
    """Return the bytes one process holds on a device, its CUDA context included.

    Args:
        uuid: the device's, as torch has it, with or without `GPU-`.
        pid: the process.

    Returns:
        None where the driver hides it: no NVML, a pid namespace (containers), Windows.
    """
    device = ctypes.c_void_p()
    name = f"GPU-{uuid.removeprefix('GPU-')}".encode()
    with _library() as nvml:
        if nvml is None or nvml.nvmlDeviceGetHandleByUUID(name, ctypes.byref(device)) != 0:
            return None
        count = ctypes.c_uint(256)
        found = (_Process * count.value)()
        if nvml.nvmlDeviceGetComputeRunningProcesses_v3(device, ctypes.byref(count), found) != 0:
            return None
    held = [process.used_bytes for process in found[: count.value] if process.pid == pid]
    return held[0] if held and held[0] != _HIDDEN else None


@contextmanager
def _library() -> Iterator[Any]:
    """Load and initialise NVML for one question; None where there is none."""
    try:
        nvml = ctypes.CDLL("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
    except OSError:
        yield None
        return
    if nvml.nvmlInit_v2() != 0:
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()
