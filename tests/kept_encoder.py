"""One encoder process for all tests that want the embedded encoder: PyTorch takes 2 s to start."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.session import encoder_choice


class KeptProcess(EncoderProcess):
    """An encoder process that stays when a session lets it go: the next load finds it there."""

    def rest_after(self, idle, release):
        pass

    def release(self):
        pass

    def close(self):
        pass


class KeptProcesses:
    """Gives sessions the encoder processes that others have had; those of other encoders are their own."""

    def __init__(self):
        self._kept, self._own = {}, encoder_choice.process

    def process(self, spec, settings):
        if spec != "tiny":
            return self._own(spec, settings)
        key = (settings.device, settings.precision)
        if key not in self._kept:
            self._kept[key] = KeptProcess(spec, device=settings.device, precision=settings.precision)
        return self._kept[key]

    @contextmanager
    def used(self):
        """Have every session of this process use them."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(encoder_choice, "process", self.process)
            yield

    def close(self):
        for each in self._kept.values():
            EncoderProcess.release(each)
