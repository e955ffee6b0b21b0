"""What only a terminal shows: paint, countdown, cursor, signals, colours.  Waits for what it wants to see."""

import base64
import random
import re
import signal
import sys

import pytest

pytest.importorskip("pexpect")
pytest.importorskip("pyte")
if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from pseudo_terminal import Clock, PseudoTerminal

from photomap_cli.repl.commands import registry

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

PROMPT = "photomap> "


@pytest.fixture
def start(tmp_path):
    started = []

    def make(*options, **settings):
        started.append(PseudoTerminal(tmp_path / "private" / "history", *options, **settings))
        return started[-1]

    yield make
    for terminal in started:
        terminal.close()


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "clock")


def test_the_prompt_is_there_before_the_encoder_and_typing_works_meanwhile(start, clock):
    terminal = start("--opening", 1, "--load", 600, *clock.options)
    terminal.wait("opening the library", where="bar")
    terminal.send("typed while ")
    terminal.wait("photomap> typed while")
    clock.advance(1)
    terminal.wait("loading…", where="bar")
    terminal.send("loading")
    terminal.wait("photomap> typed while loading")
    assert "loading…" in terminal.bar


def test_leaving_during_the_load_is_quick(start):
    terminal = start("--opening", 3600)
    terminal.wait("opening the library", where="bar")
    terminal.send("\x04")
    assert terminal.exit_status() == 0


def test_the_countdown_moves_and_the_offload_leaves_the_line_alone(start, clock):
    terminal = start("--idle", 3, "--load", 0, "--reload", 0, *clock.options)
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("half a que")
    terminal.wait("photomap> half a que")
    broken = set()

    def is_in_the_bar(words):
        is_at_rest = not terminal.screen.cursor.hidden  # it is hidden while something is drawn
        if is_at_rest and terminal.cursor != (len(PROMPT + "half a que"), PROMPT + "half a que"):
            broken.add(terminal.cursor)
        return is_at_rest and words in terminal.bar

    for words in ("GPU memory in 0:03", "GPU memory in 0:02", "GPU memory in 0:01", "RAM 0 B VRAM"):
        terminal.wait_until(lambda words=words: is_in_the_bar(words), words)
        clock.advance(1)
    assert not broken
    terminal.send("ry")
    terminal.wait("photomap> half a query")


def test_a_query_after_the_offload_is_answered_and_the_bar_follows(start):
    terminal = start("--idle", 1, "--reload", 0.4)
    terminal.wait("RAM 0 B VRAM", where="bar")
    terminal.send(":timeout 3600\rdog\r")
    terminal.wait(r"RAM → VRAM 400 ms")
    terminal.wait("● VRAM 352 MB", where="bar")


def test_the_first_key_brings_the_encoder_back(start, clock):
    terminal = start("--idle", 1, "--load", 0, "--reload", 0, "--prewarm", *clock.options)
    terminal.wait("VRAM 352 MB", where="bar")
    clock.advance(1)
    terminal.wait("RAM 0 B VRAM", where="bar")
    terminal.send("d")
    terminal.wait("VRAM 352 MB", where="bar")
    assert "photomap> d" in terminal.text


def test_the_encoder_is_released_after_the_offload(start):
    terminal = start("--idle", 0.5, "--release", 1.5)
    terminal.wait("○ OFF", where="bar")
    terminal.send("dog\r")
    terminal.wait("3 photos in")


