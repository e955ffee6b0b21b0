"""Owns kitty's placeholders: characters that stand for pieces of a picture, and scroll, wrap and vanish like text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.graphics.kitty import KittyPictures, new_number

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Sheet

PLACEHOLDER = "\U0010eeee"

# The protocol's own table, in ranges: combining marks of Unicode 6.0 that never compose with a letter.
_RANGES = """
305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1 5a8-5a9 5ab-5ac 5af 5c4
610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733 735-736 73a 73d 73f-741 743 745 747 749-74a
7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954 f82-f83 f86-f87 135d-135f 17dd 193a 1a17 1a75-1a7c 1b6b
1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1 1dc3-1dc9 1dcb-1dcc 1dd1-1de6 1dfe 20d0-20d1 20d4-20d7 20db-20dc 20e1 20e7
20e9 20f0 2cef-2cf1 2de0-2dff a66f a67c-a67d a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 aab7-aab8 aabe-aabf aac1 fe20-fe26
10a0f 10a38 1d185-1d189 1d1aa-1d1ad 1d242-1d244
"""


def _letters(ranges: str) -> str:
    ends = ([int(end, 16) for end in part.split("-")] for part in ranges.split())
    return "".join(chr(code) for pair in ends for code in range(pair[0], pair[-1] + 1))


NUMBERS = _letters(_RANGES)
"""The mark that stands for 0, for 1, and so on."""


class KittyPlaceholders(KittyPictures):
    """Draws with placeholders, which kitty and Ghostty support.

    A picture's number is sent as the characters' colour, one of 256, so that a tmux between us and the terminal
    needs no more colours; its highest byte is the third mark of each line's first character.
    """

    name = "kitty (placeholders)"

    def paint(self, sheet: Sheet) -> str:
        """Return the picture as PNG in pieces, and the characters that show it."""
        number = new_number()
        return self.sent(sheet, number, "a=T,U=1") + "".join(
            f"\x1b[38;5;{number & 0xFF}m{_first(row, number)}{PLACEHOLDER * (sheet.columns - 1)}\x1b[39m\n"
            for row in range(sheet.rows)
        )


def _first(row: int, number: int) -> str:
    """Return the character that names its row, column 0 and the picture; the following ones count on from it."""
    return PLACEHOLDER + NUMBERS[row] + NUMBERS[0] + NUMBERS[number >> 24]
