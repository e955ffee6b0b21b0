"""Owns verifying that a tower may stand in for the encoder process, and this computer's record of the outcome.

A tower is trusted because it gives what PyTorch gave of the probes.  Before PyTorch has run, it is trusted where the
configuration and the weights are all of a plain CLIP (`plain_clip`), and is compared as soon as there are probes.

The record is a file in the cache directory, named by the weights' fingerprint: where they are, how to read
them, and that the probes agreed, or why not.  It holds while the weights file is the one that was checked (by inode,
size and times); else the fingerprint is computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli import directories, files
from photomap_cli._version import __version__
from photomap_cli.encoder import models
from photomap_cli.encoder.fingerprint import WeightsFile
from photomap_cli.errors import TowerUnfit
from photomap_cli.framing import read_file, write_file

if TYPE_CHECKING:
    from photomap_cli.encoder.image_probes import ImageProbes
    from photomap_cli.encoder.image_recipe import ImageRecipe
    from photomap_cli.encoder.image_tower import ImageTower
    from photomap_cli.encoder.plain_clip import PlainClip
    from photomap_cli.encoder.probes import Probes
    from photomap_cli.encoder.text_recipe import TextRecipe
    from photomap_cli.encoder.text_tower import TextTower


MADE_BY = [__version__, np.__version__]  # other CPUs may compute differently, and check for themselves


class TextTowers:
    """How the towers that encode words are read and built."""

    name = "text"

    @staticmethod
    def of_model(model: PlainClip) -> TextRecipe:
        """Return the recipe of a plain CLIP."""
        return model.text

    @staticmethod
    def recipe(record: Any) -> TextRecipe:
        """Rebuild a recipe from JSON.  Raises TowerUnfit."""
        from photomap_cli.encoder.text_recipe import TextRecipe

        return TextRecipe.from_json(record)

    @staticmethod
    def build(weights: Path, recipe: TextRecipe) -> TextTower:
        """Return the tower over these weights.  Raises TowerUnfit, OSError."""
        from photomap_cli.encoder import bpe
        from photomap_cli.encoder.text_tower import TextTower

        table = bpe.table(recipe.vocabulary)
        tokenizer = bpe.Tokenizer(table, context_length=recipe.context_length, clean=recipe.clean)
        return TextTower(weights, recipe, tokenizer)

    @staticmethod
    def require_agreement(tower: TextTower, probes: Probes) -> None:
        """Raise TowerUnfit unless the tower gives PyTorch's vectors for the probes."""
        from photomap_cli.encoder.probes import require_agreement

        require_agreement(tower, probes)


class ImageTowers:
    """How the towers that encode pictures are read and built."""

    name = "image"

    @staticmethod
    def of_model(model: PlainClip) -> ImageRecipe:
        """Return the recipe of a plain CLIP."""
        return model.image

    @staticmethod
    def recipe(record: Any) -> ImageRecipe:
        """Rebuild a recipe from JSON.  Raises TowerUnfit."""
        from photomap_cli.encoder.image_recipe import ImageRecipe

        return ImageRecipe.from_json(record)

    @staticmethod
    def build(weights: Path, recipe: ImageRecipe) -> ImageTower:
        """Return the tower over these weights.  Raises TowerUnfit, OSError."""
        from photomap_cli.encoder.image_tower import ImageTower

        return ImageTower(weights, recipe)

    @staticmethod
    def require_agreement(tower: ImageTower, probes: ImageProbes) -> None:
        """Raise TowerUnfit unless the tower gives PyTorch's vectors for the probes."""
        from photomap_cli.encoder.image_probes import require_agreement

        require_agreement(tower, probes)


Kind = type[TextTowers | ImageTowers]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The outcome of a check: the weights and how to read them, or a fault.

    `is_proven` where probes have told, and not the configuration alone.
    """

    weights: str
    state: list[list[int] | None]
    recipe: Any
    fault: str
    is_proven: bool

    @property
    def is_current(self) -> bool:
        """Whether the weights file is the one that was checked."""
        return bool(self.weights) and _state(Path(self.weights)) == self.state


def open_text_tower(fingerprint: str, spec: str, read_probes: Callable[[], Probes | None]) -> TextTower:
    """Return the text tower of the weights with this fingerprint, once it is known to give PyTorch's vectors.

    Args:
        fingerprint: of the weights that made the library's vectors.
        spec: the encoder's spec string.
        read_probes: returns PyTorch's vectors of the probe texts; called if this computer hasn't checked them yet.

    Raises TowerUnfit if it can't stand in.
    """
    tower: TextTower = _opened(TextTowers, fingerprint, spec, read_probes)
    return tower


def open_image_tower(fingerprint: str, spec: str, read_probes: Callable[[], ImageProbes | None]) -> ImageTower:
    """Return the image tower of the weights with this fingerprint; as `open_text_tower`, by the probe pictures."""
    tower: ImageTower = _opened(ImageTowers, fingerprint, spec, read_probes)
    return tower


def expected_fingerprint(spec: str) -> str:
    """Return the fingerprint of the weights that a new library by this encoder has; "" where PyTorch has to tell."""
    from photomap_cli.encoder import plain_clip

    with suppress(TowerUnfit, OSError):
        return plain_clip.find(spec).fingerprint()
    return ""


def fault(fingerprint: str, kind: Kind = TextTowers) -> str | None:
    """Return why the tower can't stand in for these weights; "" if it can, None if that was never checked."""
    kept = _read(kind, fingerprint)
    return kept.fault if kept else None


