"""Owns colour profiles made by hand, in the form of ICC.1:2001-04, and what they say a colour looks like."""

from __future__ import annotations

import struct

import numpy as np

# Red, green and blue as XYZ under D50: the columns of the way from linear RGB.
DISPLAY_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
ADOBE_RGB = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
GAMMA = 2.19921875  # Adobe RGB's


def rgb_profile(matrix: np.ndarray, description: str = "made by hand") -> bytes:
    """Return the profile of an RGB space with these primaries and Adobe RGB's gamma."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(GAMMA * 256))
    primaries = {name: _xyz(matrix[:, at]) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _profile(b"mntr", b"RGB ", b"XYZ ", {**primaries, **curves}, description)


def cmyk_profile(ink: tuple[int, int, int], paper: tuple[int, int, int] = (255, 128, 128)) -> bytes:
    """Return the profile of a press whose cyan is `ink` in 8-bit Lab; its black covers, the other inks are not seen."""
    ramp, black = bytes(range(256)), (0, 128, 128)
    # Cyan changes slowest, black fastest.
    table = b"".join(bytes(black if node & 1 else ink if node & 8 else paper) for node in range(16))
    matrix = struct.pack(">9i", *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    way = b"mft1" + struct.pack(">IBBBB", 0, 4, 3, 2, 0) + matrix + ramp * 4 + table + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": way}, "a press made by hand")


def in_srgb(colours: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return 8-bit colours (n, 3) of a space as 8-bit sRGB (IEC 61966-2-1), by the definitions."""
    linear = np.linalg.solve(SRGB, matrix @ ((colours / 255) ** GAMMA).T).T.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _xyz(values) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes], description: str) -> bytes:
    text = description.encode() + b"\0"
    desc = b"desc" + struct.pack(">II", 0, len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    tags = {b"desc": desc, b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz((0.9642, 1.0, 0.8249)), **tags}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI", size, b"\0" * 4, 0x02100000) + kind + space + connection
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body
