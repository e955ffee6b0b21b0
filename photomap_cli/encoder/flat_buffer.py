"""Owns the flat buffer of a tower: its tensors are views into one block, and can be repointed into a copy of it.

Child process only.  Moving a model is then one allocation and one copy instead of hundreds of each: 303 tensors in
ViT-B-32, 934 in MobileCLIP2-S0; pointing 303 tensors takes about 1 ms, and the padding costs 0.16 % of the bytes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, UntypedStorage

ALIGN_BYTES = 512  # what CUDA's caching allocator aligns to; enough for every vectorised kernel
BLOCK_BYTES = 2 << 20  # the allocator rounds large blocks up to this, so a rounded buffer leaves no usable tail
VIEW_ALIGN_BYTES = 16  # the widest element (complex128): views keep their place relative to it
_PLAIN = (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)


def is_flattenable(tensor: Tensor) -> bool:
    """Return whether a tensor is just bytes with a dtype, sizes and strides: no subclass, not quantised, not sparse."""
    return (
        type(tensor) in _PLAIN
        and tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not (tensor.is_quantized or tensor.is_conj() or tensor.is_neg())
    )


class FlatBuffer:
    """Tensors in one RAM buffer.  Building it copies their bytes there and points them at the copy.

    Tensors that share memory keep sharing it; shapes, strides, dtypes and all bits stay the same.

    Args:
        tensors: distinct flattenable tensors; the objects stay, their storage changes.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        regions = _regions(tensors)
        end = regions[-1].place + regions[-1].nbytes if regions else 0
        self.nbytes = max(BLOCK_BYTES, _round_up(end, BLOCK_BYTES))
        self._slots: list[_Slot] = []
        with torch.inference_mode(False), torch.no_grad():
            self.host = own_mapping(self.nbytes)
            while regions:  # one at a time, so that what was copied can be freed
                self._take(regions.pop())

    @property
    def tensors(self) -> int:
        """How many tensors are in it."""
        return len(self._slots)

    def point(self, buffer: Tensor) -> None:
        """Point every tensor into `buffer`: `nbytes` of uint8 with the same content, on any device."""
        storage, device = buffer.untyped_storage(), buffer.device
        with torch.inference_mode(False), torch.no_grad():
            for slot in self._slots:
                slot.point(storage, device)

    def _take(self, region: _Region) -> None:
        source = torch.empty(0, dtype=torch.uint8).set_(region.storage, region.low, (region.nbytes,), (1,))
        self.host[region.place : region.place + region.nbytes].copy_(source)
        for tensor in region.tensors:
            at = region.place - region.low + _first_byte(tensor)
            slot = _Slot(tensor, tensor.dtype, at // tensor.element_size(), tuple(tensor.size()), tensor.stride())
            slot.point(self.host.untyped_storage(), self.host.device)
            self._slots.append(slot)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A tensor's place in the buffer; `offset` counts elements of its dtype."""

    tensor: Tensor
    dtype: torch.dtype
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def point(self, storage: UntypedStorage, device: torch.device) -> None:
        view = torch.empty(0, dtype=self.dtype, device=device)
        self.tensor.data = view.set_(storage, self.offset, self.size, self.stride)


@dataclass(slots=True)
class _Region:
    """Bytes `low` to `high` of one storage, the tensors that lie in them, and their place in the buffer."""

    storage: UntypedStorage
    low: int
    high: int
    tensors: list[Tensor]
    place: int = 0

    @property
    def nbytes(self) -> int:
        return self.high - self.low


def _regions(tensors: Iterable[Tensor]) -> list[_Region]:
    """Return the byte ranges in use, per storage, overlapping ones merged, each with its place."""
    by_storage: dict[int, list[Tensor]] = {}
    for tensor in tensors:
        by_storage.setdefault(tensor.untyped_storage().data_ptr(), []).append(tensor)
    regions = [region for members in by_storage.values() for region in _merged(members)]
    end = 0
    for region in regions:
        region.place = _round_up(end, ALIGN_BYTES)
        end = region.place + region.nbytes
    return regions


def _merged(tensors: list[Tensor]) -> list[_Region]:
    """Return the spans of tensors of one storage, those that overlap as one."""
    regions: list[_Region] = []
    for tensor in sorted(tensors, key=_span):
        low, high = _span(tensor)
        if regions and low < regions[-1].high:
            regions[-1].high = max(high, regions[-1].high)
            regions[-1].tensors.append(tensor)
        else:
            low -= low % VIEW_ALIGN_BYTES
            regions.append(_Region(tensor.untyped_storage(), low, max(low, high), [tensor]))
    return regions


def _span(tensor: Tensor) -> tuple[int, int]:
    """Return the bytes (from, to) of its storage that a tensor touches."""
    first = _first_byte(tensor)
    if tensor.numel() == 0:
        return first, first
    steps = sum((int(size) - 1) * int(stride) for size, stride in zip(tensor.size(), tensor.stride(), strict=True))
    return first, first + (steps + 1) * tensor.element_size()


def _first_byte(tensor: Tensor) -> int:
    return int(tensor.storage_offset()) * tensor.element_size()


def own_mapping(nbytes: int) -> Tensor:
    """Return an anonymous mapping of exactly this size, as uint8; torch's pinned memory rounds up to a power of two."""
    mapping = mmap.mmap(-1, nbytes)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without huge pages: only slower
            mapping.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(mapping, dtype=torch.uint8)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
