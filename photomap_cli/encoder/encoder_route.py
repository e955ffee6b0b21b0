"""Owns the policy for encoding a query's words and pictures: by a tower in this process, or the encoder process.

| the encoder process is in | with a GPU | without                             |
|---------------------------|------------|-------------------------------------|
| VRAM, RAM, on its way     | process    | words: tower; pictures: process     |
| OFF, LOADING              | tower      | tower                               |

With a GPU the towers take queries of words only or pictures only; queries of both go to the process.
The process answers if a tower can't stand in for it, and with `text_encoder = torch`; for words only the tower answers
with `text_encoder = tower`.  A picture that takes longer to compute than PyTorch to start goes to the process.
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
"""Values of `encoded_by`: who encoded a query; the last one if nobody had to."""

_NOT_THERE = frozenset({ResidencyState.OFF, ResidencyState.LOADING, ResidencyState.RELEASING})


class Encoded(NamedTuple):
    """The outcome of encoding: the rows, what it waited for, and who did it."""

    rows: Rows
    use: Lease
    by: str


class EncoderRoute:
    """Encodes words, or pictures, wherever that is fastest.  Any thread.

    Args:
        kind: "text" or "image".
        residency: of the encoder process.
        tower: residency of that kind's tower; None if there is none.
        setting: auto, torch or tower.
        has_gpu: whether the encoder process will compute on a GPU, as far as is known before it runs.
        on_absent_gpu: called when the tower has answered for an encoder that isn't on the GPU; starts loading it.
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
        """Why the tower can't stand in, once known."""

    def run(self, work: Callable[[Encoder, EncoderInfo], Rows], *, is_alone: bool) -> Encoded:
        """Encode with `work`, which is called with the chosen encoder and its name; raises what that encoder raises.

        Args:
            work: encodes; may be called again with another encoder.
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
        """Load what will answer: the tower without a GPU, else the encoder process."""
        if self.tower is not None and (self._setting == "tower" or not self.has_gpu) and self._may_try(try_again):
            try:
                self.tower.load()
            except (EncoderFailed, EncoderMismatch) as error:
                self._give_up(error)
            else:
                return
        self._residency.load(try_again=try_again)

    def start_afresh(self) -> None:
        """Try the tower again, as what it lacked may exist by now."""
        self.fault = ""

    def snapshot(self) -> ResidencySnapshot | None:
        """Return where the tower is; None if there is none."""
        return self.tower.snapshot() if self.tower else None

    def touch(self) -> None:
        """Restart the countdown: a query was submitted."""
        if self.tower:
            self.tower.touch()

    def keep_to(self, fingerprint: str) -> None:
        """Release the tower unless it has these weights, which made the library's vectors."""
        info = self.tower.snapshot().info if self.tower else None
        if self.tower and info and info.fingerprint != fingerprint:
            self.tower.release()
            self.start_afresh()

    def close(self) -> None:
        """Release the tower permanently.  Idempotent."""
        if self.tower:
            self.tower.close()

    @property
    def wants_probes(self) -> bool:
        """Whether there is a tower to take probes for, now or with another setting."""
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
        """Whether the tower currently takes a query of one kind alone, if it can."""
        is_absent = self._residency.snapshot().state in _NOT_THERE
        is_quicker = is_absent or (
            self._kind == "text" and not self.has_gpu
        )  # PyTorch takes half the time for pictures
        return self.tower is not None and (self._setting == "tower" or is_quicker)

    def _may_try(self, try_again: bool) -> bool:
        if try_again:
            self.start_afresh()
        return not self.fault or self._setting == "tower"

    def _give_up(self, error: EncoderFailed | EncoderMismatch) -> None:
        """Leave everything to the encoder process from now on; raise if the settings don't allow that."""
        self.fault = error.message
        if self._setting == "tower":
            raise TowerUnfit(
                f"text_encoder is tower, which doesn't work here: {error.message}",
                hint="`photomap config set text_encoder auto` lets PyTorch answer",
            ) from error


class EncoderRoutes(NamedTuple):
    """A session's routes for words and for pictures."""

    text: EncoderRoute
    image: EncoderRoute

    def touch(self) -> None:
        """Restart the countdowns: a query was submitted."""
        for route in self:
            route.touch()

    def keep_to(self, fingerprint: str) -> None:
        """Release towers unless they have these weights, which made the library's vectors."""
        for route in self:
            route.keep_to(fingerprint)

    def start_afresh(self) -> None:
        """Try the towers again, as what they lacked may exist by now."""
        for route in self:
            route.start_afresh()

    def close(self) -> None:
        """Release the towers permanently.  Idempotent."""
        for route in self:
            route.close()
