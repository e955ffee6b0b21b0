"""Owns how wrong usage is told: what Typer says of a command line, in photomap's words."""

from __future__ import annotations

import difflib
import re
from enum import Enum
from typing import TYPE_CHECKING, Any

from photomap_cli import constraints
from photomap_cli.errors import UsageError

if TYPE_CHECKING:
    import typer

_NO_COMMAND = re.compile(r"No such command '(.*?)'\.")
_TOO_MANY = re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", re.DOTALL)


def translated(error: typer.exceptions.TyperException) -> UsageError:
    """Return photomap's error for one of Typer's; the hint names what was meant, or the command's help."""
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "photomap")
    told, near = _told(error, context)
    return UsageError(told, hint=f"did you mean {constraints.one_of(near)}?" if near else f"{path} --help")


def _told(error: Any, context: Any) -> tuple[str, list[str]]:
    """Return what is wrong, and the words that may have been meant."""
    said, kind = error.format_message(), type(error).__name__
    if kind == "NoSuchOption":
        return f"there is no option {error.option_name}", sorted(error.possibilities or ())
    if kind == "BadOptionUsage":
        return f"{error.option_name} takes {'no' if 'not take' in said else 'a'} value", []
    if kind == "MissingParameter":
        return f"{_name(error.param)} is missing", []
    if kind == "BadParameter" and error.__cause__ is not None:
        given = error.__cause__.errors()[0]["input"]
        return f"{_name(error.param)} takes {_allowed(error.param)}, not {given!r}", []
    if match := _NO_COMMAND.match(said):
        return f"there is no command {match[1]!r}", difflib.get_close_matches(match[1], context.command.commands)
    if match := _TOO_MANY.fullmatch(said):
        return f"too many words: {match[1]}", []
    return f"{said[:1].lower()}{said[1:]}".rstrip("."), []


def _name(parameter: Any) -> str:
    """Return the option's longest name, or an argument as the help has it."""
    is_option = parameter.param_type_name == "option"
    return str(max(parameter.opts, key=len) if is_option else parameter.metavar or parameter.name.upper())


def _allowed(parameter: Any) -> str:
    """Return in words what an option may be."""
    runtime = parameter.get_runtime_param()
    kind, limits = runtime.annotation, runtime.parameter_info
    if isinstance(kind, type) and issubclass(kind, Enum):
        return constraints.one_of([str(member.value) for member in kind])
    if kind in (int, float):
        return constraints.number(whole=kind is int, at_least=limits.min, at_most=limits.max)
    return constraints.words(kind)
