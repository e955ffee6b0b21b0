"""Owns the checks of `photomap doctor` as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from photomap_cli.records.record import Record


class CheckState(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    ADVICE = "advice"  # works, and could be better
    FAULT = "fault"  # does not work, or soon will not


@dataclass(frozen=True, slots=True)
class Check(Record):
    """A check of `photomap doctor`.  `hint` says what to do, if anything."""

    subject: str
    state: CheckState
    message: str
    hint: str = ""
