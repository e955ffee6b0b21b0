"""What terminals do with the sequences that draw pictures: each turned back into pixels."""

from __future__ import annotations

import base64
import io
import itertools
import re

import pyte
from PIL import Image

from photomap_cli.graphics.block_glyphs import HALVES
from photomap_cli.graphics.kitty_placeholders import NUMBERS, PLACEHOLDER

_KITTY = re.compile(r"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\")
_ITERM2 = re.compile(r"\x1b\]1337;File=([^:]*):([^\x07]*)\x07")
_SIXEL = re.compile(r'\x1bP0;1q"1;1;(\d+);(\d+)([^\x1b]*)\x1b\\')


def kitty(text):
    """Return the commands but for questions, in order: each its control keys, and the picture it sent if it did."""
    commands = []
    for control, payload in _KITTY.findall(text):
        keys = dict(pair.split("=") for pair in control.split(","))
        assert len(payload) <= 4096
        if "a" in keys:
            commands.append((keys, payload))
        else:  # the next piece of the last picture
            first, begun = commands[-1]
            assert first["m"] == "1"
            commands[-1] = first | {"m": keys["m"]}, begun + payload
    return [(keys, _picture(payload) if payload else None) for keys, payload in commands if keys["a"] != "q"]


def placeholders(text):
    """Return {(line, column): (picture's number, row, column in it)} for the letters that stand for a picture."""
    cells = {}
    for line, letters in enumerate(_KITTY.sub("", text).split("\n")):
        for number, marked in re.findall(rf"\x1b\[38;5;(\d+)m([^\x1b]*{PLACEHOLDER}[^\x1b]*)\x1b\[39m", letters):
            row, column, highest = (NUMBERS.index(mark) for mark in marked[1:4])
            for place in range(marked.count(PLACEHOLDER)):
                cells[line, place] = highest << 24 | int(number), row, column + place
    return cells


def iterm2(text):
    """Return the keys and the picture of the only file in it."""
    ((keys, payload),) = _ITERM2.findall(text)
    return dict(key.split("=") for key in keys.split(";")), _picture(payload)


def sixel(text):
    """Return the picture in it, RGBA; pixels that no colour was given stay empty."""
    ((width, height, body),) = _SIXEL.findall(text)
    image = Image.new("RGBA", (int(width), int(height)))
    colours, colour, x, band = {}, None, 0, 0
    for match in re.finditer(r"#(\d+)(;[\d;]+)?|!(\d+)(.)|(.)", body):
        number, values, count, letter = match[1], match[2], match[3], match[4] or match[5]
        if number:
            if values:
                _, *parts = map(int, values[1:].split(";"))
                colours[number] = tuple(round(part * 255 / 100) for part in parts)
            else:
                colour = colours[number]
        elif letter == "$":
            x = 0
        elif letter == "-":
            x, band = 0, band + 6
        else:
            run = range(x, x + int(count or 1))
            for place, bit in itertools.product(run, range(6)):
                if (ord(letter) - 63) >> bit & 1:
                    image.putpixel((place, band + bit), (*colour, 255))
            x = run.stop
    return image


def blocks(text, columns, rows, glyphs=HALVES):
    """Return the picture that characters of blocks make, RGBA; the terminal's own colour is empty."""
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    return pixels_on(screen, glyphs)


def pixels_on(screen, glyphs=HALVES):
    image = Image.new("RGBA", (glyphs.width * screen.columns, glyphs.height * screen.lines))
    for y, x in itertools.product(range(screen.lines), range(screen.columns)):
        cell = screen.buffer[y][x]
        pattern = max(0, glyphs.glyphs.find(cell.data))
        for block in range(glyphs.width * glyphs.height):
            colour = cell.fg if pattern >> block & 1 else cell.bg
            if re.fullmatch("[0-9a-f]{6}", colour):
                place = glyphs.width * x + block % glyphs.width, glyphs.height * y + block // glyphs.width
                image.putpixel(place, (*bytes.fromhex(colour), 255))
    return image


def drawn_over(text):
    """Return how the cursor moves around a picture that is placed: (lines made, drawing)."""
    made, up, drawing, down = re.fullmatch(r"(\n+)\x1b\[(\d+)A\x1b7(.*)\x1b8\x1b\[(\d+)B\r", text, re.DOTALL).groups()
    assert len(made) == int(up) == int(down)
    return len(made), drawing


def _picture(payload):
    return Image.open(io.BytesIO(base64.b64decode(payload, validate=True)))
