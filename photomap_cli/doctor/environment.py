"""Owns checking what a session needs: library, live sessions, GPU, encoder.  Changes and downloads nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.doctor import library
from photomap_cli.encoder import gpu, models
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.errors import EmptyLibrary, PhotomapError, WeightsMissing
from photomap_cli.records import Check, CheckState
from photomap_cli.session import socket_dir, text_encoder_report, transport
from photomap_cli.session.libraries import is_shared, open_library

if TYPE_CHECKING:
    from photomap_cli.encoder.interface import Encoder
    from photomap_cli.library.entities import LibraryEncoder
    from photomap_cli.records import EncoderInfo
    from photomap_cli.settings import Settings

    OpenEncoder = Callable[[str, Settings], Encoder]

LITTLE_SPACE = 1_000_000_000
"""Bytes: an index run over 100,000 photos writes about as much."""

_CUDA_HINT = "install a PyTorch whose CUDA fits the driver; `nvidia-smi` shows the driver's"


def _encoder_process(spec: str, settings: Settings) -> Encoder:
    return EncoderProcess(spec, device=settings.device, precision=settings.precision, allow_download=False)


def checks(folder: Path | None, settings: Settings, open_encoder: OpenEncoder = _encoder_process) -> Iterator[Check]:
    """Yield all checks, quick ones first; loads the encoder unless a live session has it.

    Args:
        folder: the library; None if what names it names none.
        settings: as loaded.
        open_encoder: returns the encoder for a spec; tests pass a fake.
    """
    if folder:
        yield from _library(folder, settings)
    gpus = gpu.device_count()
    yield Check("GPU", CheckState.OK, f"{gpus} by the NVIDIA driver" if gpus else "no NVIDIA driver: the CPU encodes")
    yield from _encoder(folder, settings, open_encoder, gpus=gpus)
    with suppress(PhotomapError):  # already reported
        if folder and (made_with := _made_with(folder)) and made_with.fingerprint:
            yield text_encoder_report.check(folder, made_with, setting=settings.text_encoder)


def _library(folder: Path, settings: Settings) -> Iterator[Check]:
    if is_shared(folder):
        from photomap_cli.doctor import shared_library

        yield from shared_library.checks(folder, settings)
    else:
        yield from library.checks(folder, settings.exclude)
    yield from library.album_checks(folder)
    yield _space(folder)


def _space(folder: Path) -> Check:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free
    message = f"{free / 1e9:,.1f} GB free for the library"
    if free >= LITTLE_SPACE:
        return Check("disk", CheckState.OK, message)
    return Check("disk", CheckState.ADVICE, message, "free some, or keep the library elsewhere: --library DIR")


def _encoder(folder: Path | None, settings: Settings, open_encoder: OpenEncoder, *, gpus: int) -> Iterator[Check]:
    replies = transport.statuses()
    for each in replies:
        if each.error is not None:
            yield Check("session", CheckState.ADVICE, each.error.message, each.error.hint)
    socket = socket_dir.socket_path(folder) if folder else None
    live = [each.status for each in replies if each.status and each.socket == socket]
    if live:
        state, pid, spec = (live[0][name] for name in ("state", "pid", "encoder"))
        yield Check("encoder", CheckState.OK, f"{spec}, in {state}, in session {pid}")
        return
    try:
        made_with = _made_with(folder) if folder else None
        spec = made_with.spec if made_with else models.resolve(settings.encoder, settings.device)
        yield _tried(spec, made_with, settings, open_encoder, gpus=gpus)
    except WeightsMissing:
        hint = "the first `photomap index` fetches them; with `--encoder tiny` it needs none"
        yield Check("encoder", CheckState.ADVICE, f"{spec}: its weights are not on disk yet", hint)
    except PhotomapError as error:
        yield Check("encoder", CheckState.FAULT, error.message, error.hint)


def _made_with(folder: Path) -> LibraryEncoder | None:
    """Return the library's encoder; None if there is none yet."""
    with suppress(EmptyLibrary), open_library(folder) as opened:
        return opened.facts.encoder
    return None


def _tried(
    spec: str, made_with: LibraryEncoder | None, settings: Settings, open_encoder: OpenEncoder, *, gpus: int
) -> Check:
    """Load an encoder, encode a text with it, and return the outcome.  Raises the encoder's errors."""
    residency = Residency(open_encoder(spec, settings), idle_timeout=0, release_timeout=0)
    try:
        began = time.perf_counter()
        residency.load()
        loaded = time.perf_counter()
        vectors, use = residency.run("text", lambda encoder: encoder.encode_text(["a photo"]))
        done = time.perf_counter()
        info, failure = residency.snapshot().info, residency.snapshot().last_error
    finally:
        residency.close()
    assert info is not None
    if made_with:
        made_with.require(info)
    seconds, ms = loaded - began, 1e3 * (done - loaded)
    fine = f"{spec}, {info.dtype} on {_device(info)}: loaded in {seconds:.1f} s, a text in {ms:.0f} ms"
    if vectors.shape != (1, info.dim) or not np.isclose(np.linalg.norm(vectors), 1, atol=1e-2):
        return Check(
            "encoder", CheckState.FAULT, f"{fine}; its vectors don't match the library's", "photomap index --rebuild"
        )
    if use.fell_back:
        hint = "free some VRAM, or `photomap config set device cpu`"
        reason = f"{use.refusal}: {failure.message}" if failure else use.refusal
        return Check("encoder", CheckState.ADVICE, f"{fine}; {reason}", hint)
    if gpus and settings.device == "auto" and info.device == "cpu":
        reason = info.notice or "the GPU is not used"
        return Check("encoder", CheckState.ADVICE, f"{fine}; {reason}", _CUDA_HINT)
    return Check("encoder", CheckState.OK, fine)


def _device(info: EncoderInfo) -> str:
    return f"{info.device} {info.device_name}".strip()
