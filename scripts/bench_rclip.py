"""Gives rclip the same weights as photomap, for benchmarks that compare the two."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

NO_WEIGHTS = "rclip gets no weights without `pip install onnx onnxscript`: not measured"

LEGAL_FILES = ("LICENSE", "OPENAI-CLIP-MIT.txt", "README.md", "THIRD_PARTY_NOTICES.md")
"""Files without which rclip 4 downloads its weights again."""


def give_to_rclip(spec: str, home: Path) -> bool:
    """Put the encoder where rclip 3.3 and 4 look for theirs, in their formats; return False if it can't be exported."""
    try:
        import onnx  # noqa: F401  torch's exporter wants them
        import onnxscript  # noqa: F401
    except ImportError:
        return False
    import open_clip
    import torch

    class Text(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.model.encode_text(tokens)

    warnings.simplefilter("ignore")  # torch deprecates the export format that rclip uses
    model = open_clip.create_model(spec).eval()
    folder = home / "ViT-B-32-256-datacomp_s34b_b86k"
    for name, tower, example in (
        ("visual", model.visual, torch.zeros(1, 3, 256, 256)),
        ("textual", Text(), torch.zeros(1, 77, dtype=torch.long)),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        names: dict[str, Any] = {"input_names": ["input"], "output_names": ["output"]}
        axes = {"input": {0: "batch"}, "output": {0: "batch"}}
        path = str(folder / f"{name}.onnx")
        torch.onnx.export(tower, (example,), path, **names, dynamic_axes=axes, opset_version=18, dynamo=False)
    for name in LEGAL_FILES:
        (home / name).touch()
    words = "bpe_simple_vocab_16e6.txt.gz"
    (home / "tokenizer").mkdir()
    shutil.copy2(Path(open_clip.__file__).with_name(words), home / "tokenizer" / words)
    return True
