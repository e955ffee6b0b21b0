"""Owns which encoders there are: spec strings, the default for this host, licence, size, score floor."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from photomap_cli import directories
from photomap_cli.encoder import gpu
from photomap_cli.errors import UnknownEncoder

TINY = "tiny"
DEFAULT_WITH_GPU = "ViT-L-14/datacomp_xl_s13b_b90k"
DEFAULT_WITHOUT_GPU = "ViT-B-32-256/datacomp_s34b_b86k"
_FOLDER = "local-dir:"
_HUB = "hf-hub:"
_CONFIG_NAME = "open_clip_config.json"
_MOST_PIXELS = 4096

SAFE_WEIGHTS = "open_clip_model.safetensors"
"""What open_clip calls weights in safetensors; it prefers a file of this name to all others."""

_USUAL_NAMES = (SAFE_WEIGHTS, "open_clip_pytorch_model.safetensors", "model.safetensors")


@dataclass(frozen=True, slots=True)
class EncoderModel:
    """One encoder that photomap knows by name.

    Attributes:
        spec: what the user writes.
        dim: length of its vectors.
        weight_bytes: size of the weights file in bytes.
        licence: licence of the weights.
        about: one line on what to expect of it.
        score_floor: cosine below which a hit is noise; None if that hasn't been measured.
        hub: the repository its weights come from; None for embedded ones.
        image_size: the side of its square input pictures, in pixels.
    """

    spec: str
    dim: int
    weight_bytes: int
    licence: str
    about: str
    score_floor: float | None = None
    hub: str | None = None
    image_size: int | None = None

    @property
    def is_on_disk(self) -> bool:
        """Whether the weights are already here: embedded, or in the hub's cache."""
        return self.hub is None or any(hub_cache(self.hub).glob("snapshots/*/open_clip_*model.safetensors"))


def hub_cache(repository: str) -> Path:
    """Return the folder in which the hub's client keeps a repository."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    cache = os.path.expanduser(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")  # noqa: PTH111  as the hub does
    return Path(cache) / f"models--{repository.replace('/', '--')}"


def weights_files(spec: str) -> list[Path]:
    """Return where an encoder's weights may be on this computer, in safetensors, without asking open_clip."""
    if spec == TINY or spec.startswith(_FOLDER):
        folder = Path(open_clip_name(spec)[0].removeprefix(_FOLDER))
        return sorted(folder.glob("*.safetensors"), key=lambda path: (path.name not in _USUAL_NAMES, path.name))
    known = _BY_SPEC.get(spec)
    repository = spec.removeprefix(_HUB) if spec.startswith(_HUB) else known.hub if known else None
    return sorted(hub_cache(repository).glob("snapshots/*/*.safetensors")) if repository else []


def config_beside(weights: Path) -> Path | None:
    """Return the configuration that comes with the weights; None if there is none."""
    config = weights.with_name(_CONFIG_NAME)
    return config if config.is_file() else None


def config_files(name: str) -> list[Path]:
    """Return where the configuration of a model is, which open_clip calls `name`, once it is on disk."""
    kind, _, rest = name.partition(":")
    if kind == "local-dir":
        return [Path(rest) / _CONFIG_NAME]
    if kind == "hf-hub":
        return list(hub_cache(rest).glob(f"snapshots/*/{_CONFIG_NAME}"))
    from importlib.util import find_spec  # not for a search

    package = find_spec("open_clip")
    folders = package.submodule_search_locations if package else None
    return [Path(folder) / "model_configs" / f"{name}.json" for folder in folders or ()]


