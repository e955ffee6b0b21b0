"""Owns where the two encoders of a session are, as its status tells it: the encoder process and the text tower."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photomap_cli.records import ResidencyState

if TYPE_CHECKING:
    from photomap_cli.encoder.residency import Residency
    from photomap_cli.encoder.text_route import TextRoute
    from photomap_cli.records import ResidencySnapshot


def of(residency: Residency, texts: TextRoute, *, device: str, dtype: str) -> dict[str, Any]:
    """Return the fields of a `SessionStatus` that tell of places, bytes and moves.

    While the weights are mapped here and the encoder process is OFF, the state is RAM: that is where words are encoded.

    Args:
        residency: of the encoder process.
        texts: who knows the text tower.
        device, dtype: what is expected of an encoder that has not been loaded yet.
    """
    process, tower, now = residency.snapshot(), texts.snapshot(), residency.now()
    is_mapped = tower is not None and tower.state is not ResidencyState.OFF and texts.are_the_towers
    alone = tower if tower is not None and is_mapped and process.state is ResidencyState.OFF else None
    shown = alone or process
    info = process.info or shown.info
    return {
        "device": info.device if info else device,
        "device_name": process.info.device_name if process.info else "",
        "dtype": info.dtype if info else dtype,
        "can_offload": info.can_offload if info else device.startswith("cuda"),
        "state": shown.state,
        "busy": process.busy or bool(tower and tower.busy),
        "vram_weight_bytes": process.memory.vram_weight_bytes,
        "vram_process_bytes": process.memory.vram_process_bytes,
        "ram_bytes": process.memory.ram_bytes + (tower.memory.ram_bytes if tower else 0),
        "pinned": process.memory.pinned,
        "idle_seconds": _idle_seconds(process, tower, now),
        "idle_timeout_seconds": process.idle_timeout,
        "offload_in_seconds": _until(process.offload_at, now),
        "release_timeout_seconds": process.release_timeout,
        "release_in_seconds": _until(shown.release_at, now),
        "last_reload_ms": process.last_reload_ms,
        "last_offload_ms": process.last_offload_ms,
        "reloads": process.reloads,
        "offloads": process.offloads,
        "cpu_fallbacks": process.cpu_fallbacks,
        "last_error": process.last_error,
        "download": process.progress,
        "offloaded_seconds_ago": _offloaded_seconds_ago(process, now),
        "loose_tensors": process.memory.loose_tensors or None,
        "text_state": tower.state if tower and is_mapped else None,
        "image_state": process.state if is_mapped else None,
    }


def _idle_seconds(process: ResidencySnapshot, tower: ResidencySnapshot | None, now: float) -> float | None:
    used = [each.last_used for each in (process, tower) if each and each.last_used is not None]
    return max(0.0, now - max(used)) if used else None


def _offloaded_seconds_ago(snapshot: ResidencySnapshot, now: float) -> float | None:
    if snapshot.state is not ResidencyState.RAM or snapshot.offloaded_at is None:
        return None
    return max(0.0, now - snapshot.offloaded_at)


def _until(deadline: float | None, now: float) -> float | None:
    return None if deadline is None else max(0.0, deadline - now)
