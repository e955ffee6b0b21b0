"""What photomap says to its user follows the one rule in CONTRIBUTING.md, wherever in the code it is written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from photomap_cli import errors

PACKAGE = Path(__file__).parents[1] / "photomap_cli"
SAYING = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
TELLING = {"tell", "notices", "ValueError"}  # a ValueError's words become those of an error
OPENING = re.compile(r"[A-Z][a-z]+\b(?! GPU)")
BARE_COMMAND = re.compile(r"(?<!`)\bphotomap (?:index|search|config|status|serve|stop|offload|doctor|demo|encoders)\b")


def texts(node):
    """Yield what an expression may say; the parts that are not known stand as `{}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))


def said(tree):
    """Yield (text, line) of every error, hint and notice in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            spoken = [keyword.value for keyword in node.keywords if keyword.arg == "hint"]
            spoken += node.args[:1] if name in SAYING | TELLING else node.args[2:4] if name == "Check" else []
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "hint":
            spoken = [node.value]
        else:
            continue
        yield from ((text, node.lineno) for part in spoken for text in texts(part))


def fault(text):
    """Return what of the rule a text breaks; nothing if it keeps it."""
    if text.endswith(".") and not text.endswith("..."):
        return "ends in a period"
    if OPENING.match(text):
        return "begins with a capital"
    if ". " in text:
        return "holds a sentence"
    command = BARE_COMMAND.search(text)
    return "names a command without backticks" if command and command.start() else ""


FILES = sorted(path for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_errors_hints_and_notices_are_written_in_one_style(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [(line, text, fault(text)) for text, line in said(tree) if fault(text)] == []


ROOMS = ("cli", "search", "session", "terminal")  # in library/ a BadImage is the reason of a file that failed
TO_MEND = {name for name in SAYING if getattr(errors, name).exit_status == 2}


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name in ROOMS], ids=lambda path: path.name)
def test_what_a_user_can_mend_comes_with_a_hint(path):
    without = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        has_synopsis = path.parent.name == "terminal" and name == "UsageError"  # that of the prompt's command
        if name in TO_MEND and not has_synopsis and "hint" not in [keyword.arg for keyword in node.keywords]:
            without.append((node.lineno, ast.unparse(node)))
    assert without == []


def test_there_are_texts_to_look_at():
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in FILES)
    assert sum(len(list(said(tree))) for tree in trees) > 250


@pytest.mark.parametrize(
    "text", ["There is none", "there is none.", "there is none. Make one", "run photomap index again"]
)
def test_other_styles_are_noticed(text):
    assert fault(text)


@pytest.mark.parametrize("text", ["photomap index ~/Pictures", "`photomap index` makes one", "JPEG only", "{} is none"])
def test_the_style_is_let_pass(text):
    assert not fault(text)
