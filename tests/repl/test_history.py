import pytest
from test_repl_loop import CTRL_C, CTRL_R, ENTER, UP, Prompt

DOWN, LEFT, CTRL_U, BACKSPACE, ALT_FIRST, ALT_LAST = "\x1b[B", "\x1b[D", "\x15", "\x7f", "\x1b<", "\x1b>"
EARLIER = ("alpha one", "beta two", ":k", "gamma three")


@pytest.fixture
def prompt(tmp_path):
    return Prompt(tmp_path)


@pytest.fixture
def last_line(prompt, monkeypatch):
    """Type some keys after some earlier lines; return the line that they made."""

    def typed(keys, earlier=EARLIER):
        asked = []
        monkeypatch.setattr("photomap_cli.repl.commands.registry.answer", lambda state, line: asked.append(line))
        prompt.type("".join(f"{line}{ENTER}" for line in earlier) + keys + ENTER)
        return asked[-1]

    return typed


@pytest.mark.parametrize(
    ("times", "line"), [(1, "gamma three"), (2, ":k"), (3, "beta two"), (4, "alpha one"), (9, "alpha one")]
)
def test_up_goes_through_every_earlier_line(last_line, times, line):
    assert last_line(UP * times) == line


@pytest.mark.parametrize("keys", ["", "be", "beta twx" + LEFT, "nothing like it", ":", "beta two", "two\n lines"])
def test_down_comes_back_to_what_was_typed(last_line, keys):
    pasted = f"\x1b[200~{keys}\x1b[201~" if "\n" in keys else keys
    marked = last_line(pasted + UP * 9 + DOWN * 9 + "!")
    assert marked == keys.removesuffix(LEFT) + "!"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("a" + UP * 3, "alpha one"),
        ("b" + UP, "beta two"),
        (":k" + UP, ":k"),
        ("gamma" + LEFT * 4 + UP, "gamma three"),
        ("nothing like it" + UP * 3, "nothing like it"),
        ("alphA" + LEFT + UP, "alpha one"),
    ],
)
def test_what_is_typed_filters(last_line, keys, line):
    assert last_line(keys) == line


def test_each_line_comes_once_however_often_it_was_asked(last_line):
    earlier = ("cat", "dog one", "cat", "dog two", "dog one", "cat")
    assert last_line("dog" + UP, earlier) == "dog one"
    assert last_line("dog" + UP * 2, earlier) == "dog two"
    assert last_line(UP * 3, earlier) == "dog two"


def test_a_whole_line_that_others_begin_with_is_a_prefix_too(last_line):
    assert last_line("dog" + UP, ("dog on grass", "cat", "dog")) == "dog on grass"
    assert last_line("cat" + UP * 2, ("dog on grass", "cat", "dog")) == "cat"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (UP + "X" + UP * 3, "alpha one"),  # goes on from where it stood
        (UP + "X" + UP + DOWN, "gamma threeX"),
        (UP * 4 + CTRL_U + "ga" + UP, "gamma three"),  # a new line
        (UP * 4 + CTRL_U + "ga" + UP + DOWN, "ga"),
        (UP * 4 + CTRL_U + UP, "gamma three"),
        (UP * 3 + BACKSPACE * 3 + UP, "beta two"),
        ("be" + UP + "X" + UP, "alpha one"),
        ("be" + UP + "X" + DOWN * 9, "be"),
        (UP * 2 + LEFT + UP * 2, "alpha one"),
    ],
)
def test_a_line_that_was_brought_back_can_be_changed(last_line, keys, line):
    assert last_line(keys) == line


def test_a_changed_line_leaves_history_as_it_was(last_line):
    assert last_line(UP * 4 + CTRL_U + "b" + UP * 3 + DOWN + CTRL_U + UP * 4) == "alpha one"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (CTRL_R + "two" + ENTER + UP, "alpha one"),
        (CTRL_R + "two" + ENTER + DOWN * 2, "gamma three"),
        ("ga" + UP + CTRL_R + "two" + ENTER + UP, "alpha one"),
        ("x" + CTRL_R + "two" + ENTER + UP, "alpha one"),
        (CTRL_R + "two" + ENTER + DOWN * 9 + "y", "y"),
        (CTRL_R + "o" + CTRL_R + ENTER, "alpha one"),
        (ALT_FIRST + DOWN, "beta two"),
        (UP * 2 + ALT_LAST + "x", "x"),
    ],
)
def test_a_line_found_by_searching_filters_nothing(last_line, keys, line):
    assert last_line(keys) == line


def test_lines_of_several_rows_are_gone_through_row_by_row(last_line):
    paste = "\x1b[200~two\nrows\x1b[201~"
    earlier = ("alpha one", paste, "gamma three")
    assert last_line(UP * 2, earlier) == "two\nrows"
    assert last_line(UP * 4, earlier) == "alpha one"
    assert last_line(UP * 4 + DOWN * 3, earlier) == "gamma three"


def test_the_arrows_of_vi_do_the_same(prompt):
    prompt.type(":set keys vi" + ENTER + "".join(f"{line}{ENTER}" for line in EARLIER) + "\x1b" + "k" * 4 + ENTER)
    assert prompt.queries[-1] == "alpha one"


def test_history_of_an_earlier_start_comes_back_in_the_same_way(tmp_path):
    Prompt(tmp_path).type("".join(f"{line}{ENTER}" for line in (*EARLIER, "alpha one")))
    second = Prompt(tmp_path)
    second.type(UP * 4 + CTRL_C + UP * 4 + ENTER)
    assert second.queries == ["beta two"]
