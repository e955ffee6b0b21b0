import io

import pytest
from rich.console import Console

from photomap_cli.records import Check, CheckState
from photomap_cli.views.doctor import line, terminal


def console(encoding="utf-8", **options):
    return Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding), width=90, height=30, **options)


@pytest.mark.parametrize(
    ("environment", "encoding", "options", "state", "message"),
    [
        ({}, "utf-8", {"force_terminal": False}, "ok", "none: plain lines"),
        ({"TERM": "xterm"}, "utf-8", {"color_system": "truecolor"}, "ok", "xterm, 90×30, 24-bit colour"),
        ({"TERM": "xterm"}, "utf-8", {"color_system": None}, "ok", "xterm, 90×30, no colour"),
        ({"TERM": "xterm"}, "ascii", {}, "advice", "xterm, ascii: no ● ◐ ○ in the bar"),
        ({"TERM": "dumb"}, "UTF-8", {}, "advice", "TERM is dumb: no colour, no bar"),
    ],
)
def test_what_a_terminal_can_do_is_said(environment, encoding, options, state, message):
    check = terminal(console(encoding, **{"force_terminal": True, **options}), environment)
    assert (check.state, check.message) == (state, message)
    assert bool(check.hint) == (state == "advice")


def test_a_check_is_a_line_with_its_hint_below():
    assert line(Check("disk", CheckState.OK, "much")).plain == "✓ disk: much"
    assert line(Check("disk", CheckState.FAULT, "full", "free some")).plain == "✗ disk: full\n  hint: free some"
    assert line(Check("photos in /a\x1b[2J", CheckState.ADVICE, "gone")).plain.count("\x1b") == 0
