"""Owns the settings: their names, defaults and limits, and where each value came from.

Precedence: flags > `PHOTOMAP_*` environment variables > config.toml > defaults.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from photomap_cli import constraints, files
from photomap_cli.errors import BadSetting
from photomap_cli.records.residency import LONGEST_TIMEOUT_SECONDS
from photomap_cli.setting_parsers import echo, encoder_spec, folders_by_name, list_of_globs, one_line

ENVIRONMENT = "PHOTOMAP_"
_NO_SETTINGS = frozenset(
    {"PHOTOMAP_LIBRARY", "PHOTOMAP_CONFIG", "PHOTOMAP_LIBRARY_TOKEN"}
)  # imported by users of this module
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_LIST = "`photomap config` lists the settings"
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([smhdw]?)", re.ASCII)
_LONGEST_CONFIG_BYTES = 1 << 20


def parse_duration(value: object) -> float:
    """Return seconds from `30`, `30s`, `5m`, `1h`, `1d`, `1w`, or 0 from `off` and `never`.

    Raises:
        ValueError: with the reason, for negative or very long durations and anything else.
    """
    text = str(value).strip().lower() if isinstance(value, str) else ""
    if text in ("off", "never"):
        return 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds: float = value
    elif match := _DURATION.fullmatch(text):
        seconds = float(match[1]) * _UNITS[match[2]]
    elif text.startswith("-"):
        raise ValueError(f"{echo(value)} is negative; a timeout is 0 (never) or more seconds")
    else:
        raise ValueError(f"{echo(value)} isn't a duration; write seconds (30, 30s), 5m, 2h, 1d, or 0 for never")
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{echo(value)} is negative or not finite; a timeout is 0 (never) or more seconds")
    if seconds > LONGEST_TIMEOUT_SECONDS:
        days = LONGEST_TIMEOUT_SECONDS / 86_400
        raise ValueError(f"{echo(value)} is longer than {days:.0f} days, the most there is; 0 is never")
    return float(seconds)


def _number(value: object) -> object:
    """Refuse what Python accepts as a number but people don't."""
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} isn't a number")
    if isinstance(value, str) and not value.isascii():
        raise ValueError(f"{echo(value)} isn't a number; write it in the digits 0 to 9")
    return value


def _auto_or_number(value: object) -> object:
    """Turn the text of a number into a number; leave `auto` and everything else for validation."""
    _number(value)
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value.strip().lower()


def _device_name(value: object) -> str:
    """Check a device name; `cuda` means `cuda:0`."""
    text = str(value).strip().lower()
    if text == "cuda":
        return "cuda:0"
    if re.fullmatch(r"auto|cpu|mps|cuda:\d{1,3}", text, re.ASCII):
        return text
    raise ValueError(f"{echo(value)} isn't a device; choose auto, cuda:0 (or another number), mps or cpu")


def _template(value: object) -> str:
    """Check a text template: it must have one place for the text."""
    text = str(one_line(value))
    if text.count("{}") != 1:
        raise ValueError(f"{echo(text)} must hold {{}} once, where the words of a search go")
    return text


Duration = Annotated[float, BeforeValidator(parse_duration)]
Score = Annotated[float, Field(ge=-1.0, le=1.0)]
Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]


