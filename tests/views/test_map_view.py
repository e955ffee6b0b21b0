"""The map in a terminal at every width, without colour, without UTF-8, and in a pipe."""

from __future__ import annotations

import io
import json
import math

import pytest
from rich.console import Console
from sample_map import MAP

from photomap_cli.records.maps import MapCluster, MapPoint, PhotoMap
from photomap_cli.views import map as map_module
from photomap_cli.views.map import MapView
from photomap_cli.views.palette import COLOURS, colours


class Stream(io.StringIO):
    def __init__(self, encoding):
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self):
        return self._encoding


def shown(width, height, *, encoding="utf-8", styles=False, **options):
    file = Stream(encoding)
    console = Console(
        file=file,
        width=width,
        height=height,
        force_terminal=True,
        color_system="truecolor" if styles else None,
        highlight=False,
        **options,
    )
    console.print(MapView(MAP, hint=":map A"))
    lines = file.getvalue().splitlines()
    return file.getvalue() if styles else "\n".join(line.rstrip() for line in lines)


NARROW = """\
         ⣤                  ⢠⡄⠰⠆⢠⡍⠰⠆⠈⣥
  ⢘⡃ ⣛ ⠘⠃⣀ ⠶ ⠛              ⣤⠰⢆⡀⠰⣆⠘⠃⠰⠆ ⣤
⢠⡄⠈⠁⣤⠉ ⣛ ⣭ ⢀⡛ ⣛              ⢠⡌⢁⡀B⠆⠰⠆⠘⠃
⠆⢀⡛  ⠶ ⠙A ⢀⡈⢡⡄⠉⠰⠆            ⠰⠆⠈⠱⠆⢀⡛ ⠛
 ⢈⡁⠘⣃ ⠶⣀⠉⢠⡌⠁⣤ ⢛⡀                  ⠈⠁
 ⠈⠁ ⠉⢠⡄⠉⣀⠶  ⠶ ⠈⠁
        ⠉


                        ⠶ ⣀
                      ⣤⠘⠳C⠉ ⠘⠃
                       ⣤ ⠛ ⠘⠃
A sunset over the sea 40
B cat 25
C pizza 9
74 photos in 3 groups, 41 ms · :map A"""

USUAL = """\
           ⣤                       ⣤ ⠰⠆ ⣬⠁⠰⠆ ⠉⣤
   ⢛⡀ ⣘⠃ ⠘⠃⢀⡀⠰⠆ ⠘⠃                ⢠⡄⠰⠆⣀ ⠶⣀⠘⠃ ⠶  ⣤
 ⣤ ⠈⠁⣤⠉ ⢘⡃ ⢨⡅ ⣘⠃ ⣘⠃                 ⢠⡄⠉⣀ B  ⠶ ⠘⠃
⠆ ⣀⠛  ⠰⠆⠈⠙A  ⣀⠉⢠⡄⠉ ⠰⠆               ⠰⠆ ⠉⠶ ⢀⡛ ⠘⠃
  ⣉ ⠘⣃ ⠰⠆⣀⠉ ⣤⠉⢠⡄ ⠘⣃                       ⠈⠁
  ⠉  ⠉⢠⡄ ⢉⡀⠰⠆ ⠰⠆  ⠉
         ⠈⠁


                             ⠰⠆ ⢀⡀
                           ⣤ ⠘⠳C⠈⠁ ⠛
                            ⢠⡄ ⠛  ⠛
A sunset over the sea 40   B cat 25   C pizza 9
74 photos in 3 groups, 41 ms · :map A"""

WIDE = """\
     ⢀⡀   ⣤                     ⣤ ⠰⠆⢠⡍ ⠶ ⠉⣤     A sunset over the sea 40
  ⠘⣃ ⢨⡅ ⣘⠃⢠⡄⠘⢃⡀⠛⣀              ⢠⡄⠘⢣⡄⠰⢦B⠛ ⠘⢃⡀⠶   B cat 25
 ⠶⢀⡉⠰⠆ ⢠⡍⣀⠰⠆ ⣬⠁⢠⡍                ⢶⡀⢠⡄⠘⠃⢀⡛ ⣈⠁    C pizza 9
⠃⢠⡌⠁⢠⡄⠛⣀ A ⠰⠆ ⠶ ⣀⠘⠃              ⠈⠁  ⠛ ⠾⠁ ⠉
  ⠶ ⠰⠆ ⠉⣤ ⢀⡛ ⢘⡃ ⢩⡄
      ⠛  ⠶⠈⠁ ⠈⠁


                           ⣤ ⢀⡀
                         ⣤⠰⠆C⠈⠁ ⠛
                          ⣤ ⠛  ⠛
74 photos in 3 groups, 41 ms · :map A"""