def expected_pictures(spec: str) -> tuple[tuple[int, int], str, str] | None:
    """Return the probable input of an encoder: (height, width), resize mode, interpolation; None if unknown.

    Read from its configuration without open_clip; check again once the encoder is loaded.
    """
    if (known := _BY_SPEC.get(spec)) and known.image_size:
        return (known.image_size, known.image_size), "shortest", "bicubic"
    if spec != TINY and not spec.startswith(_FOLDER):
        return None
    from photomap_cli.encoder import model_config  # not for a search

    try:
        config = model_config.read(Path(open_clip_name(spec)[0].removeprefix(_FOLDER)) / model_config.FILE_NAME)
        size, how = config["model_cfg"]["vision_cfg"]["image_size"], config["preprocess_cfg"]
        height, width = (size, size) if isinstance(size, int) else size
        mode, interpolation = how.get("resize_mode") or "shortest", how.get("interpolation") or "bicubic"
    except (UnknownEncoder, ValueError, TypeError, KeyError, AttributeError):
        return None
    is_usual = mode in {"shortest", "longest", "squash"} and interpolation in {"bicubic", "bilinear"}
    is_sized = all(type(each) is int and 0 < each <= _MOST_PIXELS for each in (height, width))
    return ((height, width), mode, interpolation) if is_usual and is_sized else None


KNOWN = (
    # At 0.30 tiny keeps 99.9 % of right pairs and 0.5 % of wrong ones (model card).  At 0.40, which keeps 0.16 %
    # of wrong ones, paraphrases find 88 instead of 92 % of what they could (scripts/measure_scores.py).
    EncoderModel(
        TINY, 128, 18_981_170, "MIT", "built in, to try photomap out; knows drawn scenes only", score_floor=0.30
    ),
    EncoderModel(
        DEFAULT_WITHOUT_GPU,
        512,
        605_000_000,
        "MIT",
        "ImageNet 72.8 %; the default without a GPU",
        hub="laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
        image_size=256,
    ),
    EncoderModel(
        DEFAULT_WITH_GPU,
        768,
        1_710_000_000,
        "MIT",
        "ImageNet 79.2 %; the default with a CUDA GPU",
        hub="laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        image_size=224,
    ),
)
_BY_SPEC = {model.spec: model for model in KNOWN}


def score_floor(spec: str) -> float | None:
    """Return the cosine below which a hit of this encoder is noise; None if that hasn't been measured."""
    known = _BY_SPEC.get(spec)
    return known.score_floor if known else None


def resolve(setting: str, device: str = "auto") -> str:
    """Turn the setting `encoder` into a spec string: `auto` becomes the default for this host and the setting `device`.

    Raises:
        UnknownEncoder: it is not `tiny`, `model/tag`, `hf-hub:org/name` or `local-dir:/path`, or the folder has no
            open_clip_config.json.
    """
    if setting == "auto":
        on_cuda = gpu.is_expected() if device == "auto" else device.startswith("cuda")
        return DEFAULT_WITH_GPU if on_cuda else DEFAULT_WITHOUT_GPU
    if setting.startswith(_FOLDER):
        return _FOLDER + str(_existing_folder(setting))
    if setting == TINY or setting.startswith(_HUB) or "/" in setting:
        return setting
    raise UnknownEncoder(
        f"there is no encoder {setting!r}",
        hint="write tiny, MODEL/TAG, hf-hub:ORG/NAME or local-dir:/PATH; `photomap encoders` lists some",
    )


def _existing_folder(setting: str) -> Path:
    folder = directories.expanded(Path(setting.removeprefix(_FOLDER)))
    folder = folder if folder.is_absolute() else directories.working_directory() / folder
    if not os.path.isfile(folder / _CONFIG_NAME):  # noqa: PTH113  Path's raises for a name that is too long
        raise UnknownEncoder(f"{folder} has no open_clip_config.json", hint="give the folder of an open_clip model")
    return folder


def open_clip_name(spec: str) -> tuple[str, str | None]:
    """Return (model name, pretrained tag) as open_clip takes them."""
    if spec == TINY:
        return f"{_FOLDER}{Path(__file__).parent / TINY}", None
    if spec.startswith((_FOLDER, _HUB)):
        return spec, None
    model, _, tag = spec.rpartition("/")
    return model, tag
