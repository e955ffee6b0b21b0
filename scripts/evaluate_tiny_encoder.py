"""Measure the tiny encoder on drawn pictures that training never saw, reading it through open_clip as users do."""

from __future__ import annotations

import multiprocessing
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import open_clip
import torch
from drawing.captions import NUMBERS, TIMES, article, canonical, fill
from drawing.picture import draw
from drawing.scene import COLOURS, HELD_OUT, KINDS, Scene, sample

if TYPE_CHECKING:
    from PIL import Image

SIZES = ((320, 240), (240, 320), (384, 256), (400, 300))

# Wordings that no caption uses, made of words that captions do use; measured as queries over all evaluation pictures.
PARAPHRASES = (
    ("sunset", "evening light over the sea with the sun"),
    ("snowy mountains", "high peaks in the snow"),
    ("forest", "green trees in a row of woods"),
    ("autumn forest", "orange leaves on trees in fall"),
    ("desert", "hills of sand"),
    ("waterfall", "a river falling over rocks"),
    ("lake", "calm water between mountains"),
    ("river", "a stream in the green countryside"),
    ("beach", "palm trees on the sand by the ocean"),
    ("moon", "full moon and a sky with stars"),
    ("northern lights", "green polar lights at night"),
    ("rainbow", "colours of a rainbow after rain"),
    ("fireworks", "new year fireworks display over downtown"),
    ("lightning", "a storm at night with thunder"),
    ("city at night", "buildings with lights in the dark"),
    ("city by day", "office buildings downtown in daylight"),
    ("house", "our home in the countryside"),
    ("castle", "an old fortress on a hill with a flag"),
    ("lighthouse", "lights of a lighthouse on the coast at night"),
    ("bridge", "an old stone bridge over the water"),
    ("road", "highway to the horizon"),
    ("windmill", "old mill in the countryside"),
    ("ferris wheel", "the big wheel of an amusement park"),
    ("car", "red car standing on the street"),
    ("bus", "a city bus on the street"),
    ("train", "railway with a locomotive"),
    ("aeroplane", "a jet flying in the sky"),
    ("bicycle", "my bike on the road"),
    ("sailing boat", "sailing on the sea with a yacht"),
    ("hot-air balloon", "a balloon flying over the hills in hot air"),
    ("tent", "camping in the woods"),
    ("flower", "close-up of a pink blossom"),
    ("sunflowers", "a sunflower field in summer"),
    ("field of flowers", "meadow full of wildflowers"),
    ("cactus", "a saguaro in the desert"),
    ("mushroom", "a toadstool with white spots in the woods"),
    ("pumpkin", "jack-o'-lantern at halloween"),
    ("christmas tree", "fir tree with christmas lights"),
    ("apple", "a fresh green apple"),
    ("fruit bowl", "apples and bananas in a bowl"),
    ("cake", "birthday candles"),
    ("pizza", "italian pizza with tomato"),
    ("cup", "a mug with a hot drink"),
    ("ice cream", "scoops of gelato in a cone"),
    ("balloons", "party with many blue balloons"),
    ("umbrella", "person under an umbrella on a rainy day"),
    ("book", "a novel to read on the table"),
    ("guitar", "an instrument for music"),
    ("clock", "round clock on a wall"),
    ("camp fire", "flames of a bonfire at night"),
    ("snowman", "snowman with a carrot and a hat"),
    ("cat", "my kitten sitting at home"),
    ("dog", "puppy running on the beach"),
    ("fish", "tropical fish swimming underwater"),
    ("bird", "a parrot on a branch"),
    ("butterfly", "insect with blue wings"),
    ("horse", "horse standing in a meadow"),
    ("cow", "cattle on a farm in the countryside"),
    ("portrait", "a selfie of a smiling woman"),
    ("group of people", "family and friends together"),
    ("football", "soccer team on the field with a ball"),
    ("kite", "child with a kite in the wind"),
)
STRANGE = (
    "a spaceship",
    "laptop",
    "my tax return",
    "a submarine",
    "screenshot of an email",
    "washing machine",
    "asdfgh",
    "microscope slide",
    "x-ray of a hand",
    "a violin",
    "elephant",
    "invoice",
)


@dataclass
class Encoder:
    """The shipped model: two functions."""

    model: Any
    preprocess: Any
    tokenizer: Any

    @torch.inference_mode()
    def texts(self, texts: list[str]) -> torch.Tensor:
        """Unit vectors (n, dim) of texts."""
        vectors: torch.Tensor = self.model.encode_text(self.tokenizer(texts), normalize=True)
        return vectors.float()

    @torch.inference_mode()
    def images(self, images: list[Image.Image]) -> torch.Tensor:
        """Unit vectors (n, dim) of pictures."""
        chunks = [torch.stack([self.preprocess(i) for i in images[s : s + 128]]) for s in range(0, len(images), 128)]
        return torch.cat([self.model.encode_image(chunk, normalize=True).float() for chunk in chunks])