ASCII = """\
     A AAA   AA              B B BBBBBB
  AA A AAAAAAAAA            BBBBBBBBBBBBB
AAAAAA AAAAAAAA A             B BBBBBBB
AAA AAA A AAAAAAA                BBBB
 AA AAAAAAA A  A
        A

                        CC
                      CCCCCC C
                      CCCCC C
A sunset over the sea 40   C pizza 9
B cat 25
74 photos in 3 groups, 41 ms · :map A"""


@pytest.mark.parametrize(("width", "height", "expected"), [(40, 18, NARROW), (80, 16, USUAL), (120, 14, WIDE)])
def test_plot_and_legend_fit_the_terminal(width, height, expected):
    text = shown(width, height)
    assert text == expected
    assert max(map(len, text.splitlines())) <= width


def test_without_braille_each_character_is_its_groups_letter():
    assert shown(60, 14, encoding="ascii") == ASCII


def test_groups_are_told_apart_by_colour_and_by_letter():
    text = shown(80, 16, styles=True)
    for colour in colours(MAP.clusters):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        assert f"38;2;{red};{green};{blue}" in text


def test_no_color_keeps_the_letters_apart_from_the_dots():
    text = shown(80, 16, styles=True, no_color=True)
    assert "38;2;" not in text
    assert "\x1b[1;7mA\x1b[0m" in text


def test_a_groups_name_is_a_link_to_its_most_typical_photo():
    text = shown(80, 16, styles=True)
    assert "/photos/sunset%20over%20the%20sea/0.jpg" in text
    assert "\x1b]8;" in text


def test_a_pipe_gets_a_row_for_each_group():
    file = io.StringIO()
    map_module.write(MAP, file, as_json=False, console=Console(file=file))
    assert file.getvalue().splitlines() == [
        "A\t40\tsunset over the sea\t/photos/sunset over the sea/0.jpg",
        "B\t25\tcat\t/photos/cat/0.jpg",
        "C\t9\tpizza\t/photos/pizza/0.jpg",
    ]


def test_paths_leave_in_a_pipe_as_the_bytes_they_have_whatever_its_encoding():
    cluster = MapCluster(1, "cat", 1, (0.5, 0.5), ("/Été/\udcff.jpg",))
    bytes_out = io.BytesIO()
    file = io.TextIOWrapper(bytes_out, encoding="ascii", errors="replace")
    map_module.write(PhotoMap("tiny", "groups", 1.0, (cluster,), ()), file, as_json=False, console=Console(file=file))
    assert bytes_out.getvalue() == "A\t1\tcat\t/Été/".encode() + b"\xff.jpg\n"


def test_json_is_the_record():
    file = io.StringIO()
    map_module.write(MAP, file, as_json=True, console=Console(file=file))
    assert json.loads(file.getvalue()) == {"version": 1, **MAP.to_json()}


def test_a_name_with_escapes_harms_no_terminal():
    file = io.StringIO()
    wild = MapCluster(1, "cat", 1, (0.5, 0.5), ("/photos/\x1b[2J.jpg",))
    drawn = PhotoMap("tiny", "groups", 1.0, (wild,), (MapPoint("/photos/x.jpg", 0.5, 0.5, 1),))
    map_module.write(drawn, file, as_json=False, console=Console(file=file))
    assert "\x1b" not in file.getvalue()
    console = Console(file=file, force_terminal=True, width=40, height=12, color_system=None)
    console.print(MapView(drawn))
    assert "\x1b[2J" not in file.getvalue()


def test_many_groups_share_colours_only_from_afar():
    ring = [
        MapCluster(
            n + 1, str(n), 1, (0.5 + 0.5 * math.cos(n * math.tau / 24), 0.5 + 0.5 * math.sin(n * math.tau / 24)), ()
        )
        for n in range(24)
    ]
    chosen = colours(ring)
    assert set(chosen) == set(COLOURS)
    assert all(one != other for one, other in zip(chosen, chosen[1:] + chosen[:1], strict=True))


def test_two_groups_in_one_place_both_show_their_letters():
    both = tuple(MapCluster(n, f"group {n}", 1, (0.5, 0.5), ()) for n in (1, 2))
    points = tuple(MapPoint(f"/{n}.jpg", n / 2 - 0.5, n / 2 - 0.5, n) for n in (1, 2))
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=40, height=16, color_system=None)
    console.print(MapView(PhotoMap("tiny", "groups", 1.0, both, points)))
    plotted = file.getvalue().partition("A group 1")[0]
    assert "A" in plotted
    assert "B" in plotted
