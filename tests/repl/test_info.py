from dataclasses import replace
from pathlib import Path

import pytest
from cases import cases
from fake_conversation import Talk
from terminal_fakes import FakeBackend

from photomap_cli.records import DateSource
from photomap_cli.repl.commands import info

KNOWN = FakeBackend().details("/photos/a\x1b[31m.jpg")


def test_info_tells_where_the_date_of_a_result_comes_from():
    printed = Talk().type("dog", ":info 2").front.printed
    assert printed.splitlines() == [
        "path\t/photos/photo-002.jpg",
        "date\t2018-05-14 (from the file name, which has no time)",
        "pixels\t40 × 30 (0.0 megapixels, landscape)",
        "size\t3.4 MB",
        "kind\tphoto",
        "camera\tCanon",
        "place\t47.100000, 8.500000",
    ]


def test_info_takes_several_results_and_no_others():
    assert Talk().type("dog", ":info 1-3").front.printed.count("path\t") == 3
    assert "there is no result 9" in Talk().type("dog").refusal(":info 9").message
    assert Talk().type("dog").refusal(":info").hint == ":info N..."


def test_info_at_a_terminal_is_a_table_without_escapes(monkeypatch):
    talk = Talk(cwd=Path("/photos"))
    talk.front.console._force_terminal = True
    talk.backend.details = lambda path: KNOWN
    printed = talk.type("dog", ":info 1").front.printed
    assert "\\e[31m.jpg" in printed
    assert "\x1b[31m" not in printed
    assert "from the file name, which has no time" in printed


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (DateSource.EXIF, "2018-05-14 12:30:00 (from EXIF)"),
        (DateSource.EXIF_DAY, "2018-05-14 (from EXIF, which has no valid time)"),
        (DateSource.NAME, "2018-05-14 12:30:00 (from the file name)"),
        (DateSource.NAME_DAY, "2018-05-14 (from the file name, which has no time)"),
        (DateSource.FILE, "2018-05-14 12:30:00 (the file's own time; neither EXIF nor the name has a date)"),
        (DateSource.UNKNOWN, "unknown (EXIF, the name and the file's own time have none that can be true)"),
    ],
)
def test_every_source_is_named(source, shown):
    known = replace(KNOWN, date_source=source, dated_at="2018-05-14T12:30:00")
    assert dict(info.facts(known))["date"] == shown


@cases(
    ("changes", "fact", "told"),
    [
        ({"rating": 4}, "rating", "4 of 5"),
        ({"rating": -1}, "rating", "rejected"),
        ({"rating": None}, "rating", None),
        ({"kind": "raw", "extension": "nef"}, "kind", "RAW, nef"),
        ({"extension": "jpg"}, "kind", "photo, jpg"),
        ({"kind": "video", "extension": "mov"}, "kind", "video, mov"),
        ({"seconds": 12.4}, "length", "0:12"),
        ({"seconds": 3723.0}, "length", "1:02:03"),
        ({"width": 6000, "height": 2000}, "pixels", "6000 × 2000 (12.0 megapixels, panorama)"),
        ({"width": 3000, "height": 3000}, "pixels", "3000 × 3000 (9.0 megapixels, square)"),
        ({"width": 3000, "height": 4000}, "pixels", "3000 × 4000 (12.0 megapixels, portrait)"),
    ],
)
def test_what_filters_can_find_is_told(changes, fact, told):
    assert dict(info.facts(replace(KNOWN, **changes))).get(fact) == told
