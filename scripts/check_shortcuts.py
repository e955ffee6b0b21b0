"""Measures how much each shortcut of indexing changes a vector: the lowest cosine over all photos, for each format.

The reference is a photo decoded at full size, resized by open_clip's own transform and encoded by PyTorch in float32.
It is compared with JPEGs decoded at a fraction of their size, photomap's own resizing, weights in bfloat16, the image
tower in numpy, and all that an index run does together.  Photos are drawn in every format; yours are only read.

    python scripts/check_shortcuts.py [--encoder SPEC]... [--photos N] [FOLDER]...
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import open_clip
import torch
from bench_photos import KINDS
from drawing.picture import make_picture
from PIL import Image

from photomap_cli.encoder import openclip
from photomap_cli.encoder.image_tower import ImageTower
from photomap_cli.encoder.models import open_clip_name
from photomap_cli.errors import BadImage
from photomap_cli.images import decode, icc
from photomap_cli.images.preprocess import PixelFit, fitted

SHORTCUTS = ("reduced", "resizing", "bfloat16", "tower", "all")
SIZE = (2400, 1800)
FORMATS = {
    **{"jpg": {"quality": 90}, "png": {}, "webp": {"quality": 85}, "gif": {}, "tif": {"compression": "tiff_lzw"}},
    **{"jp2": {"irreversible": True, "quality_mode": "dB", "quality_layers": [42]}, "avif": {"quality": 75}, "bmp": {}},
}


@dataclass(frozen=True)
class Encoders:
    """One encoder, computed in three ways."""

    float32: openclip.OpenClipEncoder
    bfloat16: openclip.OpenClipEncoder
    tower: ImageTower
    transform: Any

    @classmethod
    def of(cls, spec: str) -> Encoders:
        """Load it."""
        exact = _load(spec, "float32")
        probes = exact.image_probes()
        if probes.recipe is None:
            raise SystemExit(f"{spec}: {probes.why_not}")
        _, _, transform = open_clip.create_model_and_transforms(open_clip_name(spec)[0], load_weights=False)
        return cls(exact, _load(spec, "bfloat16"), ImageTower(Path(probes.weights), probes.recipe), transform)

    def reference(self, image: Image.Image) -> np.ndarray:
        """Encode a picture at full size, as open_clip does."""
        with torch.inference_mode():
            row = self.float32._model.encode_image(self.transform(image)[None])  # type: ignore[operator]
            return torch.nn.functional.normalize(row.float(), dim=-1).numpy()[0]  # type: ignore[no-any-return]


def _load(spec: str, precision: str) -> openclip.OpenClipEncoder:
    name, tag = open_clip_name(spec)
    how: dict[str, Any] = {"device": "cpu", "precision": precision, "allow_download": False}
    return openclip.load(spec=spec, name=name, tag=tag, on_progress=lambda *_: None, **how)


def cosines(path: Path, encoders: Encoders) -> dict[str, float]:
    """Return for each shortcut the cosine of a photo's vector with the reference."""
    fit = PixelFit.of(encoders.float32.info)
    whole: list[Image.Image] = []

    def kept(image: Image.Image, fit: PixelFit) -> Image.Image:
        whole.append(image)
        return fitted(image, fit)

    with mock.patch.multiple(decode, draft_size=lambda size, *_, **__: size, fitted=kept):
        exact = _pixels(decode.read(path, fit))
    reduced = _pixels(decode.read(path, fit, decode.ReadOptions(thumbnail_px=320)))
    image = icc.in_srgb(whole[0], whole[0].info.get("icc_profile"))
    reference = encoders.reference(image)
    made = {
        "reduced": encoders.float32.encode_images(reduced),
        "resizing": encoders.float32.encode_images(exact),
        "bfloat16": encoders.bfloat16.encode_images(exact),
        "tower": encoders.tower.encode(exact),
        "all": encoders.bfloat16.encode_images(reduced),
    }
    return {name: float(rows[0] @ reference) for name, rows in made.items()}


def _pixels(picture: decode.Picture) -> np.ndarray:
    return np.array(picture.image)[None]


def drawn(folder: Path, count: int) -> None:
    """Draw pictures in every format that can be written here."""
    for number in range(count):
        picture = make_picture(KINDS[number % len(KINDS)], seed=number, size=SIZE)
        grain = np.random.default_rng(number).normal(0, 6, (SIZE[1], SIZE[0], 1))
        picture = Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8))
        for ending, options in FORMATS.items():
            picture.save(folder / f"{number}.{ending}", **options)


def table(paths: Sequence[Path], encoders: Encoders) -> Iterator[str]:
    """Yield the lines of a Markdown table with the lowest cosines, a row for each format."""
    kinds: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        ending = path.suffix[1:].lower()
        kinds[{"jpeg": "jpg", "tiff": "tif", "heif": "heic"}.get(ending, ending)].append(path)
    yield f"| format | photos | {' | '.join(SHORTCUTS)} |"
    yield f"|---|{'---:|' * (1 + len(SHORTCUTS))}"
    for kind in sorted(kinds):
        if found := list(measured(kinds[kind], encoders)):
            lowest = (f"{min(each[name] for each in found):.5f}" for name in SHORTCUTS)
            yield f"| {kind} | {len(found)} | {' | '.join(lowest)} |"


def measured(paths: Sequence[Path], encoders: Encoders) -> Iterator[dict[str, float]]:
    """Yield the cosines of each photo that can be read."""
    for path in paths:
        try:
            yield cosines(path, encoders)
        except BadImage as error:
            print(f"{path.name}: {error.message}", file=sys.stderr)


def main() -> int:
    """Print a table for each encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="photos of yours, read only")
    parser.add_argument("--encoder", action="append", metavar="SPEC", help="can be repeated  [tiny]")
    parser.add_argument("--photos", type=int, default=8, help="how many to draw in each format  [8]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        drawn(Path(home), options.photos)
        paths = [path for folder in (Path(home), *options.folders) for path in sorted(folder.rglob("*"))]
        for spec in options.encoder or ["tiny"]:
            print(f"\n{spec}\n")
            for line in table([path for path in paths if path.is_file()], Encoders.of(spec)):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