def is_proven(fingerprint: str, kind: Kind = TextTowers) -> bool:
    """Whether probes have told, on this computer, if the tower can stand in for these weights."""
    kept = _read(kind, fingerprint)
    return kept is not None and kept.is_proven


def _opened(kind: Kind, fingerprint: str, spec: str, read_probes: Callable[[], Any]) -> Any:
    kept = _read(kind, fingerprint)
    if kept and kept.fault:
        raise TowerUnfit(kept.fault)
    try:
        probes = None if kept and kept.is_proven and kept.is_current else read_probes()
        if kept and kept.is_current and probes is None:
            return kind.build(Path(kept.weights), kept.recipe)
        return _checked(kind, fingerprint, spec, kept, probes)
    except OSError as error:
        raise TowerUnfit(f"its weights cannot be read: {error.strerror or error}") from error


def _checked(kind: Kind, fingerprint: str, spec: str, kept: _Verdict | None, probes: Any) -> Any:
    """Find the weights, verify their fingerprint, compare with the probes, and record the outcome."""
    if probes and probes.fingerprint != fingerprint:
        probes = None
    if probes and probes.recipe is None:
        _write(kind, fingerprint, _Verdict("", [], None, probes.why_not, is_proven=True))
        raise TowerUnfit(probes.why_not)
    recipe = kept.recipe if kept else probes.recipe if probes else _recipe_by_config(kind, spec)
    hints = [Path(each.weights) for each in (kept, probes) if each and each.weights]
    weights, state = _found(fingerprint, [*hints, *models.weights_files(spec)])
    proven = bool(probes) or (kept is not None and kept.is_proven)
    verdict = _Verdict(str(weights), state, recipe, "", proven)
    try:
        tower: Any = kind.build(weights, recipe)
        if probes:  # else they agreed earlier, and the same weights have moved; or there are none yet
            if recipe != probes.recipe:
                raise TowerUnfit("its configuration doesn't say how PyTorch reads its weights")
            kind.require_agreement(tower, probes)
    except TowerUnfit as error:
        _write(kind, fingerprint, replace(verdict, fault=error.message))
        raise
    _write(kind, fingerprint, verdict)
    return tower


def _recipe_by_config(kind: Kind, spec: str) -> Any:
    """Return the recipe that follows from the configuration.  Raises TowerUnfit if PyTorch has to tell."""
    from photomap_cli.encoder import plain_clip  # not for weights that are known here

    try:
        return kind.of_model(plain_clip.find(spec).model)
    except TowerUnfit as error:
        raise TowerUnfit(f"PyTorch hasn't been asked yet, and {error.message}") from error


def _found(fingerprint: str, candidates: list[Path]) -> tuple[Path, list[list[int] | None]]:
    """Return the first file with this fingerprint, and its state.  Raises TowerUnfit if none has it."""
    for path in dict.fromkeys(candidates):
        if not path.is_file():
            continue
        state = _state(path)
        with suppress(OSError, ValueError):
            if WeightsFile(path, models.config_beside(path)).fingerprint() == fingerprint and _state(path) == state:
                return path, state
            if WeightsFile(path).fingerprint() == fingerprint and _state(path) == state:
                return path, state
    raise TowerUnfit("the weights on disk are not those that made the library's vectors")


def _state(weights: Path) -> list[list[int] | None]:
    """Return the state of the weights file and the configuration beside it, as JSON values; None for a missing file."""
    now = (files.state(each) for each in (weights, models.config_beside(weights)))
    return [list(each) if each else None for each in now]


# What is remembered ---------------------------------------------------------------------------------------------------


def _path(kind: Kind, fingerprint: str) -> Path:
    return directories.cache_directory() / f"{kind.name}-tower-{fingerprint}"


def _read(kind: Kind, fingerprint: str) -> _Verdict | None:
    frame = read_file(_path(kind, fingerprint)) if fingerprint.isalnum() else None
    if frame is None or frame[0].get("made_by") != MADE_BY:
        return None
    try:
        record: dict[str, Any] = frame[0]["verdict"]
        recipe = kind.recipe(record["recipe"]) if record["recipe"] else None
        return _Verdict(**{**record, "recipe": recipe})
    except (TowerUnfit, KeyError, TypeError):
        return None


def _write(kind: Kind, fingerprint: str, verdict: _Verdict) -> None:
    with suppress(OSError):  # it is checked again next time
        write_file(_path(kind, fingerprint), {"made_by": MADE_BY, "verdict": asdict(verdict)})
