"""Owns what a shell's Tab offers beyond what Typer knows by itself: encoders, settings and their values.

Paths are left to the shell, which knows them better.
"""

from __future__ import annotations

from collections.abc import Iterator

import typer  # noqa: TC002  likewise


def encoders(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the encoders that start with `typed`, each with a description."""
    from photomap_cli.encoder import models

    for model in models.KNOWN:
        if model.spec.startswith(incomplete):
            yield model.spec, model.about


def settings(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the settings that start with `typed`, each with a description."""
    from photomap_cli.settings import Settings

    for name, field in Settings.model_fields.items():
        if name.startswith(incomplete):
            yield name, field.description or ""


def values(context: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield the values of the setting that the command line names, if they can be listed."""
    from photomap_cli.settings import Settings, choices

    key = context.params.get("key")
    if key == "encoder":
        yield from (spec for spec, _ in encoders(incomplete))
    elif key in Settings.model_fields:
        yield from (value for value in choices(key) if value.startswith(incomplete))
