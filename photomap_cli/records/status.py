"""Owns a live session as `status --json` shows it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from photomap_cli.records.residency import EncoderFailure, ResidencyState

_ONLY_IF_ANY = ("download", "offloaded_seconds_ago", "loose_tensors", "log", "text_state", "image_state")


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """One live session as `status --json` shows it; every field has the contract's name and unit."""

    pid: int
    kind: str
    library: str
    started_at: str
    encoder: str
    device: str
    device_name: str
    dtype: str
    can_offload: bool
    """Whether the device has memory of its own that can be given back."""
    state: ResidencyState
    busy: bool
    vram_weight_bytes: int
    vram_process_bytes: int | None
    ram_bytes: int
    pinned: bool
    idle_seconds: float | None
    idle_timeout_seconds: float
    offload_in_seconds: float | None
    release_timeout_seconds: float
    release_in_seconds: float | None
    last_reload_ms: float | None
    last_offload_ms: float | None
    reloads: int
    offloads: int
    cpu_fallbacks: int
    last_error: EncoderFailure | None
    """What went wrong last; in the JSON its message, and its code as `last_error_code` if there is one."""
    photos: int
    download: tuple[int, int] | None = None
    """Bytes (done, total) of a weights download under way; in the JSON only then."""
    offloaded_seconds_ago: float | None = None
    """Since the weights left VRAM; in the JSON only while they are in RAM."""
    loose_tensors: int | None = None
    """Tensors of the encoder that are moved one by one; in the JSON only if there are any."""
    log: str | None = None
    """The file that the session writes to; in the JSON only if it does."""

    text_state: ResidencyState | None = None
    """Where words are encoded in the session's own process; in the JSON only while the text tower is there."""
    image_state: ResidencyState | None = None
    """Where the encoder process is meanwhile, which pictures need; in the JSON likewise."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this session; seconds and milliseconds rounded to a tenth."""
        record = {
            name: round(value, 1) if isinstance(value, float) else value
            for name, value in asdict(self).items()
            if name not in _ONLY_IF_ANY or value is not None
        }
        if self.last_error:
            record |= {"last_error": self.last_error.message, "last_error_code": self.last_error.code}
        return {**record, "download": list(self.download)} if self.download else record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SessionStatus:
        """Rebuild a status from `to_json`."""
        states = ("state", "text_state", "image_state")
        values = {**record, **{name: ResidencyState(record[name]) for name in states if record.get(name)}}
        if values.get("download"):
            values["download"] = tuple(values["download"])
        if code := values.pop("last_error_code", None):
            values["last_error"] = EncoderFailure(code, values["last_error"])
        return cls(**values)
