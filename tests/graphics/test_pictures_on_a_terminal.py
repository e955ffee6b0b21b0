"""Pictures at the real prompt: what the eye sees, and what recorded terminals are sent."""

import re
import sys

import pytest

pytest.importorskip("pexpect")
pytest.importorskip("pyte")
if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import picture_decoders as decoded
from pseudo_terminal import PseudoTerminal
from recorded_terminals import TERMINALS
from terminal_fakes import colour_of, make_hit

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

COLOURS = [colour_of(make_hit(rank).path) for rank in (1, 2, 3)]


@pytest.fixture
def start(tmp_path):
    started = []

    def make(*options, **settings):
        terminal = PseudoTerminal(tmp_path / "history", "--previews", "auto", *options, **settings)
        started.append(terminal)
        return terminal

    yield make
    for terminal in started:
        terminal.close()


def colours_seen(terminal):
    """The colours on the screen that are a photo's, each with the column it begins in."""
    image = decoded.pixels_on(terminal.screen)
    places = {}
    for y in range(image.height):
        for x in range(image.width):
            colour = image.getpixel((x, y))
            if colour[:3] in COLOURS and colour[3]:
                places[colour[:3]] = min(x, places.get(colour[:3], x))
    return places


@pytest.mark.parametrize(("columns", "lefts"), [(120, [0, 30, 60]), (80, [0, 27, 54]), (40, [0, 20, 0])])
def test_results_are_pictures_with_captions_below(columns, lefts, start):
    terminal = start(columns=columns, rows=50, COLORTERM="truecolor")
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog\r")
    terminal.wait("3 photos in 41 ms")
    assert colours_seen(terminal) == dict(zip(COLOURS, lefts, strict=True))
    lines = [(number, line) for number, line in enumerate(terminal.lines) if "photo-00" in line]
    assert [name for _, line in lines for name in re.findall(r"photo-00\d\.jpg", line)] == [
        f"photo-00{rank}.jpg" for rank in (1, 2, 3)
    ]
    assert re.match(r"1 +0\.399 +2023-06-02 +2", terminal.lines[lines[0][0] - 1])
    assert re.search(rb"\x1b\]8;[^;]*;file://[^/]+/photos/photo-001\.jpg", terminal.raw)


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (50, 20)])
@pytest.mark.parametrize("way", ["blocks", "sextants", "off", "kitty"])
def test_a_page_has_the_best_results_in_view_and_the_prompt_below(columns, rows, way, start):
    terminal = start("--limit", 10, "--previews", way, columns=columns, rows=rows)
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog\r")
    seen = []
    while len(seen) < 10:
        terminal.wait(r"(10 photos in|\d of 10)(?s:.*)\nphotomap>")
        page = [int(name) for name in re.findall(r"photo-0(\d\d)", terminal.text)]
        assert page[0] == len(seen) + 1
        seen += page
        terminal.send("\x0c:more\r")  # Ctrl-L: what is seen from here on was not there before
        terminal.wait(f"photo-0{len(seen) + 1:02d}")
    assert seen == list(range(1, 11))


def test_keys_typed_before_the_first_prompt_are_the_first_query(start):
    terminal = start(typed="dög\r:previews\r", introduction=b"x\x7f" + TERMINALS["kitty"].answers, TERM="xterm-kitty")
    terminal.wait("3 photos in 41 ms")
    terminal.wait(r"results as pictures: kitty \(placeholders\) \(auto\)")
    assert terminal.raw.count(b"\x1b[>0q") == 1
    assert terminal.raw.index(b"\x1b[>0q") < terminal.raw.index(b"photomap>")


def test_a_terminal_that_says_nothing_gets_blocks_and_loses_no_key(start):
    terminal = start(typed="dog\r", answers=False, introduction=b"")
    terminal.wait("3 photos in 41 ms")
    assert b"\x1b[48;5;" in terminal.raw


def seen_by(terminal):
    return terminal.raw.decode("utf-8", "replace").replace("\r\n", "\n")


def test_kitty_is_sent_one_picture_a_row_and_its_placeholders(start):
    terminal = start(introduction=TERMINALS["kitty"].answers, columns=40, TERM="xterm-kitty")
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog\r")
    terminal.wait("3 photos in 41 ms")
    pictures = [(keys, image) for keys, image in decoded.kitty(seen_by(terminal)) if keys["a"] == "T"]
    (_, first), (_, second) = pictures  # three side by side do not fit: two and one
    assert first.getpixel((5, first.height - 5)) == (*COLOURS[0], 255)
    assert first.getpixel((first.width - 5, first.height - 5)) == (*COLOURS[1], 255)
    assert second.getpixel((5, second.height - 5)) == (*COLOURS[2], 255)
    shown = {number for number, _, _ in decoded.placeholders(seen_by(terminal)).values()}
    assert shown == {int(keys["i"]) for keys, _ in pictures}


@pytest.mark.parametrize("name", ["iterm2", "foot", "konsole"])
def test_other_terminals_are_sent_what_they_draw(name, start):
    recorded = TERMINALS[name]
    terminal = start(introduction=recorded.answers, columns=120, **recorded.environment)
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog\r")
    terminal.wait("3 photos in 41 ms")
    text = seen_by(terminal)
    image = {
        "iterm2": lambda: decoded.iterm2(text)[1],
        "sixel": lambda: decoded.sixel(text),
        "kitty": lambda: decoded.kitty(text)[-1][1],
    }[recorded.way]()
    for number, colour in enumerate(COLOURS):
        seen = image.convert("RGB").getpixel((number * 200 + 20, image.height - 20))
        assert max(abs(one - other) for one, other in zip(seen, colour, strict=True)) <= 4


def test_show_draws_one_photo_large_and_previews_switches(start):
    terminal = start(columns=80, rows=40, COLORTERM="truecolor")
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send(":previews off\rdog\r")
    terminal.wait("3 photos in 41 ms")
    assert not colours_seen(terminal)
    assert "2023-06-02 10:22" in terminal.text
    terminal.send(":show 2\r")
    terminal.wait_until(lambda: list(colours_seen(terminal)) == [COLOURS[1]])
    terminal.wait(r"2  0\.398  photo-002\.jpg  2023-06-03 10:22  40×30")
    terminal.send(":previews blocks\r:again\r")
    terminal.wait("results as pictures: blocks")
    terminal.wait_until(lambda: set(COLOURS) == set(colours_seen(terminal)))


def test_no_color_means_a_table_and_pictures_without_colour_only_when_asked_for(start):
    terminal = start(NO_COLOR="1")
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog\r")
    terminal.wait("3 photos in 41 ms")
    assert "2023-06-02 10:22" in terminal.text
    terminal.send(":previews on\r:again\r")
    terminal.wait(r"results as pictures: blocks \(on\)")
    terminal.wait(r"1  0\.399  2023-06-02 +2  0\.398")
    assert not re.search(rb"\x1b\[[\d;]*[34]8;", terminal.raw)
