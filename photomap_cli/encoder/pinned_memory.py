"""Owns page-locking of RAM for faster copies to a CUDA device.  Child process only; needs a current CUDA context.

Uses the driver's cuMemHostRegister: it locks exactly the bytes given (torch's pin_memory rounds to a power of two and
keeps them), and a refusal is only a return code (a refused cudaHostRegister of the runtime makes the next unrelated
kernel report that the device is out of memory).
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from photomap_cli.memory import available_memory

MOST_BYTES = 2 << 30  # page-locked RAM is unavailable to everything else on the machine
_PORTABLE = 1  # CU_MEMHOSTREGISTER_PORTABLE: locked for every context


def pin(address: int, nbytes: int) -> bool:
    """Page-lock memory until it is unpinned or the process ends; False if that is unsafe, too much, or refused."""
    if not is_safe() or nbytes > min(MOST_BYTES, (available_memory() or 0) // 4):
        return False
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    driver.cuMemHostRegister_v2.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
    return bool(driver.cuMemHostRegister_v2(address, nbytes, _PORTABLE) == 0)


def unpin(address: int) -> bool:
    """Unlock what `pin` locked at this address, which no copy may be using; False if the driver refuses."""
    driver = ctypes.CDLL("libcuda.so.1")
    driver.cuMemHostUnregister.argtypes = [ctypes.c_void_p]
    return bool(driver.cuMemHostUnregister(address) == 0)


def is_safe() -> bool:
    """Whether this is native Linux: under WSL and Windows the driver limits and copies page-locked memory itself."""
    try:
        return sys.platform == "linux" and "microsoft" not in Path("/proc/sys/kernel/osrelease").read_text().lower()
    except OSError:
        return False
