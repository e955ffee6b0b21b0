"""The encoder process over a pretended card and without torch, which dies when the test wants it to.

DEATHS is a folder: a file in it that is called as a request is takes the process with it when that request comes.
What is asked of the encoder is written into the file `calls` there.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_encoder import GPU, FakeEncoder

from photomap_cli.encoder import worker

DEATHS = Path(os.environ["DEATHS"])


class Mortal(worker.Worker):
    """Looks before each request whether it is the last one."""

    def answer(self, message, payload):
        with suppress(FileNotFoundError):
            (DEATHS / message["op"]).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        super().answer(message, payload)


class Recorded(FakeEncoder):
    def _do(self, name):
        with (DEATHS / "calls").open("a") as calls:
            calls.write(f"{name}\n")
        super()._do(name)


def load(**_how):
    encoder = Recorded(GPU)
    encoder.alive, encoder.wants_pinning, encoder.trim = True, False, lambda: None
    return encoder


if __name__ == "__main__":
    sys.modules["photomap_cli.encoder.openclip"] = SimpleNamespace(load=load)
    sys.modules["photomap_cli.encoder.lazy_imports"] = SimpleNamespace(import_open_clip=lambda name: None)
    worker.Worker = Mortal
    worker.main()
