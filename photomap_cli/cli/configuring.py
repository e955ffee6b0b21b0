"""Owns the commands about choices: `config` and `encoders`."""

from __future__ import annotations

from typing import Annotated

import typer

from photomap_cli import directories
from photomap_cli.cli.app import Globals, app, make_console
from photomap_cli.cli.ending import FOUND

config_app = typer.Typer()
app.add_typer(config_app, name="config")


@app.command()
def encoders() -> int:
    """List encoders: size, licence, which are on disk.

    Any other open_clip model can be used as well.
    """
    from rich.table import Table

    from photomap_cli.encoder import models
    from photomap_cli.terminal.figures import human_bytes

    chosen = models.resolve("auto")
    table = Table(box=None, pad_edge=False)
    for heading in ("encoder", "dim", "size", "licence", "on disk", ""):
        table.add_column(heading)
    for model in models.KNOWN:
        here = "this host's default; " if model.spec == chosen else ""
        size, on_disk = human_bytes(model.weight_bytes), "yes" if model.is_on_disk else "no"
        table.add_row(model.spec, str(model.dim), size, model.licence, on_disk, here + model.about)
    make_console().print(table)
    print("also: MODEL/TAG as open_clip lists them, hf-hub:ORG/NAME, local-dir:/PATH")
    return FOUND


@config_app.callback(invoke_without_command=True)
def config(context: typer.Context) -> int:
    """Show every setting, its value and where it came from; or change one."""
    if context.invoked_subcommand:
        return FOUND
    from rich.table import Table

    from photomap_cli.settings import Settings, shown

    given: Globals = context.obj
    loaded = given.settings()
    table = Table(box=None, pad_edge=False)
    for heading in ("setting", "value", "from", ""):
        table.add_column(heading, overflow="fold")
    for name, field in Settings.model_fields.items():
        table.add_row(name, shown(getattr(loaded.values, name)), loaded.origins[name], field.description or "")
    make_console().print(table)
    return FOUND


@config_app.command("path")
def config_path() -> int:
    """Print where config.toml is, or would be."""
    print(directories.config_file())
    return FOUND


@config_app.command("set", context_settings={"ignore_unknown_options": True})  # so that -1 is a value
def config_set(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A setting's name.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its new value.")],
) -> int:
    """Write one setting to config.toml, keeping what else is there."""
    from photomap_cli.settings import write_value

    print(f"{key} = {write_value(directories.config_file(), key, value)}")
    return FOUND
