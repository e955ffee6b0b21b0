"""Words are encoded in the session's own process where that gives PyTorch's vectors, and everybody can see that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from colour_library import index_colours
from library_fakes import stored_vector
from PIL import Image
from waiting import LONG_SECONDS

from photomap_cli.encoder import plain_clip, tower_encoder
from photomap_cli.errors import TowerUnfit
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME
from photomap_cli.records import ResidencyState, SearchRequest, SearchResult, SessionStatus
from photomap_cli.session import stored_probes, text_encoder_report
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings

pytestmark = pytest.mark.usefixtures("one_encoder_process")


def settings(**values):
    return Settings(**{"device": "cpu", "min_score": -1.0, "query_cache": 0, **values})


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, one_encoder_process):
    """A library that PyTorch has made, and its photos; to be copied."""
    return index_colours(tmp_path_factory.mktemp("indexed"), settings(text_encoder="torch"))


@pytest.fixture
def unusual(monkeypatch):
    """The encoder's configuration alone does not tell how its weights are read."""

    def refuse(_):
        raise TowerUnfit("it's not a plain CLIP")

    monkeypatch.setattr(plain_clip, "find", refuse)


@pytest.fixture
def library(indexed, tmp_path):
    return shutil.copytree(indexed / "library", tmp_path / "library")


def ask(session, text="a red square"):
    return session.search(SearchRequest(text, cwd="/"))


def scores(result):
    return {hit.path: hit.score for hit in result.hits}


def test_an_index_run_stores_what_pytorch_makes_of_the_probes(library):
    probes = stored_probes.read(library)
    with Session.open(library, settings()) as session:
        assert probes.fingerprint == session.catalog.encoder.fingerprint
    assert np.allclose(np.linalg.norm(probes.vectors, axis=-1), 1, atol=1e-5)


@pytest.mark.usefixtures("no_process")
def test_a_search_for_words_starts_no_encoder_process_and_scores_as_one_would(library, monkeypatch):
    with Session.open(library, settings()) as session:
        result = ask(session)
    monkeypatch.undo()
    with Session.open(library, settings(text_encoder="torch", precision="float32")) as session:
        by_torch = ask(session)
    assert (result.encoded_by, by_torch.encoded_by) == ("text tower", "encoder")
    assert scores(result) == pytest.approx(scores(by_torch), abs=2e-4)


@pytest.mark.usefixtures("no_process")
def test_the_status_shows_the_two_towers_and_the_release_empties_both(library):
    with Session.open(library, settings(), kind="repl") as session:
        before = session.status()
        ask(session)
        after = session.status()
        assert (before.state, before.ram_bytes, before.text_state) == (ResidencyState.OFF, 0, None)
        assert (after.state, after.text_state, after.image_state) == ("RAM", "RAM", "OFF")
        assert 0 < after.ram_bytes < 19_000_000
        assert 0 < after.release_in_seconds <= after.release_timeout_seconds
        assert after.idle_seconds < LONG_SECONDS
        assert SessionStatus.from_json(after.to_json()) == replace(
            after, **{name: value for name, value in after.to_json().items() if isinstance(value, float)}
        )
        session.routes.text.tower.release()
        gone = session.status().to_json()
    assert (gone["state"], gone["ram_bytes"], gone["release_in_seconds"]) == ("OFF", 0, None)
    assert "text_state" not in gone
    assert "image_state" not in gone


@pytest.mark.usefixtures("no_process")
def test_the_first_key_at_a_prompt_maps_the_weights_and_starts_no_process(library):
    with Session.open(library, settings(), kind="repl") as session:
        assert session.load().text_state == "RAM"


@pytest.fixture
def mine(tmp_path):
    """A picture that is not in the library."""
    Image.new("RGB", (50, 50), "purple").save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


@pytest.mark.usefixtures("no_process")
def test_a_picture_that_is_not_in_the_library_starts_no_encoder_process_and_scores_as_one_would(
    library, mine, monkeypatch
):
    with Session.open(library, settings(), kind="repl") as session:
        assert session.status().image_state is None
        result = ask(session, f"{mine}")
        status = session.status()
        assert (status.state, status.text_state, status.image_state) == ("RAM", "OFF", "RAM")
        assert 0 < status.ram_bytes < 19_000_000
        assert ask(session, f"{mine} + a square").encoded_by == "image tower"
        assert (session.status().text_state, session.status().image_state) == ("RAM", "RAM")
    monkeypatch.undo()
    with Session.open(library, settings(text_encoder="torch", precision="float32")) as session:
        by_torch = ask(session, f"{mine}")
    assert (result.encoded_by, by_torch.encoded_by) == ("image tower", "encoder")
    assert scores(result) == pytest.approx(scores(by_torch), abs=2e-4)


