import io
import os
import shutil
import sys

import pytest
from rich.table import Table
from rich.text import Text

from photomap_cli.views.console import console_on, make_console


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


def filled_table():
    table = Table.grid(padding=(0, 2))
    for row in (("a", "short"), ("longer", ""), ("", "the longest of all")):
        table.add_row(*map(Text, row))
    return table


def test_lines_in_a_pipe_end_without_the_blanks_that_fill_a_table():
    out = io.StringIO()
    make_console(file=out, width=60).print(filled_table(), Text("  indented\n\nkept inside a line"))
    assert out.getvalue() == ("a       short\nlonger\n        the longest of all\n  indented\n\nkept inside a line\n")


def test_a_table_on_a_terminal_is_filled():
    out = Screen()
    make_console(file=out, width=60).print(filled_table())
    assert "longer" + " " * 20 + "\n" in out.getvalue()


@pytest.mark.parametrize("size", [(50, 20), (120, 40)])
def test_a_dumb_terminal_has_the_size_of_its_window(monkeypatch, size):
    monkeypatch.setattr(sys, "stdout", Screen())
    monkeypatch.setattr(shutil, "get_terminal_size", lambda fallback: os.terminal_size(size))
    monkeypatch.setenv("TERM", "dumb")
    assert console_on().size == size
    assert make_console(width=33, height=5).size == (33, 5)
