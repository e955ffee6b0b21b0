"""Owns the part of a session's status that is about its encoders: the encoder process and the towers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from photomap_cli.encoder import gpu
from photomap_cli.records import ResidencyState

if TYPE_CHECKING:
    from photomap_cli.encoder.encoder_route import EncoderRoute, EncoderRoutes
    from photomap_cli.encoder.residency import Residency
    from photomap_cli.records import ResidencySnapshot
    from photomap_cli.settings import Settings


def status_fields(residency: Residency, routes: EncoderRoutes, settings: Settings) -> dict[str, Any]:
    """Return the fields of a `SessionStatus` about places, bytes and moves.

    While a tower's weights are mapped here and the encoder process is OFF, the state is RAM: there queries are encoded.

    Args:
        residency: of the encoder process.
        routes: hold the towers.
        settings: tell what to expect of an encoder that isn't loaded yet.
    """
    process, now = residency.snapshot(), residency.now()
    towers = [snapshot for route in routes if (snapshot := route.snapshot())]
    text, image = (_mapped(route) for route in routes)
    mapped = [each for each in (text, image) if each]
    alone = mapped if process.state is ResidencyState.OFF else []
    device = expected_device(settings)
    info = process.info or (alone[0].info if alone else None)
    return {
        "device": info.device if info else device,
        "device_name": process.info.device_name if process.info else "",
        "dtype": info.dtype if info else settings.precision,
        "can_offload": info.can_offload if info else device.startswith("cuda"),
        "state": alone[0].state if alone else process.state,
        "busy": process.busy or any(each.busy for each in towers),
        "vram_weight_bytes": process.memory.vram_weight_bytes,
        "vram_process_bytes": process.memory.vram_process_bytes,
        "ram_bytes": process.memory.ram_bytes + sum(each.memory.ram_bytes for each in towers),
        "pinned": process.memory.pinned,
        "idle_seconds": _idle_seconds([process, *towers], now),
        "idle_timeout_seconds": process.idle_timeout,
        "offload_in_seconds": _until(process.offload_at, now),
        "release_timeout_seconds": process.release_timeout,
        "release_in_seconds": _until(_first(each.release_at for each in alone or [process]), now),
        "last_reload_ms": process.last_reload_ms,
        "last_offload_ms": process.last_offload_ms,
        "reloads": process.reloads,
        "offloads": process.offloads,
        "cpu_fallbacks": process.cpu_fallbacks,
        "last_error": process.last_error,
        "download": process.progress,
        "offloaded_seconds_ago": _offloaded_seconds_ago(process, now),
        "loose_tensors": process.memory.loose_tensors or None,
        "text_state": (text or process).state if mapped else None,
        "image_state": (image or process).state if mapped else None,
    }


def _mapped(route: EncoderRoute) -> ResidencySnapshot | None:
    """Return where a tower is, if it would answer now."""
    snapshot = route.snapshot()
    return snapshot if snapshot and snapshot.state is not ResidencyState.OFF and route.is_the_towers else None


def _idle_seconds(snapshots: Iterable[ResidencySnapshot], now: float) -> float | None:
    used = [each.last_used for each in snapshots if each.last_used is not None]
    return max(0.0, now - max(used)) if used else None


def _first(deadlines: Iterable[float | None]) -> float | None:
    return min((each for each in deadlines if each is not None), default=None)


def _offloaded_seconds_ago(snapshot: ResidencySnapshot, now: float) -> float | None:
    if snapshot.state is not ResidencyState.RAM or snapshot.offloaded_at is None:
        return None
    return max(0.0, now - snapshot.offloaded_at)


def _until(deadline: float | None, now: float) -> float | None:
    return None if deadline is None else max(0.0, deadline - now)


def expected_device(settings: Settings) -> str:
    """Return the device the encoder will run on: the setting, else a GPU if one can be expected."""
    if settings.device != "auto":
        return settings.device
    return "cuda:0" if gpu.is_expected() else "cpu"
