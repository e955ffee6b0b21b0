import io
import json

import pytest
from cases import cases
from rich.console import Console

from photomap_cli.views.status_watch import draw, has_changed, print_json, print_lines

SESSION = {
    "pid": 7,
    "kind": "serve",
    "library": "/l",
    "started_at": "2026-01-01T00:00:00Z",
    "encoder": "tiny",
    "device": "cuda:0",
    "device_name": "Card",
    "dtype": "float16",
    "can_offload": True,
    "state": "VRAM",
    "busy": False,
    "vram_weight_bytes": 352_000_000,
    "vram_process_bytes": None,
    "ram_bytes": 1000,
    "pinned": False,
    "idle_seconds": 1.0,
    "idle_timeout_seconds": 30.0,
    "offload_in_seconds": 29.0,
    "release_timeout_seconds": 600.0,
    "release_in_seconds": 599.0,
    "last_reload_ms": None,
    "last_offload_ms": None,
    "reloads": 1,
    "offloads": 0,
    "cpu_fallbacks": 0,
    "last_error": None,
    "photos": 3,
}
LIBRARY = {
    "path": "/l",
    "photos": 3,
    "encoder": "tiny",
    "dim": 128,
    "bytes": 10,
    "last_indexed_at": None,
    "roots": ["/p"],
}


def look(*sessions, **library):
    return {"version": 1, "sessions": list(sessions), "library": LIBRARY | library}


def session(**changes):
    return SESSION | changes


A_SECOND_LATER = session(idle_seconds=2.0, offload_in_seconds=28.0, release_in_seconds=598.0)
OFFLOADED = session(
    offloaded_seconds_ago=1.0, state="RAM", offload_in_seconds=None, offloads=1, idle_seconds=31.0, vram_weight_bytes=0
)


@cases(
    ("now", "expected"),
    [
        (look(session()), False),
        (look(A_SECOND_LATER), False),
        (look(session(idle_seconds=0.2, offload_in_seconds=29.8)), True),
        (look(session(busy=True)), True),
        (look(session(offload_in_seconds=None)), True),
        (look(OFFLOADED), True),
        (look(session(download=[1, 2])), True),
        (look(), True),
        (look(session(pid=8)), True),
        (look(session(), session(pid=8)), True),
        (look(session(), photos=4), True),
    ],
)
def test_time_alone_is_no_change(now, expected):
    assert has_changed(look(session()), now) is expected


def test_json_is_one_line_a_change_and_each_is_what_status_prints():
    looks = [look(), look(), look(session()), look(A_SECOND_LATER), look(OFFLOADED)]
    out = io.StringIO()
    print_json(looks, out)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [looks[0], looks[2], looks[4]]


def test_lines_follow_sessions_that_come_and_go():
    other = session(pid=8, kind="repl", library="/m")
    looks = [look(), look(session()), look(A_SECOND_LATER, other), look(OFFLOADED, other), look(OFFLOADED), look()]
    out = io.StringIO()
    print_lines(looks, out)
    lines = out.getvalue().splitlines()
    begun = [line.split(" · ")[0] for line in lines]
    told = ["7 serve", "8 repl", "7 serve", "8 ended", "7 ended"]
    assert begun == ["library /l", "no session is running", *told, "no session is running"]
    assert "offloads in 29 s" in lines[2]
    assert "offloaded" in lines[4]


def test_every_line_is_handed_on_at_once():
    class Flushed(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed = self.getvalue().count("\n")

    out = Flushed()
    seen = []

    def looks():
        for each in (look(), look(session())):
            yield each
            seen.append(out.flushed)

    print_lines(looks(), out)
    assert seen == [2, 3]


def test_a_terminal_is_redrawn_in_place_with_the_clocks_and_gets_its_cursor_back():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, legacy_windows=False)

    def looks():
        yield from (look(session()), look(A_SECOND_LATER))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(looks(), console)
    drawn = console.file.getvalue()
    assert "offloads in 29 s" in drawn
    assert "offloads in 28 s" in drawn
    assert "\x1b[1A" in drawn
    assert drawn.index("\x1b[?25l") < drawn.index("\x1b[?25h")


def test_a_window_of_another_size_is_drawn_anew():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=24, legacy_windows=False)

    def looks():
        yield look(session())
        console.width = 40
        yield look(session())

    draw(looks(), console)
    assert console.file.getvalue().count("\x1b[2J") == 1


SILENT = {"pid": 7, "code": "session_silent", "message": "session 7 does not answer", "hint": ""}


def test_a_session_that_falls_silent_has_not_ended():
    looks = [look(session()), {**look(), "unreachable": [SILENT]}, look(session()), look()]
    out = io.StringIO()
    print_lines(looks, out)
    lines = [line.partition(" · ")[0] for line in out.getvalue().splitlines() if not line.startswith("library")]
    assert lines == ["7 serve", "session 7 does not answer", "7 serve", "7 ended", "no session is running"]
    assert has_changed(looks[0], looks[1])


def test_one_of_another_build_hides_no_other():
    foreign = {"pid": 9, "colour": "red"}
    out = io.StringIO()
    print_lines([look(session(), foreign)], out)
    assert "7 serve" in out.getvalue()
    assert "session 9 is of another version of photomap" in out.getvalue()
    console = Console(file=io.StringIO(), width=120)
    draw([look(foreign, session())], console)
    assert "session 9 is of another version" in console.file.getvalue()
    assert "serve" in console.file.getvalue()
