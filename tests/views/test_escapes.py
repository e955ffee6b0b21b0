"""Nothing that is said reaches the terminal as a command, and nothing fools its reader."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_texts import HOSTILE
from pseudo_terminal import PseudoTerminal, environment
from waiting import LONG_SECONDS

from photomap_cli.views.output import one_line, printable, say

HERE = Path(__file__).parents[1]
OWN = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x07\x1b\x9c]*\x1b\\")
FORBIDDEN = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\udc80-\udcff\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\U000e0000-\U000e00ff]"
)


def what_a_terminal_gets(command, cwd=None, **changes):
    """Run a command with a pseudo-terminal as its standard output and error; return what it wrote, and its status."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=cwd, env=environment(**changes)
    ) as process:
        os.close(theirs)
        written = bytearray()
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        return bytes(written), process.wait(LONG_SECONDS)


def commands_in(written):
    """Return what of it would command a terminal or fool its reader, but for photomap's own colours and links."""
    assert b"\x1b[97;105m" not in written
    return FORBIDDEN.findall(OWN.sub(b"", written).decode(errors="surrogateescape"))


@pytest.mark.terminal
@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_no_text_commands_the_terminal(term):
    path = os.pathsep.join(map(str, (HERE.parent, HERE)))
    written, status = what_a_terminal_gets([sys.executable, HERE / "hostile_texts.py"], TERM=term, PYTHONPATH=path)
    assert status == 0, written.decode(errors="backslashreplace")[-3000:]
    assert b"said all" in written
    assert commands_in(written) == []
    assert b"[red]x[/]" in written


COMMANDS = (
    ["--{}"],
    ["{}", "words"],
    ["serach{}"],
    ["search", "--limit", "{}", "x"],
    ["search", "--sort={}", "x"],
    ["search", "nofilter:{}"],
    ["search", "--in", "{}", "x"],
    ["search", "--html", "{}/a.html", "x"],
    ["search", "--{}", "x", "--json"],
    ["--library", "{}", "search", "x"],
    ["--library", "{}", "status"],
    ["--library", "{}", "status", "--json"],
    ["--library", "{}", "stop"],
    ["--library", "{}", "duplicates"],
    ["--library", "{}", "map", "{}"],
    ["--library", "/dev/null/{}", "index", "."],
    ["--library", "{}", "serve", "--log", "/dev/null/{}"],
    ["duplicates", "{}"],
    ["index", "{}"],
    ["index", "--encoder", "{}", "."],
    ["index", "--encoder", "local-dir:{}", "."],
    ["config"],
    ["config", "path"],
    ["config", "set", "{}", "1"],
    ["config", "set", "device", "{}"],
    ["config", "set", "text_template", "{}{{}}"],
    ["config", "set", "exclude", "{}"],
    ["config"],
    ["encoders"],
    ["encoders", "--json"],
    ["doctor"],
)
RUN = """
import json, sys
from photomap_cli.cli import run
from photomap_cli.views.output import say
say(f"statuses {[run(words) for words in json.loads(sys.argv[1])]}")
"""


@pytest.mark.terminal
def test_no_command_lets_what_it_is_given_command_the_terminal(tmp_path):
    hostile = HOSTILE.replace("/", "_")
    told = json.dumps([[word.replace("{}", hostile).replace("{{" + "}}", "{}") for word in each] for each in COMMANDS])
    name = "PHOTOMAP_" + hostile.replace("=", "")
    given = {"PHOTOMAP_ENCODER": f"local-dir:{hostile}", name: "1"}
    config = {"PHOTOMAP_CONFIG": str(tmp_path / hostile / "config.toml")}
    written, status = what_a_terminal_gets([sys.executable, "-c", RUN, told], tmp_path, **given, **config)
    assert status == 0, written.decode(errors="backslashreplace")[-3000:]
    assert commands_in(written) == []
    statuses = json.loads(written.decode().rpartition("statuses ")[2])
    assert set(statuses) <= {0, 1, 2}, list(zip(COMMANDS, statuses, strict=True))


@pytest.mark.terminal
def test_the_line_being_typed_shows_what_nobody_would_see(tmp_path):
    history = tmp_path / "history"
    terminal = PseudoTerminal(history)
    try:
        terminal.wait("photomap>")
        terminal.send("gpj\u202eexe\u200b!")
        terminal.wait(re.escape(r"gpj\u202eexe\u200b!"))
        terminal.send("\r")
        terminal.wait("3 photos in")
        terminal.send(":history\r")
        terminal.wait_until(lambda: terminal.text.count(r"gpj\u202eexe\u200b!") >= 2, "the history")
        assert "\u202e" not in terminal.raw.decode(errors="replace")
        terminal.send(":quit\r")
        assert terminal.exit_status() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb", r"a\u200bb"),
        ("a\ufeffb", r"a\ufeffb"),
        ("a\u2066b\u2069", r"a\u2066b\u2069"),
        ("hidden\U000e0041", r"hidden\ue0041"),
        ("flag \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("family \U0001f468\u200d\U0001f469\u200d\U0001f467", None),
        ("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", None),
    ],
)
def test_what_is_not_seen_is_shown_unless_it_belongs_to_a_letter(text, shown):
    assert printable(text) == (shown or text)


def test_what_is_said_is_a_line_whatever_is_in_it(capsys):
    say("a\nb\x1b[2J", "second")
    assert capsys.readouterr().err == "a\\nb\\e[2J\nsecond\n"
    assert one_line("first,\n  then\x1b") == "first, then\\e"
