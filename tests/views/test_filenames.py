import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photomap_cli.views.filenames import file_link, shown_path
from photomap_cli.views.output import printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain.jpg", "plain.jpg"),
        ("Überfahrt 海 👨‍👩‍👧.jpg", "Überfahrt 海 👨‍👩‍👧.jpg"),
        ("a\x1b[31m.jpg", r"a\e[31m.jpg"),
        ("a\nb\tc\r.jpg", r"a\nb\tc\r.jpg"),
        ("\x7f\x9b.jpg", r"\x7f\x9b.jpg"),
        (os.fsdecode(b"\xff.jpg"), r"\xff.jpg"),
        ("gpj\u202eexe.jpg", r"gpj\u202eexe.jpg"),
        ("\u2028.jpg", r"\u2028.jpg"),
    ],
)
def test_what_could_break_a_terminal_is_escaped(name, shown):
    assert printable(name) == shown


@given(st.text())
def test_printable_text_is_one_line_and_can_be_encoded(text):
    assert len(printable(text).splitlines()) <= 1
    printable(text).encode()


def test_paths_are_relative_inside_the_folder_only():
    assert shown_path("/photos/a/b.jpg", Path("/photos")) == "a/b.jpg"
    assert shown_path("/other/b.jpg", Path("/photos")) == "/other/b.jpg"


def test_links_name_the_host_and_keep_every_byte():
    assert file_link("/a b/" + os.fsdecode(b"\xff#.jpg")) == f"file://{socket.gethostname()}/a%20b/%FF%23.jpg"


@pytest.mark.skipif(os.name == "nt", reason="Windows has Unicode names in every locale")
def test_a_link_can_be_made_in_a_locale_that_lacks_the_letters():
    program = "from photomap_cli.views.filenames import file_link; print(file_link('/\\xe9\\u5199.jpg'))"
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **locale}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("/%C3%A9%E5%86%99.jpg")
