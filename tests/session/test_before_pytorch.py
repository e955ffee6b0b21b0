"""A new library of few photos is made, and searched, before PyTorch was ever asked; once it is, both must agree."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from library_fakes import stored_vector
from PIL import Image
from safetensors.numpy import load_file, save_file
from test_words_without_torch import ask, scores, settings

from photomap_cli import directories
from photomap_cli.encoder import models, plain_clip, tower_encoder, tower_verification
from photomap_cli.errors import EncoderFailed, EncoderMismatch
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.reindex import Reindex
from photomap_cli.library.catalog import Catalog
from photomap_cli.session import stored_probes, text_encoder_report
from photomap_cli.session.session import Session

pytestmark = pytest.mark.usefixtures("one_encoder_process")

COLOURS = ("red", "green", "blue", "grey", "orange")


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for colour in COLOURS:
        Image.new("RGB", (40, 30), colour).save(tmp_path / "photos" / f"{colour}.png")
    return tmp_path / "photos"


@pytest.fixture
def wrong(monkeypatch):
    """Have a configuration promise what the model isn't, as another open_clip might build it."""
    real = plain_clip._image_recipe
    monkeypatch.setattr(
        plain_clip, "_image_recipe", lambda *told: replace(real(*told), mean=(1.0, 0.0, 1.0), std=(3.0, 0.1, 0.3))
    )


def index(library, photos, *, rebuild=False, **values):
    with Session.open(library, settings(**values), encoder="tiny", create=True) as session:
        run = session.indexer(IndexOptions(rebuild=rebuild))
        list(run.run([photos]))
        return run.report, session.residency.snapshot().state


def vectors(library, photos):
    with Catalog.open(library) as catalog:
        return np.stack([stored_vector(catalog, catalog.photo_at(str(photos / f"{each}.png")).row) for each in COLOURS])


@pytest.mark.usefixtures("no_process")
def test_it_is_made_and_searched_without_an_encoder_process(photos, tmp_path):
    report, process = index(tmp_path / "library", photos)
    assert (report.added, report.failures, process) == (5, (), "OFF")
    with Session.open(tmp_path / "library", settings()) as session:
        assert ask(session).encoded_by == "text tower"
        assert stored_probes.read(tmp_path / "library") is None


def test_its_vectors_and_scores_are_those_of_pytorch(photos, tmp_path):
    index(tmp_path / "library", photos)
    _, process = index(tmp_path / "by torch", photos, text_encoder="torch")
    assert process == "RAM"
    cosines = (vectors(tmp_path / "library", photos) * vectors(tmp_path / "by torch", photos)).sum(-1)
    assert cosines.min() > 0.999
    with Session.open(tmp_path / "library", settings()) as session:
        found = scores(ask(session))
    with Session.open(tmp_path / "by torch", settings(text_encoder="torch")) as session:
        assert found == pytest.approx(scores(ask(session)), abs=5e-3)


def test_pytorch_is_compared_with_once_it_is_there(photos, tmp_path, monkeypatch):
    library = tmp_path / "library"
    index(library, photos)
    with Catalog.open(library) as catalog:
        made_with = catalog.encoder
    towers = (tower_verification.TextTowers, tower_verification.ImageTowers)
    assert "not yet compared" in text_encoder_report.check(library, made_with, setting="auto").message
    assert not any(tower_verification.is_proven(made_with.fingerprint, each) for each in towers)
    Image.new("RGB", (40, 30), "purple").save(photos / "purple.png")
    monkeypatch.setattr(tower_encoder, "few_pictures", lambda _: 0)
    report, process = index(library, photos)
    assert (report.added, process) == (1, "RAM")
    assert stored_probes.read(library).fingerprint == made_with.fingerprint
    assert all(tower_verification.is_proven(made_with.fingerprint, each) for each in towers)
    assert "checked against it" in text_encoder_report.check(library, made_with, setting="auto").message


def search_by_picture(library, photos):
    with Session.open(library, settings()) as session:
        session.residency.load("image")
        ask(session, f"{photos}/purple.png")


meet_pytorch = {"index": index, "search": search_by_picture, "another computer": index}


