"""Owns the policy of who encodes a query's words, and its pictures: a tower in this process, or the encoder process.

| the encoder process is in | with a GPU | without                             |
|---------------------------|------------|-------------------------------------|
| VRAM, RAM, on its way     | process    | words: tower; pictures: process     |
| OFF, LOADING              | tower      | tower                               |

With a GPU the tower takes queries of words alone and of pictures alone; those of both go to the process as a whole.
The process answers wherever a tower cannot stand in for it, and with `text_encoder = torch`; for words the tower alone
with `text_encoder = tower`.  A picture whose arithmetic takes longer than PyTorch's start is the process's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.errors import EncoderFailed, EncoderMismatch, TowerUnfit
from photomap_cli.records import ResidencyState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.interface import Encoder, Lease, Tower
    from photomap_cli.encoder.residency import Residency
    from photomap_cli.records import EncoderInfo, ResidencySnapshot

    Rows = NDArray[np.float32]

TEXT_TOWER, IMAGE_TOWER, ENCODER, CACHE = "text tower", "image tower", "encoder", "cache"
"""Who encoded a query, as `encoded_by` says it; the last one where nobody had to."""

_NOT_THERE = frozenset({ResidencyState.OFF, ResidencyState.LOADING, ResidencyState.RELEASING})


class Encoded(NamedTuple):
    """What came of encoding: the rows, what it waited for, and who did it."""

    rows: Rows
    use: Lease
    by: str


class EncoderRoute:
    """Encodes words, or pictures, where that is quickest.  Any thread.

    Args:
        kind: "text" or "image".
        residency: of the encoder process.
        tower: of that kind's tower; None where there is none.
        setting: auto, torch or tower.
        has_gpu: whether the encoder process computes on a GPU, as far as it is known before it runs.
        on_absent_gpu: called when the tower has answered for a GPU that is not loaded; brings it in behind.
    """

    def __init__(
        self,
        kind: Tower,
        residency: Residency,
        tower: Residency | None,
        *,
        setting: str = "auto",
        has_gpu: Callable[[], bool] = lambda: False,
        on_absent_gpu: Callable[[], None] = lambda: None,
    ) -> None:
        self._kind, self._residency, self.tower = kind, residency, None if setting == "torch" else tower
        self._has_tower = tower is not None
        self._setting, self._expects_gpu, self._on_absent_gpu = setting, has_gpu, on_absent_gpu
        self.fault = ""
        """Why the tower cannot stand in, once that has been found out."""

    def run(self, work: Callable[[Encoder, EncoderInfo], Rows], *, is_alone: bool) -> Encoded:
        """Encode by `work`, which gets the encoder whose turn it is, and what it is; raises what that one raises.

        Args:
            work: encodes; it may be called again, with another encoder.
            is_alone: whether the query has nothing else to encode.
        """
        if self.tower is not None and self._is_towers_turn(is_alone=is_alone):
            try:
                rows, use = self._run_on(self.tower, work)
            except (EncoderFailed, EncoderMismatch) as error:
                self._give_up(error)
            else:
                if self.has_gpu:
                    self._on_absent_gpu()
                return Encoded(rows, use, TEXT_TOWER if self._kind == "text" else IMAGE_TOWER)
        return Encoded(*self._run_on(self._residency, work), ENCODER)

    def _run_on(self, residency: Residency, work: Callable[[Encoder, EncoderInfo], Rows]) -> tuple[Rows, Lease]:
        def informed(encoder: Encoder) -> Rows:
            info = residency.snapshot().info
            assert info is not None
            return work(encoder, info)

        return residency.run(self._kind, informed)

    def load(self, *, try_again: bool = False) -> None:
        """Bring what answers to where it does so quickly: the tower without a GPU, else the encoder process."""
        if self.tower is not None and (self._setting == "tower" or not self.has_gpu) and self._may_try(try_again):
            try:
                self.tower.load()
            except (EncoderFailed, EncoderMismatch) as error:
                self._give_up(error)
            else:
                return
        self._residency.load(try_again=try_again)

    def start_afresh(self) -> None:
        """Try the tower again: what it lacked may be there by now."""
        self.fault = ""

    def snapshot(self) -> ResidencySnapshot | None:
        """Return where the tower is; None where there is none."""
        return self.tower.snapshot() if self.tower else None

    def touch(self) -> None:
        """Restart the countdown: a query was submitted."""
        if self.tower:
            self.tower.touch()

    def keep_to(self, fingerprint: str) -> None:
        """Let go of the tower if it has other weights than these, which made the library's vectors."""
        info = self.tower.snapshot().info if self.tower else None
        if self.tower and info and info.fingerprint != fingerprint:
            self.tower.release()
            self.start_afresh()

    def close(self) -> None:
        """Let go of the tower for good.  Idempotent."""
        if self.tower:
            self.tower.close()

    @property
    def wants_probes(self) -> bool:
        """Whether there is a tower that probes could be for, now or with another setting."""
        return self._has_tower

    @property
    def has_gpu(self) -> bool:
        """Whether the encoder process computes, or would compute, on a GPU."""
        info = self._residency.snapshot().info
        return self._expects_gpu() if info is None else info.device != "cpu"

    def _is_towers_turn(self, *, is_alone: bool) -> bool:
        if self.fault and self._setting != "tower":
            return False
        return self.is_the_towers and (is_alone or self._setting == "tower" or not self.has_gpu)

    @property
    def is_the_towers(self) -> bool:
        """Whether what has nothing else beside it is encoded by the tower as things are, if it can."""
        is_absent = self._residency.snapshot().state in _NOT_THERE
        is_quicker = is_absent or (self._kind == "text" and not self.has_gpu)  # PyTorch's pictures are half as long
        return self.tower is not None and (self._setting == "tower" or is_quicker)

    def _may_try(self, try_again: bool) -> bool:
        if try_again:
            self.start_afresh()
        return not self.fault or self._setting == "tower"

    def _give_up(self, error: EncoderFailed | EncoderMismatch) -> None:
        """Leave all to the encoder process from now on; raise where the settings do not allow that."""
        self.fault = error.message
        if self._setting == "tower":
            raise TowerUnfit(
                f"text_encoder is tower, which doesn't work here: {error.message}",
                hint="`photomap config set text_encoder auto` lets PyTorch answer",
            ) from error


class EncoderRoutes(NamedTuple):
    """The routes of a session: who encodes words, and who encodes pictures."""

    text: EncoderRoute
    image: EncoderRoute

    def touch(self) -> None:
        """Restart the countdowns: a query was submitted."""
        for route in self:
            route.touch()

    def keep_to(self, fingerprint: str) -> None:
        """Let go of towers with other weights than these, which made the library's vectors."""
        for route in self:
            route.keep_to(fingerprint)

    def start_afresh(self) -> None:
        """Try the towers again: what they lacked may be there by now."""
        for route in self:
            route.start_afresh()

    def close(self) -> None:
        """Let go of the towers for good.  Idempotent."""
        for route in self:
            route.close()