def test_a_picture_goes_to_the_encoder_process_once_that_is_there(library, mine):
    with Session.open(library, settings(), kind="repl") as session:
        session.residency.load("image")
        assert ask(session, f"{mine}").encoded_by == "encoder"
        assert ask(session, f"{mine} + a square").encoded_by == "encoder"
        assert ask(session, "something else").encoded_by == "text tower"


def test_a_picture_that_takes_longer_than_pytorch_does_to_start_is_pytorchs(library, mine, monkeypatch):
    monkeypatch.setattr(tower_encoder, "MOST_OPERATIONS", 1)
    with Session.open(library, settings()) as session:
        assert [ask(session, f"{mine}").encoded_by for _ in range(2)] == ["encoder", "encoder"]
        session.residency.release()
        assert ask(session, f"{mine}").encoded_by == "encoder"
        assert "PyTorch is quicker" in session.routes.image.fault
        assert session.status().last_error is None


@pytest.mark.usefixtures("unusual")
@pytest.mark.parametrize("damage", ["missing", "nonsense", "other"])
def test_probe_pictures_that_are_not_there_leave_pictures_to_pytorch_which_takes_them_again(library, mine, damage):
    probes, path = stored_probes.read_image(library), library / IMAGE_PROBES_NAME
    path.unlink()
    if damage == "nonsense":
        path.write_bytes(b"nonsense")
    elif damage == "other":
        stored_probes.write_file(path, *replace(probes, vectors=-probes.vectors).to_frame())
    with Session.open(library, settings()) as session:
        assert ask(session, f"{mine}").encoded_by == "encoder"
        if damage != "other":
            assert stored_probes.read_image(library).fingerprint == probes.fingerprint
        session.residency.release()
        assert ask(session, f"{mine}").encoded_by == ("encoder" if damage == "other" else "image tower")
        assert ("gives different results" in session.routes.image.fault) == (damage == "other")


@pytest.mark.usefixtures("no_process")
def test_a_photo_of_the_library_needs_neither(library, indexed):
    with Session.open(library, settings()) as session:
        result = ask(session, f"{indexed}/photos/red.png")
    assert (result.encoded_by, SearchResult.from_json(result.to_json()).encoded_by) == ("cache", "cache")


@pytest.mark.parametrize("first", ["tower", "torch"])
def test_a_vector_that_is_kept_answers_whoever_made_it(library, first):
    kept = {"query_cache": 100, "precision": "float32"}
    with Session.open(library, settings(text_encoder=first, **kept)) as session:
        made = ask(session)
    second = "torch" if first == "tower" else "tower"
    with Session.open(library, settings(text_encoder=second, **kept)) as session:
        again = ask(session)
    assert (again.encoded_by, scores(again)) == ("cache", scores(made))


@pytest.mark.usefixtures("unusual")
def test_a_library_without_probes_gets_them_at_the_first_search_and_needs_no_process_for_the_next(library):
    (library / PROBES_NAME).unlink()
    with Session.open(library, settings()) as session:
        assert ask(session).encoded_by == "encoder"
        assert ask(session, "something else").encoded_by == "text tower"
    assert stored_probes.read(library) is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_the_place_of_the_probes_holds_nobody_up(library):
    (library / PROBES_NAME).unlink()
    os.mkfifo(library / PROBES_NAME)
    assert stored_probes.read(library) is None


@pytest.mark.usefixtures("unusual")
@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_damaged_probes_are_taken_again(library, content):
    (library / PROBES_NAME).write_bytes(content)
    with Session.open(library, settings()) as session:
        assert ask(session).encoded_by == "encoder"
    assert stored_probes.read(library) is not None


def test_probes_of_another_model_leave_words_to_pytorch(library):
    probes = stored_probes.read(library)
    stored_probes.write_file(library / PROBES_NAME, *replace(probes, vectors=-probes.vectors).to_frame())
    with Session.open(library, settings()) as session:
        assert [ask(session, text).encoded_by for text in ("one", "two")] == ["encoder", "encoder"]
        assert "gives different results" in session.routes.text.fault
        assert session.status().last_error is None


@pytest.mark.usefixtures("unusual")
def test_a_library_that_cannot_be_written_to_is_searched(library):
    (library / PROBES_NAME).unlink()
    (library / PROBES_NAME).mkdir()
    with Session.open(library, settings()) as session:
        assert ask(session).encoded_by == "encoder"
        assert ask(session, "two").hits


