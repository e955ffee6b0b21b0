"""Draw the photos that `photomap demo` copies: python scripts/draw_demo_photos.py (half a minute on one core)."""

from __future__ import annotations

import shutil
from pathlib import Path

from drawing.library import write_demo_library

PHOTOS = Path(__file__).parents[1] / "photomap_cli" / "demo_photos"
LONG_SIDE, QUALITY = 640, 76  # 3 MB in all; 8 MB at 960 pixels


def main() -> None:
    """Replace the shipped photos."""
    shutil.rmtree(PHOTOS, ignore_errors=True)
    paths = write_demo_library(PHOTOS, long_side=LONG_SIDE, quality=QUALITY)
    print(f"{len(paths)} photos, {sum(path.stat().st_size for path in paths) / 1e6:.1f} MB, in {PHOTOS}")


if __name__ == "__main__":
    main()
