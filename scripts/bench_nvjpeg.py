"""Measures nvJPEG, as torchvision offers it, beside photomap's decode processes: is it right, and is it faster?

    python scripts/bench_nvjpeg.py [--photos N] [--batch N] [--device DEVICE]

Both decode drawn 12-megapixel JPEGs to the encoder's input size, and `tiny` encodes them on the CPU.  `speed` is photos
per second, with everything in memory or in the page cache: nvJPEG decodes and resizes whole batches on the device,
photomap decodes in one process per core, reduced, and makes digest and thumbnail besides.  `right` is, by kind of JPEG,
the cosine between the vectors of the same photo decoded by Pillow at full size and by each of the two.

Without a CUDA device nothing is measured; `--device cpu` runs torchvision's decoder for CPUs, to try the script.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from bench_photos import write_photos
from drawing.picture import make_picture
from PIL import Image, ImageFile, ImageOps
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms.v2 import functional

from photomap_cli import processors
from photomap_cli.encoder import gpu, openclip
from photomap_cli.encoder.models import open_clip_name
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit, fitted
from photomap_cli.images.thumbnail_cache import THUMBNAIL_PX

SIZE = (2400, 1800)
KINDS = ("plain", "turned", "grey", "CMYK", "progressive", "4:4:4", "cut off")
AT_LEAST = 0.995  # a cosine below this isn't the same photo's


def write_kinds(folder: Path) -> None:
    """Write one JPEG of each kind that decoders are known to get wrong."""
    picture, exif = make_picture("beach", seed=1, size=SIZE), Image.Exif()
    exif[0x0112] = 6  # orientation: lies on its side
    how = {"turned": {"exif": exif}, "progressive": {"progressive": True}, "4:4:4": {"subsampling": 0}}
    modes = {"grey": "L", "CMYK": "CMYK"}
    for kind in KINDS:
        picture.convert(modes.get(kind, "RGB")).save(folder / f"{kind}.jpg", quality=92, **how.get(kind, {}))
    whole = (folder / "cut off.jpg").read_bytes()
    (folder / "cut off.jpg").write_bytes(whole[: len(whole) * 7 // 10])


def by_nvjpeg(files: Sequence[bytes], fit: PixelFit, device: torch.device) -> torch.Tensor:
    """Decode and resize on the device.  Returns (n, height, width, 3) uint8 there."""
    data = [torch.frombuffer(bytearray(each), dtype=torch.uint8) for each in files]
    decoded = decode_jpeg(data, mode=ImageReadMode.RGB, device=device)
    height, width = fit.image_size
    resize, crop = functional.resize, functional.center_crop
    bicubic = functional.InterpolationMode.BICUBIC
    small = [crop(resize(each, [min(height, width)], bicubic, antialias=True), [height, width]) for each in decoded]
    return torch.stack(small).permute(0, 2, 3, 1).contiguous()


def whole(path: Path, fit: PixelFit) -> np.ndarray:
    """Decode with Pillow at full size, upright."""
    with Image.open(path) as image:
        return np.array(fitted(ImageOps.exif_transpose(image).convert("RGB"), fit))


def rightness(folder: Path, encoder: openclip.OpenClipEncoder, device: torch.device) -> Iterator[str]:
    """Yield a line for each kind of JPEG."""
    fit = PixelFit.of(encoder.info)
    with DecodePool() as pool:
        ways: dict[str, Callable[[Path], np.ndarray]] = {
            "nvJPEG": lambda path: by_nvjpeg([path.read_bytes()], fit, device).cpu().numpy()[0],
            "photomap": lambda path: pool.decode(path, fit).pixels,
        }
        for kind in KINDS:
            path = folder / f"{kind}.jpg"
            expected = encoder.encode_images(whole(path, fit)[None])[0]
            yield f"| {kind} | " + " | ".join(judged(way, path, encoder, expected) for way in ways.values()) + " |"


def judged(
    way: Callable[[Path], np.ndarray], path: Path, encoder: openclip.OpenClipEncoder, expected: np.ndarray
) -> str:
    """Return the cosine that a way of decoding reaches, or why it fails."""
    try:
        cosine = float(encoder.encode_images(np.array(way(path))[None])[0] @ expected)
    except Exception as error:  # whatever a decoder says is a result
        return f"refused: {str(error).splitlines()[0][:60]}"
    return f"{cosine:.4f}{'' if cosine >= AT_LEAST else ' WRONG'}"


def speeds(paths: Sequence[Path], fit: PixelFit, device: torch.device, batch: int) -> Iterator[tuple[str, float]]:
    """Yield photos per second by each way, after a round to warm up."""
    files, cores = [path.read_bytes() for path in paths], processors.usable()

    def on_device() -> None:
        for at in range(0, len(files), batch):
            by_nvjpeg(files[at : at + batch], fit, device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    yield f"torchvision on {device}", rate(on_device, len(files))
    with DecodePool(thumbnail_px=THUMBNAIL_PX) as pool, ThreadPoolExecutor(cores) as threads:
        pool.start(cores)
        yield "photomap", rate(lambda: list(threads.map(lambda path: pool.decode(path, fit), paths)), len(paths))


def rate(work: Callable[[], object], count: int) -> float:
    """Return how many photos per second some work does."""
    work()
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=128, help="how many to decode for the speed  [128]")
    parser.add_argument("--batch", type=int, default=32, help="how many nvJPEG decodes at once  [32]")
    parser.add_argument("--device", default="cuda:0", help="where torchvision decodes  [cuda:0]")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not gpu.is_expected():
        print("no CUDA device: nothing was measured")
        return 0
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # Pillow shows as much of a photo as there is
    warnings.filterwarnings("ignore", message=".*deprecated")  # torchvision's decoders are, since 0.29
    name, tag = open_clip_name("tiny")
    how = {"device": "cpu", "precision": "float32", "allow_download": False, "on_progress": lambda *_: None}
    encoder = openclip.load(spec="tiny", name=name, tag=tag, **how)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as home, suppress(KeyboardInterrupt):
        kinds, photos = Path(home) / "kinds", Path(home) / "photos"
        kinds.mkdir()
        write_kinds(kinds)
        print(f"| right | torchvision on {device} | photomap |\n|---|---:|---:|")
        for line in rightness(kinds, encoder, device):
            print(line, flush=True)
        write_photos(photos, options.photos)
        paths = sorted(photos.glob("*.jpg"))
        print(f"\n{options.photos} photos of 12 MP, {os.cpu_count()} cores, {device}:")
        for name, speed in speeds(paths, PixelFit.of(encoder.info), device, options.batch):
            print(f"{name}: {speed:.1f} photos/s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
