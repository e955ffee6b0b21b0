"""Owns how often a failing device or process is tried again.  Not thread-safe: Residency calls it under its lock."""

from __future__ import annotations

from photomap_cli.errors import EncoderFailed

FIRST_BACK_OFF_SECONDS, LAST_BACK_OFF_SECONDS = 2.0, 60.0
MOST_DEATHS = 3  # in a row, before the encoder is given up


class Patience:
    """A full device is left alone for 2, 4, ... 60 s; a process that dies three times in a row is given up."""

    def __init__(self) -> None:
        self._refusals = 0
        self._retry_at = 0.0
        self._deaths = 0

    @property
    def saw_deaths(self) -> bool:
        """Whether the process has died since the last answer."""
        return self._deaths > 0

    def may_try_device(self, now: float) -> bool:
        """Whether the device has been left alone for long enough; `now` in seconds on the residency's clock."""
        return now >= self._retry_at

    def device_refused(self, now: float) -> None:
        """The device had no room for weights or for activations."""
        self._retry_at = now + min(FIRST_BACK_OFF_SECONDS * 2**self._refusals, LAST_BACK_OFF_SECONDS)
        self._refusals += 1

    def died(self) -> None:
        """The process ended though nobody asked for it."""
        self._deaths += 1

    def answered(self, *, on_device: bool) -> None:
        """The encoder encoded something."""
        self._deaths = 0
        if on_device:
            self._refusals = 0

    def start_afresh(self) -> None:
        """Somebody asked to try again now."""
        self._deaths, self._retry_at = 0, 0.0

    def require_trust(self, last_error: str | None) -> None:
        """Raise EncoderFailed once the process has died too often to be started again."""
        if self._deaths >= MOST_DEATHS:
            raise EncoderFailed(
                f"the encoder is given up: {last_error}, {self._deaths} times in a row",
                hint=":load tries again, and so does a new session",
            )
