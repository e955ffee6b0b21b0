"""Owns how often a failing device or process is tried again.  Not thread-safe: Residency calls it under its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.errors import EncoderFailed

if TYPE_CHECKING:
    from photomap_cli.records import EncoderFailure

FIRST_BACK_OFF_SECONDS, LAST_BACK_OFF_SECONDS = 2.0, 60.0
MOST_DEATHS = 3  # in a row, before giving up on the encoder


class RetryPolicy:
    """A failing device is left alone for 2, 4, ... 60 s; a process that dies three times in a row isn't restarted.

    After the second death the device is left alone too, as it may be what kills the process; and while
    the process hasn't answered since, after every death.
    """

    def __init__(self) -> None:
        self._refusals = 0
        self._retry_at = 0.0
        self._deaths = 0
        self._refusal = ""

    @property
    def refusal(self) -> str:
        """What is wrong with the device, in words for users."""
        return self._refusal

    @property
    def saw_deaths(self) -> bool:
        """Whether the process has died since the last answer."""
        return self._deaths > 0

    def may_try_device(self, now: float) -> bool:
        """Whether the device has been left alone for long enough; `now` in seconds on the residency's clock."""
        return now >= self._retry_at

    def device_refused(self, now: float, *, is_full: bool) -> None:
        """Note that the device had no room for weights or activations, or failed otherwise."""
        self._refusal = "the GPU is full" if is_full else "the GPU failed"
        self._retry_at = now + min(FIRST_BACK_OFF_SECONDS * 2**self._refusals, LAST_BACK_OFF_SECONDS)
        self._refusals += 1

    def died(self, now: float) -> None:
        """Note that the process ended unasked."""
        self._deaths += 1
        if self._deaths > 1 or self._refusals:
            self.device_refused(now, is_full=False)

    def answered(self, *, on_device: bool) -> None:
        """Note that the encoder has encoded something."""
        self._deaths = 0
        if on_device:
            self._refusals = 0

    def start_afresh(self) -> None:
        """Note that a user asked to try again now."""
        self._deaths, self._retry_at = 0, 0.0

    def require_trust(self, last_error: EncoderFailure | None) -> None:
        """Raise EncoderFailed once the process has died too often to be started again."""
        if self._deaths >= MOST_DEATHS:
            reason = last_error.message if last_error else "its process ended"
            raise EncoderFailed(
                f"gave up on the encoder: {reason}, {self._deaths} times in a row",
                hint=":load tries again; so does a new session",
            )
