"""Owns a session's encoders: the encoder process and the towers, each with its residency, and the routes to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from photomap_cli.encoder.encoder_route import EncoderRoute, EncoderRoutes
from photomap_cli.encoder.residency import Residency
from photomap_cli.session import encoder_status

if TYPE_CHECKING:
    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.library.entities import LibraryEncoder
    from photomap_cli.records import EncoderInfo
    from photomap_cli.settings import Settings


class SessionEncoders:
    """The encoder process and the towers of one session.  Any thread may use it.

    The setting `text_encoder` decides whether a tower encodes words; its value `torch` turns off both towers.

    Args:
        encoder: the encoder process; tests pass a fake.
        towers: encode words, and pictures, in this process, if they can stand in for the encoder process.
        settings: timeouts, and the device to expect.
        on_change: called, without a lock, whenever an encoder's place changes.
        accept: see `Residency`.
        on_absent_gpu: see `EncoderRoute`.

    Attributes:
        residency: of the encoder process.
        routes: choose between it and the towers.
    """

    def __init__(
        self,
        encoder: Encoder,
        towers: Mapping[Tower, Encoder],
        settings: Settings,
        *,
        on_change: Callable[[], None],
        accept: Callable[[EncoderInfo], None],
        on_absent_gpu: Callable[[], None],
    ) -> None:
        self._settings = settings
        placed = partial(
            Residency,
            release_timeout=settings.encoder_release_timeout_seconds,
            on_change=on_change,
            accept=accept,
        )
        self.residency = placed(encoder, idle_timeout=settings.encoder_idle_timeout_seconds)
        inside = {kind: placed(tower) for kind, tower in towers.items()}
        route = partial(EncoderRoute, has_gpu=self._expects_gpu, on_absent_gpu=on_absent_gpu)
        setting = settings.text_encoder
        self.routes = EncoderRoutes(
            route("text", self.residency, inside.get("text"), setting=setting),
            route("image", self.residency, inside.get("image"), setting="torch" if setting == "torch" else "auto"),
        )

    def touch(self) -> None:
        """Restart the idle countdowns: a query was submitted."""
        self.residency.touch()
        self.routes.touch()

    def keep_to(self, made_with: LibraryEncoder | None) -> None:
        """Release every encoder whose weights aren't those that made the library's vectors."""
        loaded = self.residency.snapshot().info
        if made_with is not None and loaded is not None and not made_with.has_weights_of(loaded):
            self.residency.release()  # the library was encoded again, and its encoder may be on disk by now
        self.routes.keep_to(made_with.fingerprint if made_with else "")

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Encode background work; see `Residency.in_background`."""
        with self.residency.in_background(), ExitStack() as towers:
            if self.routes.image.tower is not None:
                towers.enter_context(self.routes.image.tower.in_background())
            yield

    def fallback_notices(self) -> tuple[str, ...]:
        """Return a notice if batches were encoded on the CPU instead of the GPU, and why."""
        snapshot = self.residency.snapshot()
        if not snapshot.cpu_fallbacks:
            return ()
        reason = f"; {snapshot.last_error.message}" if snapshot.last_error else ""
        return (f"batches encoded on the CPU as the GPU was full or failed: {snapshot.cpu_fallbacks}{reason}",)

    def status_fields(self) -> dict[str, Any]:
        """Return the fields of a `SessionStatus` about the encoders."""
        return encoder_status.status_fields(self.residency, self.routes, self._settings)

    def close(self) -> None:
        """End the encoder process and release the towers, at once and for good.  Idempotent."""
        self.residency.close()
        self.routes.close()

    def _expects_gpu(self) -> bool:
        return encoder_status.expected_device(self._settings) != "cpu"
