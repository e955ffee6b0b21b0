"""Stands in for a CUDA device as far as its memory and its copies go; what is computed is computed by the CPU.

Tensors on it lie in RAM.  What it is asked for its memory takes what torch's own functions take, and nothing else.  A
copy that needn't be waited for is late: it reads the memory it comes from only when somebody waits for it.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from unittest.mock import create_autospec

import torch

from photomap_cli.encoder import pinned_memory

COPY = torch.Tensor.copy_
CARD = torch.device("cuda:0")


class CudaStandIn:
    """A card with so many bytes, of which `others` are other programs', and `kept` are torch's own, unused."""

    def __init__(self, monkeypatch, total=1 << 30):
        self.total, self.others, self.kept = total, 0, 0
        self.allocated = self.peak = 0
        self.pinned, self.unpinned, self.may_pin, self.may_unpin = [], [], True, True
        self.asked, self.waits, self._late = 0, [], []
        for name in ("mem_get_info", "memory_reserved", "memory_allocated", "max_memory_allocated"):
            stand_in = create_autospec(getattr(torch.cuda, name), side_effect=getattr(self, f"_{name}"))
            monkeypatch.setattr(torch.cuda, name, stand_in)
        reset = create_autospec(torch.cuda.reset_peak_memory_stats, side_effect=self._reset)
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset)
        monkeypatch.setattr(torch.cuda, "empty_cache", self._empty_cache)
        monkeypatch.setattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: None)
        monkeypatch.setattr(torch.cuda, "_exchange_device", lambda index: index)
        monkeypatch.setattr(torch.cuda, "_maybe_exchange_device", lambda index: index)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(synchronize=self.arrive))
        for owner, name in ((torch, "empty"), (torch, "empty_like"), (torch.Tensor, "to")):
            monkeypatch.setattr(owner, name, in_ram(getattr(owner, name)))
        monkeypatch.setattr(torch.cuda, "Event", lambda **how: _Event(self, **how))
        monkeypatch.setattr(torch.Tensor, "copy_", lambda *given, **how: self._copy(*given, **how))
        monkeypatch.setattr(pinned_memory, "pin", self._pin)
        monkeypatch.setattr(pinned_memory, "unpin", self._unpin)

    def compute(self, nbytes):
        """Take so many bytes for a moment, if there are as many."""
        if nbytes > self._mem_get_info(CARD)[0] + self.kept:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        self.peak = max(self.peak, self.allocated + nbytes)

    def arrive(self, count=None):
        """Let late copies happen: the first so many, or all."""
        late, self._late = self._late[:count], self._late[count:] if count is not None else []
        for target, source in late:
            COPY(target, source)

    # What torch and the driver are asked ----------------------------------------------------------------------------

    def _mem_get_info(self, device=None):
        self.asked += 1
        return self.total - self.others - self.allocated - self.kept, self.total

    def _memory_reserved(self, device=None):
        return self.allocated + self.kept

    def _memory_allocated(self, device=None):
        return self.allocated

    def _max_memory_allocated(self, device=None):
        return self.peak

    def _reset(self, device=None):
        self.peak = self.allocated

    def _empty_cache(self):
        self.kept = 0

    def _copy(self, target, source, non_blocking=False):
        if not non_blocking:
            return COPY(target, source)
        self._late.append((target, source))
        return target

    def _pin(self, address, nbytes):
        self.pinned.append(nbytes)
        return self.may_pin

    def _unpin(self, address):
        self.unpinned.append(len(self._late))
        return self.may_unpin

    @property
    def late(self):
        """How many copies haven't arrived."""
        return len(self._late)


def in_ram(make):
    """Return what makes tensors, with RAM in the card's place."""

    @functools.wraps(make)
    def made(*given, **how):
        where = {"device": torch.device("cpu")} if how.get("device") == CARD else {}
        return make(
            *(torch.device("cpu") if isinstance(one, torch.device) and one == CARD else one for one in given),
            **how | where,
        )

    return made


class _Event:
    def __init__(self, card, *, blocking=False):
        self._card, self._blocking, self._copy = card, blocking, None

    def record(self):
        self._copy = self._card._late[-1] if self._card._late else None

    def synchronize(self):
        self._card.waits.append(self._blocking)
        places = [number for number, each in enumerate(self._card._late) if each is self._copy]
        if places:
            self._card.arrive(places[0] + 1)
