"""Owns what `photomap doctor` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from photomap_cli.records.record import Record


class CheckState(StrEnum):
    """How something looks that `photomap doctor` looked at."""

    OK = "ok"
    ADVICE = "advice"  # works, and could be better
    FAULT = "fault"  # does not work, or soon will not


@dataclass(frozen=True, slots=True)
class Check(Record):
    """One thing that `photomap doctor` looked at.  `hint` says what to do where there is something to do."""

    subject: str
    state: CheckState
    message: str
    hint: str = ""
