"""Trains the embedded tiny encoder from scratch on drawn pictures, measures it, and writes it in open_clip's layout.

    python scripts/train_tiny_encoder.py --minutes 35 --pictures 40000 --out photomap_cli/encoder/tiny
    python scripts/train_tiny_encoder.py --evaluate-only --out photomap_cli/encoder/tiny

Rendered pictures are cached in --cache.  The final measurement uses pictures from seeds that training doesn't use, and
loads the written files with open_clip, so its figures are those of what is shipped.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import math
import multiprocessing
import os
import random
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Waiting threads must sleep, not spin: beside other busy processes a step took 5 s instead of 1.  Read by OpenMP once.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.attention import SDPBackend, sdpa_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drawing import captions as wording  # noqa: E402 - the package may not be installed yet
from drawing.picture import draw  # noqa: E402
from drawing.scene import COLOURS, KINDS, Scene, sample  # noqa: E402

STORED_PX, IMAGE_PX, BATCH, DISTRACTORS = 80, 64, 128, 12
SHAPES = ((107, 80), (107, 80), (80, 107), (96, 96), (120, 80), (160, 120))
EMBED_DIM, WRITE_EVERY_SECONDS = 128, 240
VISION = {"image_size": IMAGE_PX, "layers": 6, "width": 192, "head_width": 64, "patch_size": 8}
TEXT = {"context_length": 24, "vocab_size": 49408, "width": 128, "heads": 2, "layers": 2}
PREPROCESS: dict[str, Any] = {
    "mean": list(open_clip.OPENAI_DATASET_MEAN),
    "std": list(open_clip.OPENAI_DATASET_STD),
    "interpolation": "bicubic",
    "resize_mode": "squash",
}
KIND_NAMES, FAMILIES = list(KINDS), list(wording.FAMILIES)
FIELDS: dict[str, list[Any]] = {
    "kind": KIND_NAMES,
    "family": FAMILIES,
    "colour": list(COLOURS),
    "count": list(wording.NUMBERS),
    "place": list(wording.PLACES),
    "weather": list(wording.WEATHERS),
    "time": list(wording.TIMES),
}
EVALUATION_SEEDS = 10**9  # training uses seeds from 0 up; nothing drawn for evaluation starts below this


def keep_memory() -> None:
    """Tell glibc to keep freed memory: without it every large tensor is mapped anew (1.20 -> 0.90 s a step)."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    for option, value in ((-3, 1 << 30), (-1, 2**31 - 1), (-4, 0)):  # mmap threshold, trim threshold, mmap max
        libc.mallopt(option, value)


# ---------------------------------------------------------------- pictures


def scene_of(seed: int) -> Scene:
    """The training scene of a seed."""
    return sample(random.Random(seed))


def _render(seed: int) -> NDArray[np.uint8]:
    shape = SHAPES[seed % len(SHAPES)]
    picture = draw(scene_of(seed), shape)
    return np.asarray(picture.resize((STORED_PX, STORED_PX), Image.Resampling.BICUBIC), np.uint8)


def rendered(cache: Path, pictures: int, workers: int) -> NDArray[np.uint8]:
    """Training pictures, (n, 80, 80, 3) uint8; cached as long as the drawing code doesn't change."""
    digest = hashlib.sha256()
    for source in sorted((ROOT / "scripts" / "drawing").glob("*.py")):
        if source.name not in {"captions.py", "library.py", "__init__.py"}:
            digest.update(source.read_bytes())
    path = cache / f"pictures-{digest.hexdigest()[:12]}-{pictures}.npy"
    if path.exists():
        return _stored(path)
    cache.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    partial = path.with_suffix(".partial.npy")
    store = np.lib.format.open_memmap(partial, "w+", np.uint8, (pictures, STORED_PX, STORED_PX, 3))
    with multiprocessing.Pool(workers) as pool:
        for index, pixels in enumerate(pool.imap(_render, range(pictures), chunksize=64)):
            store[index] = pixels
            if index % 5000 == 4999:
                print(f"rendered {index + 1} in {time.monotonic() - started:.0f} s", flush=True)
    store.flush()
    partial.rename(path)
    return _stored(path)


def _stored(path: Path) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return pixels