class Settings(BaseSettings):
    """Every setting, with its default.  The descriptions are what `photomap config` and the docs show."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT, extra="ignore", frozen=True)

    encoder: Annotated[str, BeforeValidator(encoder_spec)] = Field(
        "auto", description="encoder for new libraries (see `photomap encoders`)"
    )
    device: Annotated[str, BeforeValidator(_device_name)] = Field("auto", description="auto, cuda:N, mps or cpu")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="precision of the weights")
    text_encoder: Literal["auto", "torch", "tower"] = Field(
        "auto",
        description="what encodes words: auto = no PyTorch where no GPU is ready and the vectors are the same",
    )
    encoder_idle_timeout_seconds: Duration = Field(30.0, description="idle time until GPU memory is freed; 0 = never")
    encoder_release_timeout_seconds: Duration = Field(600.0, description="idle time until it leaves RAM too; 0 = never")
    keep_warm: Duration = Field(
        0.0,
        description="how long a search without a session leaves one running; 0 = not at all",
    )
    prewarm: bool = Field(True, description="load the encoder as soon as you start typing")
    pin_memory: Literal["auto", "never"] = Field("auto", description="pin RAM for faster copies to a GPU")
    results: Whole = Field(10, ge=1, le=10_000, description="results per search")
    min_score: Annotated[Literal["auto"] | Score, BeforeValidator(_auto_or_number)] = Field(
        "auto", description="hide results scoring below this; auto = chosen for the encoder"
    )
    text_template: Annotated[str, BeforeValidator(_template)] = Field(
        "{}", description="text around the words of a search, such as `a photo of {}`; {} = just the words"
    )
    private_addresses: bool = Field(
        False, description="allow example pictures from this computer and private networks (http://192.168...)"
    )
    collapse: bool = Field(False, description="show only the best of several shots of the same thing")
    same_shot_score: Number = Field(0.97, gt=0, le=1, description="score from which two photos count as the same shot")
    exclude: Annotated[tuple[str, ...], NoDecode, BeforeValidator(list_of_globs)] = Field(
        (), description="patterns that are never indexed, as in .gitignore"
    )
    max_image_megapixels: Annotated[
        Literal["auto"] | Annotated[float, Field(gt=0, le=1e6)], BeforeValidator(_auto_or_number)
    ] = Field("auto", description="larger pictures are skipped; auto = depends on free memory")
    previews: Literal["auto", "on", "off", "kitty", "iterm2", "sixel", "octants", "sextants", "quadrants", "blocks"] = (
        Field(
            "auto", description="results as pictures: auto = at the prompt, on = also in `search`, or a way of drawing"
        )
    )
    thumbnail_cache_megabytes: Number = Field(512.0, ge=0, le=1e9, description="disk space for thumbnails; 0 = none")
    query_cache: Whole = Field(
        2000, ge=0, le=1_000_000, description="past searches kept, so that they need no encoder (3 kB each); 0 = none"
    )
    watch: Literal["auto", "on", "off"] = Field(
        "auto",
        description="sessions find new photos by themselves; auto = network drives once a minute, on = all alike",
    )
    keys: Literal["emacs", "vi"] = Field("emacs", description="keys at the prompt: emacs or vi")
    roots: Annotated[dict[str, str], NoDecode, BeforeValidator(folders_by_name)] = Field(
        {}, description="where a shared library's folders are on this computer: NAME=FOLDER, ..."
    )
    library_token_file: Annotated[str, BeforeValidator(one_line)] = Field(
        "", description="file with USER:PASSWORD for a shared library; nobody else may be able to read it"
    )
    library_ca_file: Annotated[str, BeforeValidator(one_line)] = Field(
        "", description="certificate that a shared library's server is checked by; empty = the system's"
    )
    library_insecure: bool = Field(False, description="allow a shared library without encryption on another computer")
    shared_probe: Number = Field(
        1.0,
        ge=0.01,
        le=1,
        description="share of a large shared library that a search without filters goes through; less is faster, and "
        "misses some",
    )

    @property
    def thumbnail_cache_bytes(self) -> int:
        """The most bytes of thumbnails on disk."""
        return int(self.thumbnail_cache_megabytes * 1_000_000)

    @property
    def megapixel_limit(self) -> float | None:
        """The largest picture that is decoded, in megapixels; None to let free memory decide."""
        return None if self.max_image_megapixels == "auto" else self.max_image_megapixels

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values only from the initialiser: `load` passes in the merged sources."""
        return (init_settings,)


@dataclass(frozen=True)
class LoadedSettings:
    """Settings and, for each name, where its value came from: "flag", "environment", "config.toml" or "default"."""

    values: Settings
    origins: Mapping[str, str]


def read_config(path: Path) -> dict[str, Any]:
    """Return the values in config.toml; empty if there is no such file.

    Raises:
        BadSetting: the file is unreadable, isn't TOML, or has an unknown key.
    """
    try:
        values = tomllib.loads(_text(path))
    except files.NotPlain as error:
        raise BadSetting(
            f"{path} is not a regular file", hint="move it away, or name another by PHOTOMAP_CONFIG"
        ) from error
    except (FileNotFoundError, NotADirectoryError):  # HOME=/dev/null
        return {}
    except (OSError, ValueError, RecursionError) as error:
        is_text = not isinstance(error, UnicodeDecodeError)
        reason = (getattr(error, "strerror", None) or error) if is_text else "it isn't UTF-8"
        raise BadSetting(f"{path}: {reason}", hint="fix the file or move it away") from error
    for name in values:
        require_known(name, where=str(path))
    return values


def _text(path: Path) -> str:
    """Return the content of a file; empty for /dev/null, which stands for no settings.  Raises OSError, ValueError."""
    if str(path) == os.devnull:
        return ""
    with files.reading(path) as file:
        content = file.read(_LONGEST_CONFIG_BYTES + 1)
    if len(content) > _LONGEST_CONFIG_BYTES:
        raise ValueError("longer than a megabyte")
    return content.decode()


