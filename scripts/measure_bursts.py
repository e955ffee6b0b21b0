"""Measures which cosine separates shots of one burst from other pictures of the same kind, with the embedded encoder.

A burst is a drawn scene with variations like those of a hand-held camera: the frame moves by up to 2 %, the exposure by
up to 5 %, and the JPEG quality varies.  It is compared with pictures of the same kind from other seeds, which are the
most similar ones that aren't in the burst.

    python scripts/measure_bursts.py [--bursts N] [--shots N]
"""

from __future__ import annotations

import argparse
import io
import random

import numpy as np
from drawing.picture import make_picture
from drawing.scene import KINDS
from PIL import Image, ImageEnhance

from photomap_cli.encoder.process import EncoderProcess

THRESHOLDS = (0.90, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99)
SIZE = (480, 360)


def shot(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return one shot of a burst."""
    wide, high = picture.size
    room = 0.02
    left, top = rng.uniform(0, 2 * room) * wide, rng.uniform(0, 2 * room) * high
    box = (left, top, left + wide * (1 - 2 * room), top + high * (1 - 2 * room))
    moved = picture.resize(picture.size, Image.Resampling.BICUBIC, box)
    lit = ImageEnhance.Brightness(moved).enhance(rng.uniform(0.95, 1.05))
    file = io.BytesIO()
    lit.save(file, "JPEG", quality=rng.randint(75, 92))
    return Image.open(file)


def main() -> None:
    """Draw, encode and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bursts", type=int, default=120)
    parser.add_argument("--shots", type=int, default=5)
    options = parser.parse_args()
    kinds, rng = sorted(KINDS), random.Random(1)
    scenes = [make_picture(kinds[number % len(kinds)], seed=number, size=SIZE) for number in range(options.bursts)]
    encoder = EncoderProcess("tiny", device="cpu")
    side = encoder.load().image_size[::-1]
    shots = [shot(scene, rng).resize(side, Image.Resampling.BICUBIC) for scene in scenes for _ in range(options.shots)]
    vectors = encoder.encode_images(np.stack([np.asarray(picture) for picture in shots]))
    encoder.close()
    cosines = vectors @ vectors.T
    burst = np.arange(len(shots)) // options.shots
    same_kind = (burst[:, None] % len(kinds)) == (burst[None, :] % len(kinds))
    upper = np.triu(np.ones(cosines.shape, bool), 1)
    together, strangers = burst[:, None] == burst[None, :], burst[:, None] != burst[None, :]
    groups = {
        "shots of one burst": cosines[upper & together],
        "same kind, other scene": cosines[upper & strangers & same_kind],
        "other kinds": cosines[upper & strangers & ~same_kind],
    }
    print(f"| share of pairs at or above | {' | '.join(f'{each:.2f}' for each in THRESHOLDS)} | pairs |")
    print(f"|---|{'---:|' * (len(THRESHOLDS) + 1)}")
    for name, values in groups.items():
        shares = " | ".join(f"{100 * np.mean(values >= each):.2f} %" for each in THRESHOLDS)
        print(f"| {name} | {shares} | {len(values)} |")


if __name__ == "__main__":
    main()