def load(folder: Path) -> Encoder:
    """Load the encoder from its folder with open_clip."""
    name = f"local-dir:{folder.resolve()}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    return Encoder(model.eval(), preprocess, open_clip.get_tokenizer(name))


def _draw(job: tuple[Scene, tuple[int, int]]) -> Image.Image:
    return draw(*job)


def pictures(scenes: list[Scene], workers: int) -> list[Image.Image]:
    """Draw scenes at photo-like sizes."""
    with multiprocessing.Pool(workers) as pool:
        return pool.map(_draw, [(s, SIZES[i % len(SIZES)]) for i, s in enumerate(scenes)], chunksize=16)


def evaluate(folder: Path, *, each: int, workers: int, first_seed: int) -> dict[str, float]:
    """Print the evaluation as tables; returns the figures by name."""
    torch.set_num_threads(workers)
    encoder = load(folder)
    seeds = iter(range(first_seed, first_seed + 10**7))
    scenes = [sample(random.Random(next(seeds)), kind_name=name) for name in KINDS for _ in range(each)]
    vectors = encoder.images(pictures(scenes, workers))
    figures: dict[str, float] = {}
    cosines = _kinds(encoder, scenes, vectors, figures)
    _paraphrases(encoder, scenes, vectors, figures)
    for label, pairs, per_pair in (("held-out", sorted(HELD_OUT), 16), ("seen", _seen_pairs(), 4)):
        _colours(encoder, label, pairs, per_pair, seeds, workers, figures)
    _counts(encoder, scenes, vectors, figures)
    _times(encoder, scenes, vectors, figures)
    print(f"\n{'measured':58} value")
    for name, value in figures.items():
        print(f"{name:58} {value:6.3f}")
    _scores(encoder, cosines, scenes, vectors)
    return figures


def _kinds(encoder: Encoder, scenes: list[Scene], vectors: torch.Tensor, figures: dict[str, float]) -> torch.Tensor:
    names = list(KINDS)
    truth = torch.tensor([names.index(s.kind) for s in scenes])
    cosines = vectors @ encoder.texts([canonical(k) for k in KINDS.values()]).T
    best = cosines.argmax(1)
    hits = best.eq(truth)
    figures[f"kind, top-1 of {len(names)} ({len(scenes)} pictures)"] = hits.float().mean().item()
    worst = sorted((hits[truth == i].float().mean().item(), name) for i, name in enumerate(names))
    print("weakest kinds:", ", ".join(f"{name} {share:.2f}" for share, name in worst[:12] if share < 1))
    confused: dict[tuple[str, str], int] = {}
    for t, b in zip(truth.tolist(), best.tolist(), strict=True):
        if t != b:
            confused[names[t], names[b]] = confused.get((names[t], names[b]), 0) + 1
    for (true, taken), times in sorted(confused.items(), key=lambda item: -item[1])[:14]:
        print(f"  {true} taken for {taken}: {times}")
    order = cosines.argsort(0, descending=True)[:10]
    precise = (truth[order] == torch.arange(len(names))).float().mean().item()
    figures["kind as query, precision of the first 10 hits"] = precise
    return cosines


def _paraphrases(encoder: Encoder, scenes: list[Scene], vectors: torch.Tensor, figures: dict[str, float]) -> None:
    cosines = encoder.texts([text for _, text in PARAPHRASES]) @ vectors.T
    first = tenth = 0.0
    missed = []
    for (name, text), row in zip(PARAPHRASES, cosines, strict=True):
        hits = [scenes[i].kind == name for i in row.argsort(descending=True)[:10].tolist()]
        first, tenth = first + hits[0], tenth + sum(hits) / 10
        if sum(hits) < 8:
            missed.append(f"{text!r} {sum(hits)}/10")
    print("weak paraphrases:", ", ".join(missed))
    figures["paraphrase as query, first hit right"] = first / len(PARAPHRASES)
    figures["paraphrase as query, precision of the first 10 hits"] = tenth / len(PARAPHRASES)


def _seen_pairs() -> list[tuple[str, str]]:
    return [(k.name, c) for k in KINDS.values() for c in dict.fromkeys(k.colours) if (k.name, c) not in HELD_OUT]


