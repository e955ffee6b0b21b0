"""What photomap says to its user follows the one rule in CONTRIBUTING.md, wherever in the code it is written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import messages

from photomap_cli import errors

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "photomap_cli"
OPENING = re.compile(r"[A-Z][a-z]+\b(?! GPU)")
BARE_COMMAND = re.compile(r"(?<!`)\bphotomap (?:index|search|config|status|serve|stop|offload|doctor|demo|encoders)\b")


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


def test_errors_hints_and_notices_are_written_in_one_style():
    texts = [each for each in messages.all_messages() if each.kind in {"error", "hint", "notice"}]
    assert len(texts) > 250
    assert [(each.path.name, each.line, each.text, fault(each.text)) for each in texts if fault(each.text)] == []


ROOMS = {"cli", "search", "session", "repl"}  # in images/ a BadImage is the reason of a file that failed
TO_MEND = {name for name in messages.ERRORS if getattr(getattr(errors, name, None), "exit_status", None) == 2}


def test_what_a_user_can_mend_comes_with_a_hint():
    paths = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    assert {path.parts[0] for path in paths} >= ROOMS
    without = []
    for path in (each for each in paths if each.parts[0] in ROOMS):
        for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
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


BANNED = re.compile(
    r"page-lock|one-shot|\banew\b|\blikewise\b|\b[Ww]hoever\b|\bgoes? on (?:from|answering)\b"
    r"|(?<!there )(?<!There )\b(?:is|are) no (?!longer)"
)
"""What reads as translated, or is a word of ours: there is a plainer one for each."""


OUR_WORDS = re.compile(r"catalogue\b|\{\}-d\b")
"""What docs for engineers may say and messages may not: a person has a library, and vectors of a length."""


def test_what_people_read_is_plain_english():
    said = messages.all_messages()
    found = [f"{each.path.name}:{each.line}: {each.text}" for each in said if BANNED.search(each.text)]
    found += [f"{each.path.name}:{each.line}: {each.text}" for each in said if OUR_WORDS.search(each.text)]
    subjects = re.compile(r"\b(?:Check|_check)\(\"([^\"]+)\"")
    checked = {each for path in PACKAGE.rglob("*.py") for each in subjects.findall(path.read_text(encoding="utf-8"))}
    assert checked >= {"library", "encoder"}
    found += [each for each in checked if OUR_WORDS.search(each)]
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        lines = enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        found += [f"{page.name}:{number}: {line}" for number, line in lines if BANNED.search(line)]
    assert found == []
