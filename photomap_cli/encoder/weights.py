"""Owns where a model's tensors point: at their RAM master or at a copy on the device.  Child process only.

Weights never change in inference, so the master copy stays in RAM: offloading drops the device copy and moves no byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn


class Weights:
    """Every parameter and buffer of a model, by tower; `to_device` and `to_ram` re-point them.

    Args:
        model: an open_clip model on the CPU; its image tower is `model.visual`, all else counts as the text tower.
        device: where `to_device` copies to.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self._device = device
        image = {id(tensor): tensor for tensor in _tensors(model.get_submodule("visual"))}
        text = {id(tensor): tensor for tensor in _tensors(model) if id(tensor) not in image}
        self._towers = {"image": list(image.values()), "text": list(text.values())}
        self._masters = {tower: [tensor.data for tensor in tensors] for tower, tensors in self._towers.items()}
        self._resident: set[str] = set()

    @property
    def ram_bytes(self) -> int:
        """Bytes of the master copy."""
        return sum(_nbytes(masters) for masters in self._masters.values())

    @property
    def vram_bytes(self) -> int:
        """Bytes of the device copies."""
        return sum(_nbytes(self._masters[tower]) for tower in self._resident)

    def device_of(self, tower: str) -> torch.device:
        """Return where a tower's weights are now."""
        return self._device if tower in self._resident else torch.device("cpu")

    def to_device(self, tower: str) -> None:
        """Copy one tower to the device, then point its tensors there.  An exception before that changes nothing."""
        if tower in self._resident:
            return
        # Inside torch.inference_mode the copies would become inference tensors for good.
        with torch.inference_mode(False), torch.no_grad():
            copies = [master.to(self._device, copy=True) for master in self._masters[tower]]
            _synchronise(self._device)
            _point(self._towers[tower], copies)
        self._resident.add(tower)

    def to_ram(self) -> None:
        """Point every tensor back at its master; the device copies die with their last reference."""
        with torch.inference_mode(False), torch.no_grad():
            for tower in self._resident:
                _point(self._towers[tower], self._masters[tower])
        self._resident.clear()
        trim(self._device)


def trim(device: torch.device) -> None:
    """Hand freed device memory back to the driver.  Drop every reference to it first, or nothing is freed."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.empty_cache()


def _tensors(module: nn.Module) -> Iterable[Tensor]:
    """Yield every distinct parameter and buffer, non-persistent ones too; tied tensors once."""
    yield from module.parameters()
    yield from module.buffers()


def _point(tensors: list[Tensor], data: list[Tensor]) -> None:
    for tensor, value in zip(tensors, data, strict=True):
        tensor.data = value


def _nbytes(tensors: list[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
