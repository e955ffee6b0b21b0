"""Owns where a model's tensors point: to their master in RAM or to a copy on the device.  Child process only.

Weights never change during inference, so the master stays in RAM: offloading drops the device copy and moves no bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from photomap_cli.encoder import devices, pinned_memory
from photomap_cli.encoder.flat_buffer import FlatBuffer, is_flattenable

if TYPE_CHECKING:
    from torch import Tensor, nn


class Weights:
    """Every parameter and buffer of a model, by tower; `to_device` and `to_ram` re-point them.

    Args:
        model: an open_clip model on the CPU; its image tower is `model.visual`, all else counts as the text tower.
            Towers that share a tensor are moved as one.
        device: where `to_device` copies to.
        allocate: returns that many bytes of uint8 on a device.
    """

    def __init__(
        self,
        model: nn.Module,
        device: torch.device,
        *,
        allocate: Callable[[int, torch.device], Tensor] = lambda nbytes, device: torch.empty(
            nbytes, dtype=torch.uint8, device=device
        ),
    ) -> None:
        self._model, self._device, self._allocate = model, device, allocate
        places = list(_places(model))
        visual = {id(module) for module in model.get_submodule("visual").modules()}
        image = [place for place in places if id(place.module) in visual]
        text = [place for place in places if id(place.module) not in visual]
        if {id(place.tensor) for place in image} & {id(place.tensor) for place in text}:
            self._towers = dict.fromkeys(("text", "image"), _Tower(places))
        else:
            self._towers = {"text": _Tower(text), "image": _Tower(image)}

    @property
    def ram_bytes(self) -> int:
        """Bytes of the masters in RAM."""
        return sum(tower.nbytes for tower in self._distinct)

    @property
    def vram_bytes(self) -> int:
        """Bytes of the device copies."""
        return sum(tower.nbytes for tower in self._distinct if tower.is_resident)

    @property
    def loose_tensors(self) -> int:
        """How many tensors are moved one by one because they don't fit into a flat buffer."""
        return sum(len(tower.loose) for tower in self._distinct)

    @property
    def is_pinned(self) -> bool:
        """Whether every tower that has been on the device is page-locked in RAM."""
        used = [tower for tower in self._distinct if tower.was_used]
        return bool(used) and all(tower.is_pinned for tower in used)

    @property
    def wants_pinning(self) -> bool:
        """Whether a tower has been on the device and page-locking it hasn't been tried."""
        return any(tower.was_used and tower.is_pinned is None for tower in self._distinct)

    def device_of(self, tower: str) -> torch.device:
        """Return where a tower's weights are now."""
        return self._device if self._towers[tower].is_resident else torch.device("cpu")

    def to_device(self, tower: str) -> None:
        """Copy one tower to the device, then point its tensors there.  An exception before that changes nothing."""
        if not self._towers[tower].is_resident:
            self._towers[tower].to_device(self._device, self._allocate)

    def to_ram(self) -> None:
        """Point every tensor back at its master; the device copies die with their last reference."""
        for tower in self._distinct:
            tower.to_ram()
        _drop_caches(self._model, self._device)
        devices.trim(self._device)

    def pin(self) -> None:
        """Page-lock the masters of the towers that have been on the device, if that is safe.  Takes a while."""
        for tower in self._distinct:
            if tower.was_used and tower.is_pinned is None:
                tower.pin()

    @property
    def _distinct(self) -> list[_Tower]:
        return list({id(tower): tower for tower in self._towers.values()}.values())


class _Tower:
    """What moves together: a flat buffer, its copy on the device, and tensors that don't fit into one."""

    def __init__(self, places: list[_Place]) -> None:
        flat = {id(place.tensor): place.tensor for place in places if is_flattenable(place.tensor)}
        self.loose = [place for place in places if id(place.tensor) not in flat]
        self._flat = FlatBuffer(list(flat.values()))
        self._copy: Tensor | None = None
        self.was_used = False
        self.is_pinned: bool | None = None

    @property
    def is_resident(self) -> bool:
        return self._copy is not None

    @property
    def nbytes(self) -> int:
        return self._flat.nbytes + sum(place.tensor.nbytes for place in self.loose)

    def to_device(self, device: torch.device, allocate: Callable[[int, torch.device], Tensor]) -> None:
        # Inside torch.inference_mode the copies would become inference tensors for good.
        with torch.inference_mode(False), torch.no_grad():
            copy = allocate(self._flat.nbytes, device)
            copy.copy_(self._flat.host, non_blocking=True)
            loose = [place.tensor.to(device, copy=True) for place in self.loose]
            _synchronise(device)
            self._flat.point(copy)
            for place, tensor in zip(self.loose, loose, strict=True):
                place.put(tensor)
        self._copy, self.was_used = copy, True

    def to_ram(self) -> None:
        if self._copy is None:
            return
        self._flat.point(self._flat.host)
        for place in self.loose:
            place.put(place.tensor)
        self._copy = None

    def pin(self) -> None:
        self.is_pinned = pinned_memory.pin(self._flat.host.data_ptr(), self._flat.nbytes)


@dataclass(frozen=True, slots=True)
class _Place:
    """A name under which a module holds a tensor; `tensor` is the master."""

    module: nn.Module
    name: str
    tensor: Tensor

    def put(self, tensor: Tensor) -> None:
        """Set the module's tensor of this name."""
        if self.name in self.module._buffers:
            self.module._buffers[self.name] = tensor
        elif isinstance(tensor, torch.nn.Parameter):
            self.module._parameters[self.name] = tensor
        else:
            self.module._parameters[self.name] = torch.nn.Parameter(tensor, requires_grad=False)


def _places(model: nn.Module) -> Iterator[_Place]:
    """Yield every name of every parameter and buffer, non-persistent ones too."""
    for module in model.modules():
        for registry in (module._parameters, module._buffers):
            for name, tensor in registry.items():
                if tensor is not None:
                    yield _Place(module, name, tensor)


def _drop_caches(model: nn.Module, device: torch.device) -> None:
    """Drop what modules computed on the device and cached outside their buffers, like timm's attention biases."""
    for module in model.modules():
        for name, kept in vars(module).items():
            if name in ("_parameters", "_buffers", "_modules") or not isinstance(kept, dict):
                continue
            for key in [key for key, value in kept.items() if isinstance(value, torch.Tensor)]:
                if kept[key].device == device:
                    del kept[key]


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()
