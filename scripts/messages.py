"""Prints a table of everything that photomap says: errors, hints, notices, help and other texts, by file and line.

For reviewing the wording: `scripts/messages` prints Markdown, `scripts/messages error hint` only these kinds.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "photomap_cli"
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
ERRORS |= {"ValueError"}  # its message becomes part of an error
NOTICES = {"tell", "notices"}
KINDS = ("error", "hint", "notice", "help", "text")
LOOKS_LIKE_WORDS = re.compile(r"[a-z]{2,}[,:;]? [a-z({]")
LOOKS_LIKE_CODE = re.compile(r"^(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ATTACH|[ \n]*(SELECT|CREATE))|[{]%|</|::")


class Message(NamedTuple):
    """A text for users, with `{}` for what is only known at run time."""

    path: Path
    line: int
    kind: str
    text: str


def texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may evaluate to."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))


def _of_call(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    name = ast.unparse(node.func).rpartition(".")[2]
    yield from ((each.arg, each.value) for each in node.keywords if each.arg in {"hint", "help"})
    if name in ERRORS | NOTICES | {"say"}:
        kind = "error" if name in ERRORS else "text" if name == "say" else "notice"
        yield from ((kind, each) for each in node.args[:1])
    elif name == "Check":
        yield from zip(("notice", "hint"), node.args[2:4], strict=False)


def _docstrings(nodes: list[ast.AST]) -> set[int]:
    bodies = [node.body for node in nodes if isinstance(getattr(node, "body", None), list)]
    return {id(each.value) for body in bodies for each in body if isinstance(each, ast.Expr)}


def messages(path: Path) -> list[Message]:
    """Return the messages in a file, in the order of its lines."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    found, seen = [], _docstrings(nodes)
    for node in nodes:
        spoken = list(_of_call(node)) if isinstance(node, ast.Call) else []
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "hint":
            spoken.append(("hint", node.value))
        for kind, part in spoken:
            seen.update(id(each) for each in ast.walk(part))
            found += [Message(path, part.lineno, kind, text) for text in texts(part)]
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            seen.update(id(part) for part in node.values)
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in seen:
            found += [Message(path, node.lineno, "text", text) for text in texts(node) if _is_prose(text)]
    return sorted(set(found), key=lambda each: (each.line, each.kind, each.text))


@functools.cache
def all_messages() -> list[Message]:
    """Return the messages of the whole package, file by file."""
    return [message for path in sorted(PACKAGE.rglob("*.py")) for message in messages(path)]


def _is_prose(text: str) -> bool:
    return bool(LOOKS_LIKE_WORDS.search(text)) and not LOOKS_LIKE_CODE.search(text)


def main(kinds: list[str]) -> None:
    """Print the table."""
    for path in sorted(PACKAGE.rglob("*.py")):
        rows = [each for each in messages(path) if each.kind in (kinds or KINDS)]
        if rows:
            print(f"\n## {path.relative_to(PACKAGE)}\n\n| line | kind | text |\n|---:|---|---|")
        for each in rows:
            text = each.text.strip().replace("\n", " / ").replace("|", "\\|")
            print(f"| {each.line} | {each.kind} | {text} |")


if __name__ == "__main__":
    main(sys.argv[1:])
