"""The encoder process over a pretended card: a second CPU buffer stands for VRAM, and moving takes a moment."""

import time

from photomap_cli.encoder import devices, worker
from photomap_cli.encoder.weights import Weights

devices.name = lambda device: ("pretended card", True)
really_move = Weights.to_device


def to_device(self, tower):
    time.sleep(0.02)  # long enough to be killed in
    really_move(self, tower)
    time.sleep(0.02)


Weights.to_device = to_device

if __name__ == "__main__":
    worker.main()