def augment(pixels: torch.Tensor, dice: torch.Generator) -> torch.Tensor:
    """Crop, mirror, and shift the exposure of a batch; (n, 3, 80, 80) 0..1 in, (n, 3, 64, 64) out."""
    n = len(pixels)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.rand(n, *shape, generator=dice) * (high - low) + low

    zoom_x, zoom_y = uniform(0.78, 1.0), uniform(0.78, 1.0)
    zoom_x, zoom_y = torch.where(uniform(0, 1) < 0.25, torch.ones(2, n), torch.stack([zoom_x, zoom_y]))
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = zoom_x * torch.where(uniform(0, 1) < 0.5, 1.0, -1.0)
    theta[:, 1, 1] = zoom_y
    theta[:, 0, 2], theta[:, 1, 2] = (1 - zoom_x) * uniform(-1, 1), (1 - zoom_y) * uniform(-1, 1)
    grid = F.affine_grid(theta, [n, 3, IMAGE_PX, IMAGE_PX], align_corners=False)
    view = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    soft = F.avg_pool2d(F.pad(view, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    view = torch.where(uniform(0, 1, 1, 1, 1) < 0.25, soft, view)
    grey = view.mean((1, 2, 3), keepdim=True)
    view = (view - grey) * uniform(0.8, 1.2, 1, 1, 1) + grey * uniform(0.8, 1.2, 1, 1, 1)
    luma = view.mean(1, keepdim=True)
    view = luma + (view - luma) * uniform(0.8, 1.2, 1, 1, 1)
    view = view + torch.randn(view.shape, generator=dice) * uniform(0, 0.025, 1, 1, 1)
    return view.clamp(0, 1)


def normalised(view: torch.Tensor) -> torch.Tensor:
    """Normalise by the mean and standard deviation of the model's configuration."""
    mean, std = torch.tensor(PREPROCESS["mean"]), torch.tensor(PREPROCESS["std"])
    return (view - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)


# ---------------------------------------------------------------- words


def facts(source: Scene | wording.Caption) -> list[int]:
    """What a scene shows or a caption states, as indices into FIELDS; -1 for nothing."""
    values: dict[str, Any] = {name: getattr(source, name, "") for name in FIELDS}
    if isinstance(source, Scene):
        values["family"] = KINDS[source.kind].family
    return [FIELDS[name].index(value) if value in FIELDS[name] else -1 for name, value in values.items()]


class Vocabulary:
    """Numbers the tokens of captions from 1; all other tokens are 0, whose embedding stays zero."""

    def __init__(self, tokenizer: open_clip.SimpleTokenizer, draws: int = 60_000) -> None:
        """Collect the tokens of all possible captions."""
        self.tokenizer = tokenizer
        used = set(tokenizer.all_special_ids)
        rng = random.Random(0)
        for index in range(draws):
            used.update(tokenizer.encode(wording.caption(scene_of(index), rng).text))
        for kind in KINDS.values():
            for text in (*kind.phrases, *(wording.fill(w, c) for n in kind.nouns for w in n for c in ("", "x"))):
                used.update(tokenizer.encode(text))
        self.ids = sorted(used - {0})
        self.number = {token: index + 1 for index, token in enumerate(self.ids)}
        self.cache: dict[str, torch.Tensor] = {}

    def __len__(self) -> int:
        """The number of rows of the embedding."""
        return len(self.ids) + 1

    def __call__(self, texts: list[str]) -> torch.Tensor:
        """The numbered tokens of texts, (n, context length)."""
        rows = []
        for text in texts:
            if text not in self.cache:
                tokens = self.tokenizer([text])[0].tolist()
                self.cache[text] = torch.tensor([self.number.get(token, 0) for token in tokens])
            rows.append(self.cache[text])
        return torch.stack(rows)


# Stand for any word outside the vocabulary.  Some are one token long and some several: with only the long ones, a
# single unknown word ("laptop") had scored 0.52 against every third picture.
STRANGERS = ("robot", "senate", "quantum", "stock", "zyzzyva", "quux", "frobnicate", "grault", "xylitol", "widdershins")


def distractor(rng: random.Random) -> str:
    """A query about something that no picture shows."""
    words = " ".join(rng.choice(STRANGERS) for _ in range(rng.randint(1, 3)))
    shapes = (
        "a {}",
        "{}",
        "{}",
        "the {}",
        "photo of {}",
        "a {} {c}",
        "a {c} {}",
        "{} in the {}",
        "{} of a {}",
        "my {}",
        "{} at night",
    )
    return rng.choice(shapes).replace("{c}", rng.choice(list(COLOURS))).replace("{}", words)


# ---------------------------------------------------------------- training


def contrast(logits: torch.Tensor, fits: torch.Tensor) -> torch.Tensor:
    """Cross-entropy in both directions, where several captions may fit a picture and the other way round."""
    pictures = len(fits)
    by_row = fits / fits.sum(1, keepdim=True)
    square = fits[:, :pictures]
    by_column = square / square.sum(0, keepdim=True)
    rows = -(by_row * logits.log_softmax(1)).sum(1).mean()
    columns = -(by_column * logits[:, :pictures].log_softmax(0)).sum(0).mean()
    return (rows + columns) / 2


def agreement(cosines: torch.Tensor, fits: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """SigLIP's pairwise sigmoid loss: each pair is judged on its own, which gives scores an absolute meaning."""
    sign = 2 * fits - 1
    loss = -F.logsigmoid(sign * (cosines * scale.exp() + bias))
    return (loss * fits).sum() / len(fits) * 0.5 + (loss * (1 - fits)).sum() / len(fits)


class Trainer:
    """The model in training, with all that a step needs."""

    def __init__(self, pixels: NDArray[np.uint8], seed: int, rate: float) -> None:
        """Start from random weights."""
        torch.manual_seed(seed)
        self.peak_rate = rate
        self.pixels = pixels
        self.scenes = [scene_of(index) for index in range(len(pixels))]
        self.truth = torch.tensor([facts(scene) for scene in self.scenes])
        self.vocabulary = Vocabulary(open_clip.SimpleTokenizer(context_length=TEXT["context_length"]))
        self.rng, self.dice = random.Random(seed), torch.Generator().manual_seed(seed)
        self.model = self._model()
        self.scale = torch.nn.Parameter(torch.tensor(2.3))  # of the pairwise loss; not saved
        self.bias = torch.nn.Parameter(torch.tensor(-6.0))
        self.optimiser = self._optimiser()
        self.order: list[int] = []

    def _model(self) -> Any:
        size = len(self.vocabulary)
        model = open_clip.model.CLIP(
            embed_dim=EMBED_DIM, vision_cfg=dict(VISION), text_cfg={**TEXT, "vocab_size": size}
        )
        model.token_embedding = torch.nn.Embedding(size, TEXT["width"], padding_idx=0)
        torch.nn.init.normal_(model.token_embedding.weight, std=0.02)
        model.token_embedding.weight.data[0] = 0
        model.visual.patch_dropout = open_clip.transformer.PatchDropout(0.4)
        return model

    def _optimiser(self) -> torch.optim.Optimizer:
        named = list(self.model.named_parameters())
        decayed = [p for n, p in named if p.ndim >= 2 and "embedding" not in n]
        other = [p for n, p in named if p.ndim < 2 or "embedding" in n]
        groups = [
            {"params": decayed, "weight_decay": 0.1},
            {"params": [*other, self.scale, self.bias], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.peak_rate, betas=(0.9, 0.98))

    def resume(self, folder: Path) -> None:
        """Continue from saved weights."""
        state = {name: value.float() for name, value in load_file(folder / "open_clip_model.safetensors").items()}
        table = state.pop("token_embedding.weight")
        self.model.load_state_dict(state, strict=False)
        with torch.no_grad():
            self.model.token_embedding.weight[1:] = table[torch.tensor(self.vocabulary.ids)]

    def schedule(self, step: int, share: float) -> None:
        """Set the learning rate at a share (0..1) of the run; towards its end, turn patch dropout off."""
        rate = self.peak_rate * min(1, (step + 1) / 150) * (0.5 * (1 + math.cos(math.pi * share)) + 0.01)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        if share > 0.78:
            self.model.visual.patch_dropout = torch.nn.Identity()

    def step(self) -> tuple[float, float]:
        """Train on one batch; returns the loss and the share of pictures whose best caption fits."""
        chosen = self._next()
        texts, fits = self._captions(chosen)
        view = torch.from_numpy(self.pixels[chosen]).permute(0, 3, 1, 2).float() / 255
        # Plain matrix attention is faster on a CPU than the fused kernel at 40 tokens (0.78 -> 0.53 s a step).
        with sdpa_kernel(SDPBackend.MATH):
            with torch.autocast("cpu", torch.bfloat16):
                seen = self.model.encode_image(normalised(augment(view, self.dice)))
                read = self.model.encode_text(self.vocabulary(texts))
            cosines = F.normalize(seen.float(), dim=-1) @ F.normalize(read.float(), dim=-1).T
            loss = contrast(cosines * self.model.logit_scale.exp(), fits)
            loss = loss + 0.3 * agreement(cosines, fits, self.scale, self.bias)
            self.optimiser.zero_grad()
            torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.model.logit_scale.data.clamp_(0, 4.0)
        hits = fits.gather(1, cosines.argmax(1, keepdim=True)).mean()
        return loss.item(), hits.item()

    def _next(self) -> list[int]:
        if len(self.order) < BATCH:
            self.order = torch.randperm(len(self.pixels), generator=self.dice).tolist()
        chosen, self.order = sorted(self.order[:BATCH]), self.order[BATCH:]
        return chosen

    def _captions(self, chosen: list[int]) -> tuple[list[str], torch.Tensor]:
        """A new caption for each picture, some that fit none, and a mask of which captions fit which pictures."""
        said = [wording.caption(self.scenes[index], self.rng) for index in chosen]
        texts = [_with_stranger(c.text, self.rng) if self.rng.random() < 0.06 else c.text for c in said]
        stated = torch.tensor([facts(caption) for caption in said])[None]
        fits = ((stated == -1) | (stated == self.truth[chosen][:, None])).all(-1).float()
        return texts + [distractor(self.rng) for _ in range(DISTRACTORS)], F.pad(fits, (0, DISTRACTORS))


def train(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train for some minutes, saving the model regularly and at the end, and print progress."""
    torch.set_num_threads(arguments.threads)
    keep_memory()
    trainer = Trainer(rendered(arguments.cache, arguments.pictures, arguments.threads), arguments.seed, arguments.rate)
    print(f"{arguments.pictures} pictures, {len(KINDS)} kinds, {len(trainer.vocabulary)} tokens", flush=True)
    if arguments.resume:
        trainer.resume(arguments.out)
    started, written, step = time.monotonic(), 0.0, 0
    while (seconds := time.monotonic() - started) < arguments.minutes * 60:
        share = seconds / (arguments.minutes * 60)
        trainer.schedule(step, share)
        loss, hits = trainer.step()
        step += 1
        if step % 50 == 0:
            print(f"step {step} {share * 100:.0f}% loss {loss:.3f} hit {hits:.2f}", flush=True)
        if seconds > written + WRITE_EVERY_SECONDS:
            written = seconds
            write(trainer.model, trainer.vocabulary, arguments.out)
    write(trainer.model, trainer.vocabulary, arguments.out)
    return {"steps": step, "seconds": round(time.monotonic() - started), "pictures": arguments.pictures}


def _with_stranger(text: str, rng: random.Random) -> str:
    words = text.split()
    words.insert(rng.randint(0, len(words)), rng.choice(STRANGERS))
    return " ".join(words)


def write(model: torch.nn.Module, vocabulary: Vocabulary, out: Path) -> None:
    """Save the model for open_clip's `local-dir:` schema, in half precision, with zeros for unused tokens."""
    state = {name: value.detach().clone() for name, value in model.state_dict().items()}
    table = torch.zeros(TEXT["vocab_size"], TEXT["width"])
    table[torch.tensor(vocabulary.ids)] = state["token_embedding.weight"][1:]
    state["token_embedding.weight"] = table
    state.pop("attn_mask", None)
    half = {name: value.to(torch.float16).contiguous() for name, value in state.items()}
    out.mkdir(parents=True, exist_ok=True)
    partial = out / "open_clip_model.partial"
    save_file(half, partial, metadata={"format": "pt"})
    partial.chmod(0o644)
    partial.replace(out / "open_clip_model.safetensors")
    model_cfg = {"embed_dim": EMBED_DIM, "vision_cfg": VISION, "text_cfg": TEXT}
    config = {"model_cfg": model_cfg, "preprocess_cfg": PREPROCESS}
    (out / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    raw = (out / "open_clip_model.safetensors").read_bytes()
    print(f"wrote {len(raw) / 1e6:.1f} MB, {len(zlib.compress(raw, 6)) / 1e6:.1f} MB compressed", flush=True)


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=35, help="training time, without rendering and evaluation")
    parser.add_argument("--pictures", type=int, default=40_000)
    parser.add_argument("--out", type=Path, default=ROOT / "photomap_cli" / "encoder" / "tiny")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--each", type=int, default=16, help="evaluation pictures per kind")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "photomap-tiny-encoder")
    parser.add_argument("--rate", type=float, default=8e-4, help="highest learning rate")
    parser.add_argument("--resume", action="store_true", help="go on from the weights in --out")
    parser.add_argument("--evaluate-only", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Render, train, write, evaluate."""
    arguments = parse()
    started = time.monotonic()
    if not arguments.evaluate_only:
        print(train(arguments), flush=True)
    from evaluate_tiny_encoder import evaluate  # in this folder

    evaluate(arguments.out, each=arguments.each, workers=arguments.threads, first_seed=EVALUATION_SEEDS)
    print(f"whole run {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