def _colours(
    encoder: Encoder,
    label: str,
    pairs: list[tuple[str, str]],
    per_pair: int,
    seeds: Any,
    workers: int,
    figures: dict[str, float],
) -> None:
    scenes = [sample(random.Random(next(seeds)), kind_name=k, colour=c) for k, c in pairs for _ in range(per_pair)]
    vectors = encoder.images(pictures(scenes, workers))
    colours = list(COLOURS)
    good, weak, kinds_right = 0, [], 0.0
    plain = encoder.texts([canonical(k) for k in KINDS.values()])
    for index, (name, colour) in enumerate(pairs):
        rows = vectors[index * per_pair : (index + 1) * per_pair]
        queries = encoder.texts([canonical(KINDS[name], c) for c in colours])
        taken = [colours[i] for i in (rows @ queries.T).argmax(1).tolist()]
        hits = taken.count(colour)
        good += hits
        kinds_right += (rows @ plain.T).argmax(1).eq(list(KINDS).index(name)).sum().item()
        if hits < 0.8 * per_pair:
            weak.append(f"{colour} {name} {hits}/{per_pair} ({max(set(taken), key=taken.count)})")
    print(f"weak {label} colours:", ", ".join(weak[:20]))
    figures[f"colour, top-1 of 10, {label} pairs ({len(scenes)} pictures)"] = good / len(scenes)
    figures[f"kind, top-1, on the {label} pairs"] = kinds_right / len(scenes)


def _counts(encoder: Encoder, scenes: list[Scene], vectors: torch.Tensor, figures: dict[str, float]) -> None:
    good = total = 0
    for scene, vector in zip(scenes, vectors, strict=True):
        kind = KINDS[scene.kind]
        counts = sorted(set(kind.counts))
        if len(counts) < 2:
            continue
        one, many = kind.nouns[0]
        queries = [article(fill(one)) if c == 1 else f"{NUMBERS[c][0]} {fill(many)}" for c in counts]
        good += counts[int((encoder.texts(queries) @ vector).argmax())] == scene.count
        total += 1
    figures[f"count, top-1 of 2 to 4 possible ({total} pictures)"] = good / total


def _times(encoder: Encoder, scenes: list[Scene], vectors: torch.Tensor, figures: dict[str, float]) -> None:
    good = total = 0
    for scene, vector in zip(scenes, vectors, strict=True):
        times = [t for t in TIMES if t in KINDS[scene.kind].times]
        if len(times) < 2 or not scene.time:
            continue
        queries = [f"{canonical(KINDS[scene.kind])} {TIMES[t][0]}" for t in times]
        good += times[int((encoder.texts(queries) @ vector).argmax())] == scene.time
        total += 1
    figures[f"time of day, top-1 of 2 or 3 possible ({total} pictures)"] = good / total


def _scores(encoder: Encoder, cosines: torch.Tensor, scenes: list[Scene], vectors: torch.Tensor) -> None:
    names = list(KINDS)
    right_mask = torch.zeros_like(cosines, dtype=torch.bool)
    right_mask[torch.arange(len(scenes)), torch.tensor([names.index(s.kind) for s in scenes])] = True
    right, wrong = cosines[right_mask].numpy(), cosines[~right_mask].numpy()
    coloured = [(s, v) for s, v in zip(scenes, vectors, strict=True) if s.colour]
    queries = encoder.texts([canonical(KINDS[s.kind], s.colour) for s, _ in coloured])
    with_colour = (queries * torch.stack([v for _, v in coloured])).sum(1).numpy()
    strange = (encoder.texts(list(STRANGE)) @ vectors.T).max(1).values.numpy()
    print(f"\n{'cosine':34}" + "".join(f"{f'p{p}':>8}" for p in (1, 5, 25, 50, 75, 95, 99)))
    rows = (
        ("right pairs", right),
        ("right pairs, query with colour", with_colour),
        ("wrong pairs", wrong),
        ("best hit of an unknown query", strange),
    )
    for label, values in rows:
        print(f"{label:34}" + "".join(f"{np.percentile(values, p):8.3f}" for p in (1, 5, 25, 50, 75, 95, 99)))
    print(f"\n{'floor':>6} {'right kept':>11} {'with colour':>12} {'wrong kept':>11} {'unknown kept':>13}")
    for floor in np.arange(0.10, 0.65, 0.05):
        shares = [float((values >= floor).mean()) for values in (right, with_colour, wrong, strange)]
        print(f"{floor:6.2f} {shares[0]:11.4f} {shares[1]:12.4f} {shares[2]:11.4f} {shares[3]:13.2f}")
