"""Owns what every page has: its style and script from files, and the policy that lets it run these and nothing else."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path


def asset(name: str) -> str:
    """Return a style or a script, as it stands in the page."""
    return "\n" + Path(__file__).with_name(name).read_text(encoding="utf-8")


def policy(style: str, script: str, *, pictures: str = "data:") -> str:
    """Return what the page may do: be styled and run by what is in it, and show pictures from these sources."""
    return (
        f"default-src 'none'; img-src {pictures}; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