def require_known(name: str, *, where: str = "") -> None:
    """Raise BadSetting, with the nearest name as hint, unless `name` is a setting."""
    if name not in Settings.model_fields:
        raise BadSetting(f"{where + ': ' if where else ''}there is no setting {name!r}", hint=_nearest(name))


def unknown_variables(environment: Iterable[str]) -> list[BadSetting]:
    """Return an error for every variable that looks like a setting but isn't; they needn't be raised."""
    known = {f"{ENVIRONMENT}{name}".upper() for name in Settings.model_fields} | _NO_SETTINGS
    names = sorted(name for name in environment if name.upper().startswith(ENVIRONMENT) and name.upper() not in known)
    return [BadSetting(f"{name} names no setting", hint=_nearest(name, prefix=ENVIRONMENT)) for name in names]


def _nearest(name: str, *, prefix: str = "") -> str:
    """Return a hint for an unknown name: the most similar setting."""
    import difflib

    near = difflib.get_close_matches(name.lower().removeprefix(prefix.lower()), Settings.model_fields, 1)
    return f"did you mean {prefix}{near[0].upper() if prefix else near[0]}?" if near else _LIST


def load(config: Path, flags: Mapping[str, Any] | None = None) -> LoadedSettings:
    """Merge all sources.  `flags` maps setting names to values; None means not given.

    Raises:
        BadSetting: a value is invalid; the message names the setting, its origin and the reason.
    """
    layers = (
        ("config.toml", read_config(config)),
        ("environment", EnvSettingsSource(Settings)()),
        ("flag", {name: value for name, value in (flags or {}).items() if value is not None}),
    )
    merged: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, values in layers:
        merged.update(values)
        origins.update(dict.fromkeys(values, origin))
    return LoadedSettings(_validated(merged, origins), origins)


def _validated(values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        origin = origins.get(name, "")
        subject = f"{name} ({origin})" if origin else name
        reason = first.get("ctx", {}).get("error")  # a validator in this module has already said it
        message = f"{subject}: {reason}" if reason else f"{subject} takes {_allowed(name)}, not {echo(values[name])}"
        raise BadSetting(message, hint=_hint(name, origin)) from error


def _allowed(name: str) -> str:
    """Return in words what a setting may be."""
    field = Settings.model_fields[name]
    return constraints.words(field.annotation, field.metadata)


def _hint(name: str, origin: str) -> str:
    """Return a hint for a refused value: where to change it, else what the setting is for."""
    ways = {
        "environment": f"change or unset {ENVIRONMENT}{name.upper()}",
        "config.toml": f"`photomap config set {name} VALUE` fixes it",
    }
    return ways.get(origin, f"{name}: {Settings.model_fields[name].description}")


def parsed_value(name: str, text: str) -> Any:
    """Parse a text as a setting's value.  Raises BadSetting for an unknown name or an invalid value."""
    require_known(name)
    return getattr(_validated({name: text}, {}), name)


def choices(name: str) -> tuple[str, ...]:
    """Return a setting's possible values as they are written, if there are few."""
    kind = Settings.model_fields[name].annotation
    if kind is bool:
        return ("true", "false")
    return tuple(value for value in constraints.literals(kind) if isinstance(value, str))


def shown(value: object) -> str:
    """Return a setting's value as people write it."""
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, dict):
        return ", ".join(f"{name}={folder}" for name, folder in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_value(config: Path, name: str, text: str) -> object:
    """Set a value in config.toml, keeping its comments, and return the parsed value.

    Raises:
        BadSetting: the name is unknown or the value invalid; the file stays unchanged.
    """
    import tomlkit

    value = parsed_value(name, text)
    read_config(config)
    config = Path(os.path.realpath(config))  # a link, as into a collection of dotfiles, stays a link
    document = tomlkit.parse(_text(config)) if config.exists() else tomlkit.document()
    document[name] = list(value) if isinstance(value, tuple) else value
    try:
        content = tomlkit.dumps(document).encode()
        files.make_folder(config.parent)
        if files.is_other(config):
            raise files.NotPlain(config)
        with files.replacing(config) as file:
            file.write(content)
    except UnicodeEncodeError as error:
        raise BadSetting(f"{name}: {echo(text)} isn't UTF-8", hint="config.toml holds nothing else") from error
    except OSError as error:
        raise BadSetting(
            f"{config} cannot be written: {error.strerror}", hint="PHOTOMAP_CONFIG names another"
        ) from error
    return value
