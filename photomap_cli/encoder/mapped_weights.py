"""Owns converting weights that lie in a mapped file without having all of that in memory too.  Child process only."""

from __future__ import annotations

import ctypes
import mmap
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_DONT_NEED = 4  # Linux's MADV_DONTNEED; /proc tells what is mapped


def converted(model: nn.Module, dtype: torch.dtype, path: Path) -> nn.Module:
    """Convert a model as `model.to` does, releasing the mapped file's pages of each tensor once it is converted.

    Otherwise both copies are in memory at once: 605 MB in float32 and 302 MB in bfloat16 for ViT-B-32.
    """
    mapped = _mapped(path.resolve())

    def convert(tensor: Tensor) -> Tensor:
        other = tensor.to(dtype) if tensor.is_floating_point() else tensor
        if other is not tensor:
            _forget(tensor, mapped)
        return other

    model._apply(convert)  # type: ignore[no-untyped-call]
    return model


def _mapped(path: Path) -> list[range]:
    """Return the address ranges at which a file is mapped; empty if the system doesn't tell."""
    found = []
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines():
            if line.endswith(f" {path}"):
                begin, _, end = line.split(maxsplit=1)[0].partition("-")
                found.append(range(int(begin, 16), int(end, 16)))
    return found


def _forget(tensor: Tensor, mapped: list[range]) -> None:
    """Tell the system to drop a tensor's pages if they are mapped from a file; it reads them again when needed."""
    page, begin, end = mmap.PAGESIZE, tensor.data_ptr(), tensor.data_ptr() + tensor.nbytes
    whole = range(-(-begin // page) * page, end // page * page)  # pages shared with other tensors stay
    if whole and any(each.start <= begin and end <= each.stop for each in mapped):
        ctypes.CDLL(None).madvise(ctypes.c_void_p(whole.start), ctypes.c_size_t(len(whole)), _DONT_NEED)
