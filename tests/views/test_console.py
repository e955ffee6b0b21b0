import io
import sys

import pytest

from photomap_cli.views.console import console_on


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("term", "colour_term", "system"),
    [
        ("xterm", "", "256"),
        ("screen", "", "256"),
        ("alacritty", "", "256"),
        ("xterm-256color", "", "256"),
        ("xterm", "truecolor", "truecolor"),
        ("linux", "", "standard"),
        ("dumb", "", None),
    ],
)
def test_colours_are_as_many_as_the_terminal_has(monkeypatch, term, colour_term, system):
    monkeypatch.setattr(sys, "stdout", Screen())
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colour_term)
    assert console_on().color_system == system


def test_a_pipe_has_none(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert console_on().color_system is None
