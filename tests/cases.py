"""One test for one idea, however many cases it has: all are tried, and those that fail are named together."""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Iterable

import pytest


def cases(names: str | tuple[str, ...], values: Iterable[object]) -> Callable:
    """Have a test try every case by itself.  As `pytest.mark.parametrize`, whose cases count as a test each.

    Fixtures are made once for all cases, so what a case changes has to be where no other looks.
    """
    arguments, values = (names,) if isinstance(names, str) else names, list(values)
    assert values, "there are no cases"

    def decorate(test: Callable) -> Callable:
        @functools.wraps(test)
        def try_all(**fixtures: object) -> None:
            def check(case: object) -> None:
                given = case if len(arguments) > 1 else (case,)
                test(**fixtures, **dict(zip(arguments, given, strict=True)))

            if failed := failures(check, values):
                raise AssertionError(f"{len(failed)} of {len(values)} cases fail:\n" + "\n".join(failed))

        parameters = inspect.signature(test).parameters.values()
        kept = [parameter for parameter in parameters if parameter.name not in arguments]
        assert len(kept) + len(arguments) == len(parameters), f"the test does not take {names}"
        try_all.__signature__ = inspect.Signature(kept)
        return try_all

    return decorate


def failures(check: Callable[[object], object], values: Iterable[object]) -> list[str]:
    """Return which cases fail, and where and why."""
    failed = []
    for case in values:
        try:
            check(case)
        except (Exception, pytest.fail.Exception) as error:
            line = traceback.extract_tb(error.__traceback__)[-1].lineno
            failed.append(f"{case!a}, line {line}: {type(error).__name__}: {error}")
    return failed
