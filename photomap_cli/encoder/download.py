"""Owns downloading an encoder's weights from the model hub, looking in its cache first.  Child process only.

Once the files are on disk nothing touches the network: the hub's client is kept offline except while a file is missing.
"""

from __future__ import annotations

import functools
import socket
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from huggingface_hub import constants, hf_hub_download

from photomap_cli.encoder import model_config
from photomap_cli.errors import UnknownEncoder, WeightsMissing

if TYPE_CHECKING:
    _Names = tuple[str, ...]
    """Alternative names of one file."""

_SAFE_WEIGHTS, _WEIGHTS = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"
_REPORT_EVERY_BYTES = 1 << 20
_CONNECT_SECONDS = 5.0


def checkpoint(name: str, tag: str | None, *, allow_download: bool, on_progress: Callable[[int, int], None]) -> str:
    """Return the path of an encoder's weights, fetching them when they are not on disk.

    Args:
        name, tag: as open_clip takes them; see `models.open_clip_name`.
        allow_download: whether the network may be used.
        on_progress: called with bytes (done, total) during a download.

    Raises:
        UnknownEncoder: open_clip has no such model or tag, or a folder holds no weights.
        WeightsMissing: the weights are not on disk and could not be fetched.
    """
    _require_known(name, tag)
    constants.HF_HUB_OFFLINE = True
    if name.startswith("local-dir:"):
        return _in_folder(name)
    repository, files = _wanted(name, tag)
    try:
        return _on_disk(repository, files)
    except Exception as error:
        if not allow_download:
            raise _missing(name, tag, "downloads are not allowed here") from error
    try:
        _require_hub()
        return _fetched(repository, files, on_progress)
    except Exception as error:
        raise _missing(name, tag, str(error).strip().splitlines()[-1]) from error


def _missing(name: str, tag: str | None, reason: str) -> WeightsMissing:
    label = f"{name}/{tag}" if tag else name
    return WeightsMissing(
        f"the weights of {label} are not on disk and could not be fetched: {reason}",
        hint="connect to the network once, or try photomap with `photomap index --encoder tiny`",
    )


def _require_hub() -> None:
    """Raise OSError at once if the hub can't be reached; its client would try for up to a minute."""
    hub = urlsplit(constants.ENDPOINT)
    if urllib.request.getproxies():
        return  # only the proxy knows
    try:
        port = hub.port or (443 if hub.scheme == "https" else 80)
        socket.create_connection((hub.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise OSError(f"{hub.hostname} cannot be reached ({error.strerror or error})") from error


def _require_known(name: str, tag: str | None) -> None:
    import open_clip

    if name.startswith(("local-dir:", "hf-hub:")):
        return
    if name not in open_clip.list_models():
        raise UnknownEncoder(f"open_clip has no model {name!r}", hint="write MODEL/TAG as open_clip lists them")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if tag not in tags:
        raise UnknownEncoder(f"{name} has no weights {tag!r}", hint=f"open_clip has: {', '.join(tags) or 'none'}")


def config(name: str) -> Path | None:
    """Return the configuration that comes with a model's weights, which are on disk; None if it is open_clip's own."""
    kind, _, rest = name.partition(":")
    if kind == "local-dir":
        return Path(rest) / model_config.FILE_NAME
    return Path(_on_disk(rest, [(model_config.FILE_NAME,)])) if kind == "hf-hub" else None


def _in_folder(name: str) -> str:
    from open_clip import factory

    found = factory._find_checkpoint_in_dir(Path(name.removeprefix("local-dir:")))
    if found is None:
        raise UnknownEncoder(f"{name}: the folder holds no weights", hint="give the folder of an open_clip model")
    return str(found)


def _wanted(name: str, tag: str | None) -> tuple[str, list[_Names]]:
    """Return an encoder's repository on the hub and its files there, the weights last."""
    from open_clip import pretrained

    kind, _, rest = name.partition(":")
    if kind == "hf-hub":
        return rest, [(model_config.FILE_NAME,), _weights_names("")]
    place = pretrained.get_pretrained_cfg(name, tag).get("hf_hub")
    if not place:
        raise UnknownEncoder(f"the weights {tag!r} of {name} are not on the hub", hint="pip install -U open_clip_torch")
    repository, _, file = place.rpartition("/")
    return repository, [_weights_names(file)]


def _weights_names(file: str) -> _Names:
    """Return the possible names of a weights file, the best first; "" for the one that open_clip expects."""
    if file in ("", _WEIGHTS):
        return (_SAFE_WEIGHTS, _WEIGHTS)
    path = Path(file)
    return (f"{path.stem}.safetensors", file) if path.suffix in (".bin", ".pth") else (file,)


def _on_disk(repository: str, files: Sequence[_Names]) -> str:
    """Return the path of the last of these files; raises the hub client's error if one isn't in its cache."""
    return [_first(names, lambda one: hf_hub_download(repository, one, local_files_only=True)) for names in files][-1]


def _fetched(repository: str, files: Sequence[_Names], on_progress: Callable[[int, int], None]) -> str:
    """Fetch these files and return the path of the last.  Raises whatever the hub's client raises."""
    bar: Any = functools.partial(_ByteCounter, on_progress)
    constants.HF_HUB_OFFLINE = False
    try:
        return [_first(names, lambda one: hf_hub_download(repository, one, tqdm_class=bar)) for names in files][-1]
    finally:
        constants.HF_HUB_OFFLINE = True


def _first(names: _Names, get: Callable[[str], str]) -> str:
    """Return the path of a file under the first of its names that exists."""
    *better, last = names
    for name in better:
        with suppress(Exception):
            return get(name)
    return get(last)


class _ByteCounter:
    """Replaces the tqdm bar that downloaders expect, and reports bytes instead of drawing."""

    def __init__(self, on_progress: Callable[[int, int], None], *_: Any, **options: Any) -> None:
        self._report = on_progress
        self.total, self.n = int(options.get("total") or 0), int(options.get("initial") or 0)
        self._reported = -_REPORT_EVERY_BYTES

    def update(self, count: float | None = 1) -> None:
        """Count bytes; report about once a MiB and at the end."""
        self.n += int(count or 0)
        if self.n - self._reported >= _REPORT_EVERY_BYTES or self.n == self.total:
            self._reported = self.n
            self._report(self.n, self.total)

    def close(self) -> None:
        """Do nothing; there is no bar to remove."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None  # set_description, refresh and other methods of a bar

    def __enter__(self) -> _ByteCounter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