def test_an_encoding_anew_takes_the_probes_of_the_new_weights(library, indexed):
    from photomap_cli.indexing.reindex import Reindex

    (library / PROBES_NAME).write_bytes(b"old")
    with Reindex(library) as rebuild:
        rebuild.begin("tiny")
        with Session.open(rebuild.draft, settings(), encoder="tiny", create=True) as session:
            list(session.indexer(IndexOptions(rebuild=True)).run([indexed / "photos"]))
        rebuild.finish()
    assert stored_probes.read(library) is not None
    assert stored_probes.read_image(library) is not None


def test_doctor_and_encoders_say_who_encodes_words(library):
    assert text_encoder_report.fault(library) is None
    with Catalog.open(library) as catalog:
        made_with = catalog.encoder
    assert text_encoder_report.check(library, made_with, setting="torch").message.endswith("text_encoder is torch")
    assert "without PyTorch, checked" in text_encoder_report.check(library, made_with, setting="auto").message
    assert text_encoder_report.fault(library) == ""


def test_doctor_and_encoders_say_why_pytorch_has_to(library):
    probes = stored_probes.read(library)
    stored_probes.write_file(
        library / PROBES_NAME, *replace(probes, recipe=None, why_not="it is another kind").to_frame()
    )
    with Catalog.open(library) as catalog:
        assert text_encoder_report.check(library, catalog.encoder, setting="auto").message.endswith(
            "PyTorch: it is another kind"
        )
    assert text_encoder_report.fault(library) == "it is another kind"


BLOCKER = "raise ImportError('there is no PyTorch here')"


def test_a_search_is_answered_where_pytorch_cannot_be_imported(library, tmp_path):
    for name in ("torch", "open_clip", "huggingface_hub"):
        (tmp_path / "blocked" / name).mkdir(parents=True)
        (tmp_path / "blocked" / name / "__init__.py").write_text(BLOCKER)
    program = [sys.executable, "-m", "photomap_cli", "--library", str(library), "search", "--json"]
    as_ever = {**os.environ, "PHOTOMAP_MIN_SCORE": "-1", "PHOTOMAP_DEVICE": "cpu"}
    blocked = {**as_ever, "PYTHONPATH": str(tmp_path / "blocked")}
    # The first one makes the tokenizer's table, from open_clip's vocabulary.
    for text, environment in (("a square", as_ever), ("a blue thing", blocked)):
        done = subprocess.run(
            [*program, text], env=environment, capture_output=True, text=True, timeout=LONG_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        assert '"encoded_by": "text tower"' in done.stdout


def added(library, folder, count):
    """Index so many more pictures, of colours that are in the library by name alone."""
    for number in range(count):
        Image.new("RGB", (40, 30), (10 * number, 90, 200)).save(folder / f"new-{number}.png")
    with Session.open(library, settings()) as session:
        run = session.indexer(IndexOptions())
        list(run.run([folder]))
        return run.report, session.residency.snapshot().state, session.routes.image.snapshot().state


@pytest.mark.usefixtures("no_process")
def test_a_few_new_photos_are_indexed_without_an_encoder_process_by_the_vectors_that_it_would_give(library, tmp_path):
    report, process, tower = added(library, tmp_path, 16)
    assert (report.added, report.failures, process, tower) == (16, (), "OFF", "RAM")


def test_their_vectors_are_those_of_pytorch(library, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    added(library, photos, 4)
    again = tmp_path / "again"
    by_torch = settings(precision="float32", text_encoder="torch")
    with Session.open(again, by_torch, encoder="tiny", create=True) as session:
        list(session.indexer(IndexOptions()).run([photos]))
        assert session.residency.snapshot().state == "RAM"
    vectors = []
    for folder in (library, again):
        with Catalog.open(folder) as catalog:
            rows = [catalog.photo_at(str(photos / f"new-{number}.png")).row for number in range(4)]
            vectors.append(np.stack([stored_vector(catalog, row) for row in rows]))
    assert (vectors[0] * vectors[1]).sum(-1).min() > 0.9999


@pytest.mark.parametrize(("count", "process"), [(16, "OFF"), (17, "RAM")])
def test_more_of_them_are_pytorchs(library, tmp_path, count, process, monkeypatch):
    monkeypatch.setattr(tower_encoder, "few_pictures", lambda _: 16)
    assert added(library, tmp_path, count)[1] == process
