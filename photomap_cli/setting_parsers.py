"""Owns parsing the values of settings: texts, lists, tables; and quoting those it refuses.  Knows no settings.

Invalid values raise ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

ROOT_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{1,63}"
"""What a shared library's root is called, as a regular expression: one letter would be a drive of Windows."""

_LONGEST_TEXT = 4096  # letters; a path is no longer
_LONGEST_ECHO = 40  # letters of a value shown in a message
_FROM_ROOT = re.compile(r"[/\\~]|[A-Za-z]:[/\\]")
_ENCODER = re.compile(r"auto|tiny|local-dir:.+|hf-hub:.+|[^:/]+/.*[^/]")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def echo(value: object) -> str:
    """Return a refused value for a message: quoted, and shortened."""
    try:
        text = str(value)
    except ValueError:  # a number with thousands of digits
        return "a number that long"
    text = text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"
    return repr(text) if isinstance(value, str) else text


def one_line(value: object) -> object:
    """Refuse text that can't be stored, sent or shown on one line."""
    if isinstance(value, str) and _UNPRINTABLE.search(value):
        raise ValueError(f"{echo(value)} holds control characters or bytes that aren't text")
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise ValueError(f"{echo(value)} is longer than {_LONGEST_TEXT} letters")
    return value


def encoder_spec(value: object) -> object:
    """Refuse what doesn't have the form of an encoder's spec string; whether it exists is found out on opening it."""
    if isinstance(one_line(value), str) and not _ENCODER.fullmatch(str(value)):
        raise ValueError(
            f"{echo(value)} isn't an encoder; write auto, tiny, MODEL/TAG, hf-hub:ORG/NAME or local-dir:/PATH"
        )
    return value


def list_of_globs(value: object) -> object:
    """Accept a string, all that the environment and `config set` can give: with commas, or a list as in config.toml."""
    if isinstance(value, str):
        value = _listed(value) if value.strip().startswith("[") and value.strip().endswith("]") else value.split(",")
        value = [part.strip() if isinstance(part, str) else part for part in value]
        value = [part for part in value if part != ""]
    for glob in value if isinstance(value, (list, tuple)) else ():
        if isinstance(one_line(glob), str):
            _require_glob(glob)
    return value


def _listed(text: str) -> list[object]:
    """Return the items of a list written as in config.toml, or in JSON; `[ab]` isn't a list but a glob."""
    import tomllib

    try:
        return list(tomllib.loads(f"listed = {text}")["listed"])
    except (ValueError, RecursionError):
        return list(text.split(","))


def _require_glob(glob: str) -> None:
    from pathspec import GitIgnoreSpec  # 20 ms that few settings need

    try:
        GitIgnoreSpec.from_lines([glob])
    except (ValueError, re.error) as error:
        raise ValueError(f"{echo(glob)} isn't a pattern as in .gitignore") from error


def folders_by_name(value: object) -> dict[str, str]:
    """Check where a shared library's roots are here: a table, or `NAME=FOLDER, NAME=FOLDER`."""
    if isinstance(value, str):
        pairs = [part.strip().partition("=") for part in str(one_line(value)).split(",") if part.strip()]
        if wrong := next((name for name, separator, _ in pairs if not separator), None):
            raise ValueError(f"{echo(wrong)} isn't NAME=FOLDER")
        value = {name.strip(): folder.strip() for name, _, folder in pairs}
    if not isinstance(value, Mapping):
        raise ValueError(f"{echo(value)} isn't a table of NAME = FOLDER")
    for name, folder in value.items():
        _require_root(name, folder)
    return dict(value)


def _require_root(name: object, folder: object) -> None:
    if not isinstance(name, str) or not re.fullmatch(ROOT_NAME, name, re.ASCII):
        raise ValueError(f"{echo(name)} isn't a root's name, which has two or more letters, digits, dots, - or _")
    if not isinstance(one_line(folder), str) or not _FROM_ROOT.match(str(folder)):
        raise ValueError(f"{name}: {echo(folder)} isn't a folder from the root of a disk on")
