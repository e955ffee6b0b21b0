"""What photomap says to its user follows the one rule in CONTRIBUTING.md, wherever in the code it is written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

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


TREES = {path.relative_to(PACKAGE): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}


def test_errors_hints_and_notices_are_written_in_one_style():
    texts = [(str(path), line, text) for path, tree in TREES.items() for text, line in said(tree)]
    assert len(texts) > 250
    assert [(path, line, text, fault(text)) for path, line, text in texts if fault(text)] == []


ROOMS = {"cli", "search", "session", "repl"}  # in images/ a BadImage is the reason of a file that failed
TO_MEND = {name for name in SAYING if getattr(errors, name).exit_status == 2}


def test_what_a_user_can_mend_comes_with_a_hint():
    rooms = {path.parts[0] for path in TREES}
    assert rooms >= ROOMS
    without = []
    for path, tree in TREES.items():
        for node in ast.walk(tree) if path.parts[0] in ROOMS else ():
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            has_synopsis = path.parts[0] == "repl" and name == "UsageError"  # that of the prompt's command
            if name in TO_MEND and not has_synopsis and "hint" not in [keyword.arg for keyword in node.keywords]:
                without.append((str(path), node.lineno, ast.unparse(node)))
    assert without == []


def test_other_styles_are_noticed():
    others = ("There is none", "there is none.", "there is none. Make one", "run photomap index again")
    assert [text for text in others if not fault(text)] == []
    ours = ("photomap index ~/Pictures", "`photomap index` creates one", "JPEG only", "{} is none")
    assert [text for text in ours if fault(text)] == []
