import io
from dataclasses import replace

import pyte
import pytest
from rich.console import Console

from photomap_cli.records import IndexProgress, IndexReport, StageTimes
from photomap_cli.views.index_report import summary
from photomap_cli.views.progress import follow


def run_of_three():
    for done in (1, 2, 3):
        yield IndexProgress(done, 3, failed=done // 3, path=f"/photos/{done}.jpg")


def interrupted():
    yield IndexProgress(1, 3, 0)
    raise KeyboardInterrupt


def make_console(*, terminal, width=100):
    return Console(file=io.StringIO(), force_terminal=terminal, width=width)


def test_a_terminal_sees_a_bar():
    console = make_console(terminal=True)
    follow(run_of_three(), console=console)
    drawn = console.file.getvalue()
    assert "3/3" in drawn
    assert "1 failed" in drawn


def test_a_note_stands_beside_the_bar():
    console = make_console(terminal=True)
    follow(run_of_three(), console=console, note=lambda: "downloading 1 MB of 605 MB")
    assert "downloading 1 MB of 605 MB" in console.file.getvalue()


def test_the_bar_says_what_most_of_the_time_goes_to():
    console = make_console(terminal=True)
    stages = StageTimes(scan=9000.0, decode=300.0, encode=600.0, commit=100.0)
    follow(iter([IndexProgress(1, 3, 0, stages=stages)]), console=console)
    assert "60 % encoding" in console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_of_a_large_library_the_bar_is_one_line_with_the_whole_count_at_any_width(width):
    console = make_console(terminal=True, width=width)
    stages = StageTimes(decode=300.0, encode=600.0)
    event = IndexProgress(123_456, 200_000, 1_234, stages=stages)
    follow(iter([event]), console=console, note=lambda: "◌ loading…")
    screen = pyte.Screen(width, 6)
    pyte.Stream(screen).feed(console.file.getvalue().rpartition("\x1b[?25h")[0].replace("\n", "\r\n"))
    drawn = [line.rstrip() for line in screen.display if line.strip()]
    assert len(drawn) == 1
    assert "123,456/200,000" in drawn[0]
    assert not drawn[0].endswith("…") or drawn[0].endswith("loading…")


def test_the_summary_says_how_fast_and_what_most_of_the_time_went_to():
    report = IndexReport(
        ("/photos",), scanned=2, added=2, elapsed_ms=1500.0, images_per_second=4.0, stages=StageTimes(decode=5.0)
    )
    assert summary(report) == ["2 photos found: 2 added in 1.5 s, 4.0/s, 100 % decoding"]


def test_the_summary_tells_loading_apart_where_it_takes_long():
    stages = StageTimes(load=5040.0, decode=5.0)
    report = IndexReport(("/photos",), scanned=6, added=6, elapsed_ms=6500.0, images_per_second=4.0, stages=stages)
    assert summary(report) == ["6 photos found: 6 added in 6.5 s (5.0 s loading), 4.0/s, 100 % decoding"]
    assert summary(replace(report, elapsed_ms=200_000.0)) == ["6 photos found: 6 added in 3 min, 4.0/s, 100 % decoding"]


def test_one_photo_is_one():
    assert summary(IndexReport(("/photos",), scanned=1, unchanged=1)) == ["1 photo found: 1 unchanged in 0.0 s"]


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_nothing_is_drawn_without_a_terminal_or_when_quiet(terminal, quiet):
    console = make_console(terminal=terminal)
    follow(run_of_three(), console=console, quiet=quiet)
    assert console.file.getvalue() == ""


def test_ctrl_c_passes_through_and_gives_the_cursor_back():
    console = make_console(terminal=True)
    with pytest.raises(KeyboardInterrupt):
        follow(interrupted(), console=console)
    assert console.file.getvalue().rfind("\x1b[?25h") > console.file.getvalue().rfind("\x1b[?25l")


def test_nothing_to_encode_is_no_division_by_zero():
    def nothing():
        yield IndexProgress(0, 0, 0)

    follow(nothing(), console=make_console(terminal=True))


def test_what_comes_after_the_encoding_has_a_name_of_its_own():
    def compressing():
        yield IndexProgress(3, 3, 0)
        yield IndexProgress(32, 64, 0, compressing=True)

    console = make_console(terminal=True)
    follow(compressing(), console=console)
    assert "preparing searches" in console.file.getvalue()
    assert "32/64" in console.file.getvalue()
