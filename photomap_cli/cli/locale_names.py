"""Owns file names in locales whose encoding isn't UTF-8: Python starts over in its UTF-8 mode.

Read by such a locale's encoding, a photo's name would be another one, and a run would take the photo for gone.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def ensure_utf8() -> None:
    """Start this process over with file names in UTF-8; the standard streams keep their encoding."""
    asked = os.environ.get("PYTHONUTF8") == "1"
    if os.name == "nt" or asked or sys.flags.ignore_environment:  # as it is, then
        return
    os.environ["PYTHONUTF8"] = "1"
    if sys.stdout is not None:
        os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    with suppress(OSError):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
