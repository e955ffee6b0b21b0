"""Owns how an encoder's weights get on disk: open_clip's own download, asked of the disk first.  Child process only.

Once the files are on disk nothing touches the network: the hub's client is kept offline except while a file is missing.
"""

from __future__ import annotations

import functools
import socket
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from photomap_cli.encoder import model_config
from photomap_cli.errors import UnknownEncoder, WeightsMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    try:
        with _hub(offline=True):
            return _path(name, tag)
    except Exception as error:
        if name.startswith("local-dir:"):
            raise UnknownEncoder(f"{name}: {error}", hint="give the folder of an open_clip model") from error
        if not allow_download:
            raise _missing(name, tag, "downloads are not allowed here") from error
    try:
        _require_hub()
        with _hub(offline=False, on_progress=on_progress):
            return _path(name, tag)
    except Exception as error:
        raise _missing(name, tag, str(error).strip().splitlines()[-1]) from error


def _missing(name: str, tag: str | None, reason: str) -> WeightsMissing:
    label = f"{name}/{tag}" if tag else name
    return WeightsMissing(
        f"the weights of {label} are not on disk and could not be fetched: {reason}",
        hint="connect to the network once; `photomap index --encoder tiny` tries photomap with the embedded one",
    )


def _require_hub() -> None:
    """Raise OSError at once when the hub cannot be reached: its client would try for up to a minute."""
    from huggingface_hub import constants

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


def _path(name: str, tag: str | None) -> str:
    """Return the weights' path by open_clip's own functions, downloading as the hub's client is set."""
    from open_clip import factory, pretrained

    kind, _, rest = name.partition(":")
    if kind == "local-dir":
        found = factory._find_checkpoint_in_dir(factory.Path(rest))
        if found is None:
            raise FileNotFoundError("the folder holds no weights")
        return str(found)
    if kind == "hf-hub":
        pretrained.download_pretrained_from_hf(rest, filename="open_clip_config.json")
        return str(pretrained.download_pretrained_from_hf(rest))
    return str(pretrained.download_pretrained(pretrained.get_pretrained_cfg(name, tag)))


def config(name: str) -> Path | None:
    """Return the configuration that comes with a model's weights, which are on disk; None where it is open_clip's."""
    from open_clip import pretrained

    kind, _, rest = name.partition(":")
    if kind == "local-dir":
        return Path(rest) / model_config.FILE_NAME
    if kind != "hf-hub":
        return None
    with _hub(offline=True):
        return Path(pretrained.download_pretrained_from_hf(rest, filename=model_config.FILE_NAME))


@contextmanager
def _hub(*, offline: bool, on_progress: Callable[[int, int], None] = lambda *_: None) -> Iterator[None]:
    """Run open_clip's downloads with the network off, or on and reporting bytes; offline again afterwards."""
    import huggingface_hub.constants
    from open_clip import pretrained

    bar = functools.partial(_ByteCounter, on_progress)
    fetch, url_bar, url_fetch = pretrained.hf_hub_download, pretrained.tqdm, pretrained.urllib.request.urlopen
    huggingface_hub.constants.HF_HUB_OFFLINE = offline
    pretrained.hf_hub_download = functools.partial(fetch, tqdm_class=bar)
    pretrained.tqdm = bar
    if offline:
        pretrained.urllib.request.urlopen = _refuse
    try:
        yield
    finally:
        huggingface_hub.constants.HF_HUB_OFFLINE = True
        pretrained.hf_hub_download, pretrained.tqdm = fetch, url_bar
        pretrained.urllib.request.urlopen = url_fetch


def _refuse(url: str, *_: object) -> None:
    raise FileNotFoundError(f"{url} is not on disk")


class _ByteCounter:
    """Stands where the downloaders expect a tqdm bar, and reports bytes instead of drawing."""

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
        """Do nothing; there is no bar to take away."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None  # set_description, refresh and whatever else a bar can do

    def __enter__(self) -> _ByteCounter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
