"""Owns errors of usage: Typer's complaints about a command line, in photomap's words.

Typer's own errors are told apart by their attributes; it has none for an unknown command or unexpected arguments,
so `Group` and `Command` check for those.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from photomap_cli import constraints
from photomap_cli.errors import UsageError

if TYPE_CHECKING:
    import typer


_OF_FOLDERS = ("index", "duplicates")
_SAYS_WHAT_FOR = "folder"  # --in, where it is read
_NEARLY_AS_ALIKE = 0.08  # --jso is --json (0.91) or --jsonl (0.83), but --limt is --limit (0.92) and not --in (0.8)


class Command(TyperCommand):
    """A command that reports wrong usage in photomap's words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of a command line; raises UsageError."""
        ctx.allow_extra_args = True  # to be refused here
        with _in_our_words(ctx):
            given = list(args)
            rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            _refuse_empty(given, ctx)
        if rest and not ctx.resilient_parsing:
            words = "unexpected argument" if len(rest) == 1 else "unexpected arguments"
            raise UsageError(f"{words}: {' '.join(rest)}", hint=_help(ctx))
        return rest


class Group(TyperGroup):
    """The same for a group of commands."""

    command_class = Command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words up to a command's name; raises UsageError."""
        with _in_our_words(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the first word names; raises UsageError."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise _refusal(f"there is no command {name!r}", ctx, difflib.get_close_matches(name, self.commands))
        return super().resolve_command(ctx, args)


def _refuse_empty(words: list[str], context: Any) -> None:
    """Refuse an empty word where a name belongs, as an unset shell variable gives; a Path takes it for this folder."""
    before_names = words[: words.index("--")] if "--" in words else words
    empty = {name for name, value in pairwise(before_names) if not value}
    empty |= {word[:-1] for word in before_names if word.startswith("--") and word.endswith("=")}
    for option in context.command.params:
        name = next(iter(empty.intersection(option.opts)), "")
        if name and option.param_type_name == "option" and not option.is_flag and option.name != _SAYS_WHAT_FOR:
            raise UsageError(f"{name} needs a value", hint=_help(context))
    if "" in words and context.info_name in _OF_FOLDERS:
        raise UsageError("an empty name is not a folder", hint=_help(context))


@contextmanager
def _in_our_words(context: typer.Context) -> Iterator[None]:
    """Raise Typer's errors as UsageError."""
    from typer.exceptions import TyperException

    try:
        yield
    except TyperException as error:
        raise _translated(error, context) from error


def _refusal(message: str, context: typer.Context, near: list[str]) -> UsageError:
    """Return an error whose hint is what may have been meant, else the command's help."""
    return UsageError(message, hint=f"did you mean {constraints.one_of(near)}?" if near else _help(context))


def _help(context: typer.Context) -> str:
    return f"{context.command_path} --help"


def _translated(error: Exception, context: Any) -> UsageError:
    match error:
        case object(option_name=name, possibilities=near):
            return _refusal(f"there is no option {name}", context, _nearest(name, near or ()))
        case object(option_name=name):
            message = f"{name} takes {'no' if _option(name, context).is_flag else 'a'} value"
        case object(param=param, param_type=_):
            message = f"{context.info_name} needs {_name(param)}"
        case object(param=param, __cause__=Exception() as cause) if hasattr(cause, "errors"):
            message = f"{_name(param)} takes {_allowed(param)}, not {cause.errors()[0]['input']!r}"
        case _:
            text = str(getattr(error, "message", error))
            message = f"{text[:1].lower()}{text[1:]}".rstrip(".")
    return _refusal(message, context, [])


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the options that resemble this one, without those that do so much less than the nearest."""
    likeness = {each: difflib.SequenceMatcher(None, name, each).ratio() for each in known}
    return sorted(each for each, ratio in likeness.items() if ratio >= max(likeness.values()) - _NEARLY_AS_ALIKE)


def _option(name: str, context: Any) -> Any:
    return next(each for each in context.command.params if name in (*each.opts, *each.secondary_opts))


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