@pytest.mark.usefixtures("wrong")
@pytest.mark.parametrize("found_by", meet_pytorch)
def test_photos_that_pytorch_encodes_otherwise_are_told_of_until_they_are_encoded_anew(
    photos, tmp_path, monkeypatch, found_by
):
    library = tmp_path / "library"
    index(library, photos)
    if found_by == "another computer":
        shutil.rmtree(directories.cache_directory())
    Image.new("RGB", (40, 30), "purple").save(photos / "purple.png")
    monkeypatch.setattr(tower_encoder, "few_pictures", lambda _: 0)
    for _ in range(2):
        with pytest.raises(EncoderMismatch, match="without PyTorch, and wrongly: its configuration"):
            meet_pytorch[found_by](library, photos)
    with Reindex(library) as rebuild:
        rebuild.begin("tiny")
        assert index(rebuild.draft, photos, rebuild=True)[1] == "RAM"
        rebuild.finish()
    assert index(library, photos)[0].unchanged == 6
    with Session.open(library, settings()) as session:
        assert ask(session, f"{photos}/purple.png + a square").hits


def test_words_that_the_text_tower_got_wrong_are_forgotten(photos, tmp_path, monkeypatch):
    library = tmp_path / "library"
    real = plain_clip._text_recipe
    monkeypatch.setattr(plain_clip, "_text_recipe", lambda *told: replace(real(*told), heads=1, norm_eps=0.5))
    index(library, photos)
    kept = {"query_cache": 100}
    with Session.open(library, settings(**kept)) as session:
        wrong = scores(ask(session))
        assert ask(session).encoded_by == "cache"
    monkeypatch.setattr(tower_encoder, "few_pictures", lambda _: 0)
    Image.new("RGB", (40, 30), "purple").save(photos / "purple.png")
    index(library, photos, **kept)
    with Session.open(library, settings(**kept)) as session:
        right = ask(session)
    assert right.encoded_by == "encoder"
    assert max(abs(score - wrong[path]) for path, score in scores(right).items() if path in wrong) > 1e-3


@pytest.mark.parametrize("key", ["custom_text", "pool_type"])
def test_a_model_that_is_not_all_of_a_plain_clip_is_pytorchs_from_the_start(photos, tmp_path, key):
    mine = shutil.copytree(Path(models.__file__).parent / "tiny", tmp_path / "mine")
    config = json.loads((mine / "open_clip_config.json").read_text())
    part = config["model_cfg"] if key == "custom_text" else config["model_cfg"]["vision_cfg"]
    part[key] = {"custom_text": False, "pool_type": "tok"}[key]
    (mine / "open_clip_config.json").write_text(json.dumps(config))
    with Session.open(tmp_path / "library", settings(), encoder=f"local-dir:{mine}", create=True) as session:
        list(session.indexer(IndexOptions()).run([photos]))
        assert session.residency.snapshot().state == "RAM"


def test_weights_that_give_nothing_are_told_of_as_pytorch_does(photos, tmp_path):
    mine = shutil.copytree(Path(models.__file__).parent / "tiny", tmp_path / "mine")
    tensors = load_file(mine / models.SAFE_WEIGHTS)
    tensors["visual.proj"][:] = np.nan
    save_file(tensors, mine / models.SAFE_WEIGHTS)
    with Session.open(tmp_path / "library", settings(), encoder=f"local-dir:{mine}", create=True) as session:
        run = session.indexer(IndexOptions()).run([photos])
        with pytest.raises(EncoderFailed, match="the encoder returned values that are not finite"):
            list(run)


@pytest.mark.parametrize("setting", [{"device": "cuda:7"}, {"precision": "bfloat16"}], ids=str)
def test_what_the_settings_ask_for_is_pytorchs_to_do(photos, tmp_path, setting, monkeypatch):
    started = []
    monkeypatch.setattr(Session, "image_encoder", lambda _: started.append(1) or _refuse())
    with pytest.raises(EncoderFailed, match="not now"):
        index(tmp_path / "library", photos, **setting)
    assert started


def _refuse():
    raise EncoderFailed("not now")


def test_a_tower_that_is_too_slow_for_so_many_is_let_go_of(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(tower_encoder, "few_pictures", lambda _: 4)
    with Session.open(tmp_path / "library", settings(), encoder="tiny", create=True) as session:
        list(session.indexer(IndexOptions()).run([photos]))
        status = session.status()
        assert (status.state, status.image_state) == ("RAM", None)