def test_ctrl_c_stops_the_running_query_only(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("a slow one\r")
    terminal.wait("searching…  Ctrl-C stops waiting")
    terminal.child.sendintr()
    terminal.wait("cancelled")
    terminal.send(":status\r")
    terminal.wait("12,034 photos · cuda:0")
    assert "searching" not in terminal.text


def test_the_bar_names_the_folder_that_is_searched_by_its_own_name_and_counts_its_photos(start):
    terminal = start("--folder", "/photos/a/long/way/down/2019 Norway")
    terminal.wait("│ in: 2019 Norway │ 120 photos │", where="bar")
    terminal.send(":in *\r")
    terminal.wait("│ in: everything │ 12,034 photos │", where="bar")


def test_ctrl_c_at_the_prompt_clears_the_line(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("half a que")
    terminal.wait("half a que")
    terminal.child.sendintr()
    terminal.wait("photomap> half a que\n+photomap>")
    terminal.send("dog\r")
    terminal.wait("3 photos in")


ESCAPES = [
    ["\x1b"],
    ["\x1b", "\r"],
    ["dog\x1b", "\r"],
    ["\x1b\x1b", "\x1b"],
    ["\x1b", "\x03"],
    [":of\x1b", "\x03"],
    ["\x12do\x1b", "\x03"],
    ["\x11\x1b", "\r"],  # quoted: the line is an escape character
    ["\x11\x1b[31mdog", "\r"],
    ["in:\x11\x1b", "\r"],
    [":in \x11\x1b", "\r"],
    [":save \x11\x1b.json", "\r"],
    ["\x1b[", "\x1bO", "\x1b]", "\x1bP", "\x1b_"],
    ["slow\r\x1b", "\x03", "\x03"],
]


def test_escape_wherever_it_is_typed_is_no_traceback(start):
    terminal = start(typed="\x1b")
    terminal.wait("VRAM 352 MB", where="bar")
    for number, keys in enumerate(ESCAPES, 11):
        for key in keys:
            terminal.send(key)
            terminal.pump(0.2)

        def lives(number=number):
            terminal.send(f"\x03:k {number}\r")
            terminal.pump(0.3)
            return f"{number} results per search" in terminal.text

        terminal.wait_until(lives, f"a prompt after {keys!r}")
        assert b"Traceback" not in terminal.raw, keys
        assert b"Unhandled" not in terminal.raw, keys


@pytest.mark.parametrize("seed", [2, 3])
def test_ctrl_c_at_any_moment_costs_a_line_at_most(start, seed):
    chance = random.Random(seed)
    terminal = start("--opening", 0.2, "--load", 0.3, "--reload", 0.1, "--idle", 0.5)
    terminal.wait(PROMPT.rstrip())
    for _ in range(40):
        terminal.send(chance.choice(["dog\r", "slow\r", ":status\r", ":load\r", "x", "bad\r", "boom\r", ":\t", "\x1b"]))
        terminal.pump(chance.random() / 8)
        for _ in range(chance.randint(1, 3)):
            terminal.child.kill(signal.SIGINT)
            terminal.pump(chance.random() / 20)

    def lives():  # each Ctrl-C ends one of the queries that are still under way
        terminal.send("\x03:k 7\r")
        terminal.pump(0.3)
        return "7 results per search" in terminal.text

    terminal.wait_until(lives)
    assert b"Traceback" not in terminal.raw


def test_keys_typed_during_a_query_wait_for_the_prompt(start, clock):
    terminal = start("--load", 1, "--reload", 0, *clock.options)
    terminal.wait("loading…", where="bar")
    terminal.send("dog\r")
    terminal.wait("loading the encoder")
    terminal.send("typed ahead\x04")
    clock.advance(1)
    terminal.wait("3 photos in")
    terminal.wait("photomap> typed ahead")
    assert terminal.text.count("typed ahead") == 1


def test_a_ctrl_d_typed_during_a_query_leaves_after_it(start, clock):
    terminal = start("--load", 1, "--reload", 0, *clock.options)
    terminal.wait("loading…", where="bar")
    terminal.send("dog\r")
    terminal.wait("loading the encoder")
    terminal.send("\x04")
    clock.advance(1)
    assert terminal.exit_status() == 0
    assert "3 photos in" in terminal.text


def test_ctrl_d_leaves_with_0_and_the_terminal_as_it_was(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    assert not terminal.is_echoing
    terminal.send("\x04")
    terminal.wait_until(lambda: terminal.is_echoing or not terminal.child.isalive(), "echo")
    assert terminal.exit_status() == 0


@pytest.mark.parametrize(("number", "line"), [(signal.SIGTERM, "half a que"), (signal.SIGHUP, "a slow one\r")])
def test_a_signal_ends_it_in_good_order(start, number, line):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send(line)
    terminal.wait("searching…" if "slow" in line else "half a que")
    terminal.child.kill(number)
    assert terminal.exit_status() == 128 + number
    assert "Traceback" not in terminal.text


def test_the_bar_is_one_line_at_every_width(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    for columns in (60, 40, 100):
        terminal.resize(columns)
        terminal.send("x")
        terminal.wait_until(lambda: _bars(terminal) == 1 and len(terminal.bar) < columns, "one bar")  # noqa: B023
    terminal.wait("photomap> xxx")


def _bars(terminal):
    return sum("● VRAM" in line for line in terminal.lines)


@pytest.mark.parametrize("columns", [120, 20])
def test_the_bar_is_one_line_from_the_start(start, columns):
    terminal = start(columns=columns)
    terminal.wait("● VRAM", where="bar")
    assert _bars(terminal) == 1


COLOUR = rb"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|[34]8;[0-9;]+)(?:;[0-9;]*)?m"


def test_colours_unless_no_color(start):
    for changes, expects_colour in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = start(**changes)
        terminal.wait("VRAM 352 MB", where="bar")
        terminal.send("dog\r:ofload\r")
        terminal.wait("did you mean")
        assert bool(re.search(COLOUR, terminal.raw)) is expects_colour


def test_paths_are_links_with_the_host(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog\r")
    terminal.wait("3 photos in")
    assert re.search(
        rb"\x1b\]8;id=\d+;file://[^/]+/photos/photo-001\.jpg\x1b\\photo-001\.jpg\x1b\]8;;\x1b\\", terminal.raw
    )


def test_a_terminal_that_does_not_answer_has_the_state_in_the_prompt(start):
    terminal = start(answers=False)
    terminal.wait(r"\[VRAM\] photomap>$")
    terminal.send("dog\r")
    terminal.wait("3 photos in")
    terminal.wait(r"\[VRAM\] photomap>$")
    assert "WARNING" not in terminal.text


def test_no_answer_wanted_has_it_at_once(start):
    terminal = start(PROMPT_TOOLKIT_NO_CPR="1")
    terminal.wait(r"\[VRAM\] photomap>$")


def test_history_persists_and_the_arrow_searches_by_prefix(start):
    first = start()
    first.wait("VRAM 352 MB", where="bar")
    first.send("dog on grass\rcat\r\x04")
    assert first.exit_status() == 0
    second = start()
    second.wait("VRAM 352 MB", where="bar")
    second.send("do\x1b[A")
    second.wait("photomap> dog on grass")


def test_a_session_that_is_gone_is_opened_again(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("gone\r")
    terminal.wait("the session ended; a new one was opened")
    terminal.wait("3 photos in")


def test_a_library_that_cannot_be_opened_is_told_above_the_line_and_tried_again(start):
    terminal = start("--busy", 1, "--opening", 0.3)
    terminal.send("half a que")
    terminal.wait("the library is busy  hint: wait a moment\nphotomap> half a que")
    terminal.wait("✗ the library is busy", where="bar")
    terminal.send("ry\r")
    terminal.wait("3 photos in")


def test_a_note_at_the_start_stands_above_the_line_being_typed(start):
    terminal = start("--opening", 0.5, "--note", "a note to begin with")
    terminal.send("half a que")
    terminal.wait("a note to begin with\nphotomap> half a que")
    terminal.send("ry\r")
    terminal.wait("3 photos in")


def test_errors_are_lines_and_the_prompt_comes_back(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send('dog "bad\r')
    terminal.wait(r'a quote is not closed  hint: close it with "\n  dog "bad\n       \^')
    terminal.send("boom\r")
    terminal.wait("ValueError: a defect of two lines")
    terminal.send("dog\r")
    terminal.wait("3 photos in")


def test_completion_pops_up_for_commands(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send(":of")
    terminal.wait("free GPU memory now")
    terminal.send("\t\r")
    terminal.wait("RAM 0 B VRAM · offloaded 3 min ago; released in")


def test_lines_pasted_at_once_are_one_query(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("\x1b[200~dog on\ngrass\x1b[201~")
    terminal.wait("photomap> dog on\n *grass")
    assert "photos in" not in terminal.text
    terminal.send("\r")
    terminal.wait("3 photos in")
    terminal.send(":history\r")
    terminal.wait(r"  dog on\\ngrass\n")
    assert terminal.text.count("photos in") == 1


@pytest.mark.parametrize(("typed", "cells"), [("犬と猫", 6), ("e\u0301te\u0301", 3), ("犬" * 60, 120)])
def test_wide_and_combining_letters_keep_the_cursor_and_the_bar_in_place(start, typed, cells):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send(typed)
    rows, column = divmod(len(PROMPT) + cells, 100)
    terminal.wait_until(lambda: terminal.screen.cursor.x == column and terminal.screen.cursor.y >= rows, "the cursor")
    assert _bars(terminal) == 1
    terminal.send("\r")
    terminal.wait("3 photos in")


def test_values_of_the_library_pop_up(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog camera:n")
    terminal.wait('"NIKON Z 6" +900 photos')
    terminal.send("\t")
    terminal.wait('photomap> dog camera:"NIKON Z 6"')


def test_vi_keys_from_the_next_line_on(start):
    terminal = start()
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send(":set keys vi\r")
    terminal.wait("keys +vi +this prompt")
    terminal.send("a dog\x1b")
    terminal.wait_until(lambda: b"\x1b[2 q" in terminal.raw, "the block cursor of vi's commands")
    terminal.send("ddicat\r")
    terminal.wait("3 photos in")
    assert "photomap> cat" in terminal.text


def test_copy_reaches_the_terminals_clipboard(start):
    terminal = start(DISPLAY="", WAYLAND_DISPLAY="")
    terminal.wait("VRAM 352 MB", where="bar")
    terminal.send("dog\r:copy 2\r")
    terminal.wait("via the terminal")
    assert b"\x1b]52;c;" + base64.b64encode(b"/photos/photo-002.jpg") + b"\x07" in terminal.raw


def test_a_machine_without_a_card_says_so(start):
    terminal = start("--device", "cpu")
    terminal.wait("● RAM 352 MB cpu", where="bar")


def test_up_goes_to_earlier_lines_past_a_menu_that_nobody_entered(start):
    terminal = start()
    terminal.wait(PROMPT.strip())
    for line in (":k 5", ":k 6"):
        terminal.send(f"{line}\r")
        terminal.wait(f"{line[-1]} results per search\n{PROMPT.strip()}")
    terminal.send(":k")
    terminal.wait("number of results per search")
    terminal.send("\x1b[A")
    terminal.wait_until(lambda: terminal.cursor == (len(PROMPT) + 4, f"{PROMPT}:k 6"), "the last")
    terminal.send("\x1b[A")
    terminal.wait_until(lambda: terminal.cursor == (len(PROMPT) + 4, f"{PROMPT}:k 5"), "the one before")


def test_down_enters_the_menu_and_up_goes_back_in_it(start):
    first, second = [command.name for command in registry.COMMANDS if command.name.startswith("s")][:2]
    terminal = start()
    terminal.wait(PROMPT.strip())
    terminal.send(":s")
    terminal.wait(f":{second}")
    terminal.send("\x1b[B")
    terminal.wait_until(lambda: terminal.cursor[1] == f"{PROMPT}:{first}", "the first")
    terminal.send("\x1b[B")
    terminal.wait_until(lambda: terminal.cursor[1] == f"{PROMPT}:{second}", "the second")
    terminal.send("\x1b[A")
    terminal.wait_until(lambda: terminal.cursor[1] == f"{PROMPT}:{first}", "the first again")
