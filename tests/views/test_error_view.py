import errno

import pytest

from photomap_cli.errors import BadQuery, UsageError
from photomap_cli.views.errors import error_line, error_text


def test_message_and_hint_are_one_line():
    assert error_text(UsageError("no such\nthing", hint="try :help")).plain == "no such thing  hint: try :help"


@pytest.mark.parametrize(
    ("text", "position", "shown", "column"),
    [
        ('dog "cat', 4, 'dog "cat', 4),
        ("海海 bad", 3, "海海 bad", 5),
        ("dog", 99, "dog", 3),
        ("dog", -1, "dog", 0),
        ("x" * 100 + "bad", 100, "…" + "x" * 50 + "bad", 51),
        ("bad" + "x" * 67, 0, "bad" + "x" * 67, 0),
        ("bad" + "x" * 68, 0, "bad" + "x" * 67 + "…", 0),
        ("x" * 51 + "bad" + "y" * 20, 51, "…" + "x" * 50 + "bad" + "y" * 17 + "…", 51),
        ("a\x1bbad", 2, r"a\ebad", 3),
    ],
)
def test_the_caret_is_under_the_place(text, position, shown, column):
    _, query, caret = error_text(BadQuery("wrong", position=position), text).plain.split("\n")
    assert query == f"  {shown}"
    assert caret == f"  {' ' * column}^"


def test_what_the_system_refuses_is_no_bug():
    told = "/a/b: permission denied  hint: check its permissions, and the disk it is on"
    assert error_line(PermissionError(errno.EACCES, "Permission denied", "/a/b")) == told
    assert error_line(OSError(errno.EIO, "Input/output error", "/a/b")).startswith("/a/b: input/output error  hint")


def test_other_exceptions_start_with_their_kind():
    assert error_line(ValueError("a\nb\x1b")) == r"ValueError: a b\e"
    assert error_line(BadQuery("wrong", hint="so")) == "wrong  hint: so"
