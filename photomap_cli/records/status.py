"""Owns a live session as `status --json` shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from photomap_cli.records.record import IF_ANY, Record, rounded
from photomap_cli.records.residency import EncoderFailure, ResidencyState


@dataclass(frozen=True, slots=True)
class SessionStatus(Record):
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
    idle_seconds: float | None = field(metadata=rounded(1))
    idle_timeout_seconds: float = field(metadata=rounded(1))
    offload_in_seconds: float | None = field(metadata=rounded(1))
    release_timeout_seconds: float = field(metadata=rounded(1))
    release_in_seconds: float | None = field(metadata=rounded(1))
    last_reload_ms: float | None = field(metadata=rounded(1))
    last_offload_ms: float | None = field(metadata=rounded(1))
    reloads: int
    offloads: int
    cpu_fallbacks: int
    last_error: EncoderFailure | None
    """What went wrong last; in the JSON its message, and its code as `last_error_code` if there is one."""
    photos: int
    download: tuple[int, int] | None = field(default=None, metadata=IF_ANY)
    """Bytes (done, total) of a weights download under way; in the JSON only then."""
    offloaded_seconds_ago: float | None = field(default=None, metadata=rounded(1) | IF_ANY)
    """Since the weights left VRAM; in the JSON only while they are in RAM."""
    loose_tensors: int | None = field(default=None, metadata=IF_ANY)
    """Tensors of the encoder that are moved one by one; in the JSON only if there are any."""
    log: str | None = field(default=None, metadata=IF_ANY)
    """The file that the session writes to; in the JSON only if it does."""

    new_photos: int = field(default=0, metadata=IF_ANY)
    """Photos that the session has found by itself since the last query; in the JSON only if there are any."""
    text_state: ResidencyState | None = field(default=None, metadata=IF_ANY)
    """Where words are encoded in the session's own process; in the JSON only while the text tower is there."""
    image_state: ResidencyState | None = field(default=None, metadata=IF_ANY)
    """Where the encoder process is meanwhile, which pictures need; in the JSON likewise."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this session."""
        record = super(SessionStatus, self).to_json()
        if self.last_error:
            record |= {"last_error": self.last_error.message, "last_error_code": self.last_error.code}
        return record

    @classmethod
    def from_json(cls, record: object) -> Self:
        """Rebuild a status from `to_json`.  Raises BadRecord for anything else."""
        if isinstance(record, dict) and "last_error_code" in record:
            failure = {"code": record["last_error_code"], "message": record.get("last_error")}
            record = {name: value for name, value in record.items() if name != "last_error_code"}
            record["last_error"] = failure
        return super(SessionStatus, cls).from_json(record)
