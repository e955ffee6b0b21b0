"""Owns a decode process in which some files do what damaged ones do to native code; the file's name says what."""

import ctypes
import os
import sys
from pathlib import Path

from photomap_cli.images import decode_worker

HOLDING_THE_INTERPRETER = ctypes.PyDLL(None)  # calls through it let no other thread run, nor any signal handler

HANGS_SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else None
"""How long a file that hangs has, if not as long as every other: a good one may take its time then."""

_read = decode_worker.read
_spoilt = []


def misread(path, fit, options):
    name = path.name
    if "hang" in name:
        if HANGS_SECONDS:
            decode_worker.end_after(HANGS_SECONDS)
        HOLDING_THE_INTERPRETER.sleep(1000)
    if "crash" in name or _spoilt:
        ctypes.string_at(0)
    if "abort" in name:
        os.abort()
    if "eat" in name:
        bytearray(64 << 30)
    if "noise" in name:
        os.write(2, b"TIFFReadDirectory: Warning, Unknown field with tag 42 (0x2a) encountered.\n" * 10_000)
        os.write(1, b"printed by a library\n")
    if "spoil" in name:
        _spoilt.append(name)
    return _read(path, fit, options)


if __name__ == "__main__":
    Path(sys.argv[1], str(os.getpid())).touch()
    decode_worker.read = misread
    decode_worker.main()
