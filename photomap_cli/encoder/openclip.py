"""Owns loading a model and encoding with it, using open_clip and torch.  Child process only."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import open_clip
import torch
from torch.overrides import TorchFunctionMode

from photomap_cli.encoder import (
    bpe,
    class_token_block,
    context_length,
    devices,
    download,
    gpu,
    image_probes,
    image_recipe,
    mapped_weights,
    model_config,
    probes,
    text_recipe,
    untrusted_model,
)
from photomap_cli.encoder.batch_sizing import BatchSizer
from photomap_cli.encoder.cpu_parallelism import ParallelForward
from photomap_cli.encoder.fingerprint import WeightsFile
from photomap_cli.encoder.staging_buffer import StagingBuffer
from photomap_cli.encoder.weights import Weights
from photomap_cli.errors import EncoderDied, EncoderFailed, EncoderOutOfMemory, TowerUnfit
from photomap_cli.records import EncoderInfo, MemoryReport

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class OpenClipEncoder:
    """An open_clip model in RAM that can copy its towers to a device.  One thread only."""

    def __init__(
        self, model: nn.Module, tokenizer: Any, info: EncoderInfo, file: WeightsFile, *, may_pin: bool = True
    ) -> None:
        self._model, self._tokenizer, self.info, self._file = model, tokenizer, info, file
        self._dtype = _DTYPES[info.dtype]
        self._device = torch.device(info.device)
        self._weights = Weights(model, self._device) if info.can_offload else None
        if self._weights is None:
            with devices.using(self._device):
                model.to(self._device)  # a CPU, or memory shared with it: there is nothing to move
        self._parallel, self._batch_sizer = ParallelForward(), BatchSizer()
        uses_staging = may_pin and info.can_offload and self._device.type == "cuda"
        self._staging = StagingBuffer(self._device) if uses_staging else None
        mean, std = model.visual.preprocess_cfg["mean"], model.visual.preprocess_cfg["std"]  # type: ignore[index,union-attr]
        self._mean = 255.0 * torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1)
        self._std = 255.0 * torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1)

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts.  Returns (n, dim) float32, rows of unit length; longer texts are cut at the context length."""
        return self._in_batches("text", self._tokenizer(list(texts)), self._text_rows)

    def letters_read(self, text: str) -> int:
        """Return how many letters of a text fit into the context."""
        return context_length.letters_read(text, lambda words: self._tokenizer([words])[0].tolist())

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode pictures, (n, height, width, 3) uint8 RGB of the image size.  Returns as `encode_text`."""
        return self._in_batches("image", torch.from_numpy(pixels), self._image_rows)

    def probes(self) -> probes.Probes:
        """Return this encoder's vectors of the probe texts, and how a text tower would read its weights."""
        made = functools.partial(probes.Probes, self.info.fingerprint, str(self._file.path))
        try:
            recipe = text_recipe.recipe_of(self._model, self._tokenizer, vocabulary=bpe.vocabulary_digest())
        except TowerUnfit as error:
            return made(None, error.message, (), (), np.empty((0, self.info.dim), np.float32))
        ids = tuple(map(_up_to_end, self._tokenizer(list(probes.TEXTS)).tolist()))
        return made(recipe, "", probes.TEXTS, ids, self.encode_text(probes.ENCODED))

    def image_probes(self) -> image_probes.ImageProbes:
        """Return this encoder's vectors of the probe pictures, and how an image tower would read its weights."""
        info = self.info
        made = functools.partial(image_probes.ImageProbes, info.fingerprint, str(self._file.path))
        try:
            recipe = image_recipe.recipe_of(
                self._model,
                image_size=info.image_size,
                resize_mode=info.resize_mode,
                interpolation=info.interpolation,
                fill=info.fill,
            )
        except TowerUnfit as error:
            return made(None, error.message, np.empty((0, info.dim), np.float32))
        return made(recipe, "", self.encode_images(image_probes.pictures(info.image_size)))

    def to_vram(self, tower: str) -> None:
        """Copy one tower to the device.  Raises EncoderOutOfMemory; then everything is as before."""
        if self._weights is not None:
            self._batch_sizer.forget_failures()
            with devices.using(self._device):
                self._weights.to_device(tower)

    def to_ram(self) -> None:
        """Free the device's memory, except the context, and the staging buffer."""
        if self._weights is not None:
            with devices.using(self._device):
                if self._staging is not None:
                    self._staging.release()
                self._weights.to_ram()

    @property
    def wants_pinning(self) -> bool:
        """Whether `pin` would have something to do."""
        return self._weights is not None and self._device.type == "cuda" and self._weights.wants_pinning

    def pin(self) -> None:
        """Page-lock the weights in RAM if that is safe, for faster reloads; takes some 100 ms per gigabyte."""
        if self._weights is not None:
            with devices.using(self._device):
                self._weights.pin()

    def memory(self) -> MemoryReport:
        """Measure the weights and the process on the device, and this process's RAM (0 if unknown), in bytes."""
        ram_bytes = _resident_bytes() or 0
        if self._weights is None:
            return MemoryReport(ram_bytes=ram_bytes)
        return MemoryReport(
            vram_weight_bytes=self._weights.vram_bytes,
            vram_process_bytes=_process_bytes(self._device),
            ram_bytes=max(ram_bytes, self._weights.ram_bytes),
            pinned=self._weights.is_pinned,
            staging_bytes=self._staging.nbytes if self._staging is not None else 0,
            loose_tensors=self._weights.loose_tensors,
        )

    def trim(self) -> None:
        """Hand freed device memory back, after a call ran out of it."""
        devices.trim(self._device)

    # Forward passes -------------------------------------------------------------------------------------------------

    def _text_rows(self, tokens: Tensor) -> Tensor:
        return self._model.encode_text(tokens)  # type: ignore[operator,no-any-return]

    def _image_rows(self, pixels: Tensor) -> Tensor:
        batch = pixels.permute(0, 3, 1, 2).float()
        batch.sub_(self._mean.to(batch.device)).div_(self._std.to(batch.device))
        return self._model.encode_image(batch.to(self._dtype))  # type: ignore[operator,no-any-return]

    def _in_batches(self, tower: str, items: Tensor, forward: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        """Run all items in batches that should fit, and halve those that don't.  Raises EncoderOutOfMemory."""
        rows: list[NDArray[np.float32]] = []
        done, limit, device = 0, self._most_at_once(tower) or len(items), self._device_of(tower)
        while done < len(items):
            with devices.using(device):
                size = self._batch_sizer.next_size(tower, min(limit, len(items) - done), device)
            part = self._attempt(tower, items[done : done + size], forward)
            if part is None:  # the failed call's frames are gone by now, with the memory they held
                self.trim()
                with devices.using(device):
                    limit = self._batch_sizer.failed(tower, size, device)
                continue
            rows.append(part)
            done += size
        if self._file.was_written_to:  # on a CPU they may be the file's own bytes; checking takes a microsecond
            raise EncoderDied("its weights were changed while in use")
        return np.concatenate(rows) if rows else np.empty((0, self.info.dim), np.float32)

    def _device_of(self, tower: str) -> torch.device:
        return self._device if self._weights is None else self._weights.device_of(tower)

    def _copied_to(self, items: Tensor, device: torch.device) -> Tensor:
        return items.to(device) if self._staging is None or device != self._device else self._staging.to_device(items)

    def _most_at_once(self, tower: str) -> int | None:
        """Return the most items of a batch; None for no limit.

        On a CPU a batch of texts is slower than one text at a time: the tokens lie across the batch, and torch 2.14
        copies a projection's weights for each position, 1.9 s for two texts of a ViT-B-32 in bfloat16; one takes 0.03.
        """
        return 1 if tower == "text" and self._device.type == "cpu" else None

    def _attempt(self, tower: str, items: Tensor, forward: Callable[[Tensor], Tensor]) -> NDArray[np.float32] | None:
        """Run one batch; None if a smaller one may fit.  Raises EncoderOutOfMemory if a single item doesn't fit."""
        device = self._device_of(tower)

        def rows(items: Tensor) -> NDArray[np.float32]:
            with devices.using(device), torch.inference_mode():  # both are a thread's own
                with self._batch_sizer.measuring(tower, len(items), device):
                    features = forward(self._copied_to(items, device))
                    devices.synchronise(device)
                return _unit_rows(features)

        try:
            return self._parallel.run(rows, items) if device.type == "cpu" else rows(items)
        except EncoderOutOfMemory:
            if len(items) == 1:
                raise
            return None


def load(
    *,
    spec: str,
    name: str,
    tag: str | None,
    device: str,
    precision: str,
    allow_download: bool,
    on_progress: Callable[[int, int], None],
    may_pin: bool = True,
) -> OpenClipEncoder:
    """Load an encoder into RAM.

    Args:
        spec: the encoder's spec string.
        name, tag: its names in open_clip.
        device: "auto", "cuda:N", "mps" or "cpu".
        precision: "auto", "float32", "bfloat16" or "float16".
        allow_download: whether weights may be downloaded.
        on_progress: called with bytes (done, total) during a download.
        may_pin: whether RAM may be page-locked for a staging buffer.

    Raises:
        UnknownEncoder, WeightsMissing, BadSetting, EncoderFailed.
    """
    where, notice = devices.choose(device)
    devices.tune()
    path = download.checkpoint(name, tag, allow_download=allow_download, on_progress=on_progress)
    config = download.config(name)  # a named model has open_clip's own configuration
    if config is not None:
        model_config.require(config, Path(path).stat().st_size)
    file = WeightsFile(Path(path), config)
    dtype = devices.precision(precision, where)
    with untrusted_model.refusals(config, path) if config is not None else nullcontext():
        untrusted_model.forbid_code(open_clip.get_model_config(name), config or name)
        model = _mapped(name, tag, path) or open_clip.create_model(name, pretrained=tag)
        model = mapped_weights.converted(model, _DTYPES[dtype], file.path).eval().requires_grad_(False)
        class_token_block.use_where_enough(model.visual)
        info = replace(_describe(model, name, spec, where, dtype, notice), fingerprint=file.fingerprint())
        encoder = OpenClipEncoder(model, open_clip.get_tokenizer(name), info, file, may_pin=may_pin)
    if not file.is_the_same:
        raise EncoderFailed(
            f"the weights of {spec} changed while they were loaded", hint="try again once they are complete"
        )
    return encoder


def _mapped(name: str, tag: str | None, path: str) -> nn.Module | None:
    """Build the module without initialising it, and use the memory-mapped file's tensors.

    Takes 0.05 s, against 0.9-2.3 s for building, initialising and overwriting.  Returns None if the weights aren't in
    safetensors.  (Building on the meta device would import torch's compiler.)
    """
    if not path.endswith(".safetensors"):
        return None
    with _Unfilled():
        model: Any = open_clip.create_model(name, pretrained=tag, load_weights=False, pretrained_text=False)
    model.load_state_dict = functools.partial(model.load_state_dict, assign=True)
    open_clip.load_checkpoint(model, path)
    del model.load_state_dict
    return cast("nn.Module", model)


_FILLS = {"normal_", "uniform_", "erfinv_"}


class _Unfilled(TorchFunctionMode):
    """Skips the random initialisation of weights, so that their pages of memory are never touched."""

    def __torch_function__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init" or getattr(func, "__name__", "") in _FILLS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def _describe(model: nn.Module, name: str, spec: str, device: torch.device, dtype: str, notice: str) -> EncoderInfo:
    cfg: dict[str, Any] = model.visual.preprocess_cfg  # type: ignore[assignment,union-attr]
    size = cfg["size"]
    height, width = (size, size) if isinstance(size, int) else tuple(size)
    fill = cfg.get("fill_color", 0)
    hardware, can_offload = devices.name(device)
    return EncoderInfo(
        spec=spec,
        dim=int(open_clip.get_model_config(name)["embed_dim"]),
        image_size=(int(height), int(width)),
        resize_mode=cfg.get("resize_mode") or "shortest",
        interpolation=cfg.get("interpolation") or "bicubic",
        fill=int(fill if isinstance(fill, int) else fill[0]),
        device=str(device),
        device_name=hardware,
        dtype=dtype,
        can_offload=can_offload,
        notice=f"the GPU is not used: {notice}" if notice else "",
    )


def _up_to_end(row: list[int]) -> tuple[int, ...]:
    """Return a text's tokens without the padding: the end-of-text token has the highest id."""
    return tuple(row[: len(row) - row[::-1].index(max(row))])


def _unit_rows(features: Tensor) -> NDArray[np.float32]:
    """Normalise in float32 and copy to the CPU."""
    rows = torch.nn.functional.normalize(features.float(), dim=-1).cpu().numpy()
    if not np.isfinite(rows).all():
        hint = "photomap config set precision float32"
        raise EncoderFailed("the encoder returned values that are not finite", hint=hint)
    return np.ascontiguousarray(rows, dtype=np.float32)


def _process_bytes(device: torch.device) -> int | None:
    """Return the bytes this process holds on the card, including its context; None if the driver hides it."""
    if device.type != "cuda":
        return None
    return gpu.process_bytes(str(torch.cuda.get_device_properties(device).uuid), os.getpid())


def _resident_bytes() -> int | None:
    """Return the resident set of this process in bytes; None if the system doesn't tell."""
    if sys.platform != "linux":
        return None
    import resource

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
