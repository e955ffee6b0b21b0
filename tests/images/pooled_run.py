"""Owns an index run in a process of its own that is killed while files hang: pooled_run.py PROCESSES PHOTO..."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit

WORKER = Path(__file__).with_name("misbehaving_worker.py")

if __name__ == "__main__":
    processes, *photos = sys.argv[1:]
    with (
        DecodePool(seconds=1, command=[sys.executable, "-P", str(WORKER), processes]) as pool,
        ThreadPoolExecutor() as threads,
    ):
        for photo in photos:
            threads.submit(pool.decode, Path(photo), PixelFit((8, 8)))
