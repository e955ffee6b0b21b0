import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from photomap_cli import directories
from photomap_cli.encoder import bpe, models, tower_verification
from photomap_cli.encoder.fingerprint import WeightsFile
from photomap_cli.encoder.probes import ENCODED, TEXTS, Probes
from photomap_cli.encoder.text_recipe import TextRecipe
from photomap_cli.encoder.text_tower import TextTower
from photomap_cli.errors import TowerUnfit

pytestmark = pytest.mark.usefixtures("one_table")


@pytest.fixture
def weights(tmp_path):
    """A copy of the embedded encoder; its weights."""
    copy = shutil.copytree(Path(models.__file__).parent / "tiny", tmp_path / "mine")
    return copy / "open_clip_model.safetensors"


@pytest.fixture
def probes(weights):
    recipe = TextRecipe(2, "gelu", 1e-5, 24, None, "lower", bpe.vocabulary_digest())
    tokenizer = bpe.Tokenizer(bpe.table(recipe.vocabulary), context_length=24, clean="lower")
    tower = TextTower(weights, recipe, tokenizer)
    ids = tuple(tuple(tower.tokens(text)) for text in TEXTS)
    return Probes(fingerprint_of(weights), str(weights), recipe, "", TEXTS, ids, tower.encode(ENCODED))


def fingerprint_of(weights):
    return WeightsFile(weights, models.config_beside(weights)).fingerprint()


def opened(probes, read=None):
    spec = f"local-dir:{Path(probes.weights).parent}"
    return tower_verification.open_text_tower(probes.fingerprint, spec, read or (lambda: probes))


def unasked():
    pytest.fail("the probes were read again")


def refused(probes, why, read=None):
    with pytest.raises(TowerUnfit, match=why):
        opened(probes, read)


def change_one_number(weights):
    with weights.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"\x2a\x2b")


def test_a_tower_that_agrees_is_checked_once(probes):
    assert tower_verification.fault(probes.fingerprint) is None
    first = opened(probes).encode(["red car"])
    assert tower_verification.fault(probes.fingerprint) == ""
    assert np.array_equal(opened(probes, unasked).encode(["red car"]), first)


def test_one_that_does_not_agree_is_refused_and_that_is_remembered(probes):
    mixed_up = replace(probes, vectors=probes.vectors[::-1])
    refused(mixed_up, "gives different results")
    refused(mixed_up, "gives different results", unasked)
    assert "gives different results" in tower_verification.fault(probes.fingerprint)


@pytest.mark.parametrize("cosine", [0.9996, 0.9994])
def test_the_least_cosine_is_0_9995(probes, cosine):
    away = np.roll(probes.vectors, 1, axis=1)
    away -= (away * probes.vectors).sum(-1, keepdims=True) * probes.vectors
    away /= np.linalg.norm(away, axis=-1, keepdims=True)
    turned = replace(probes, vectors=(cosine * probes.vectors + np.sqrt(1 - cosine**2) * away).astype(np.float32))
    if cosine >= 0.9995:
        opened(turned)
    else:
        refused(turned, "gives different results")


def test_a_token_that_differs_is_enough(probes):
    refused(replace(probes, ids=((49406, 7, 49407), *probes.ids[1:])), "tokenizer")


def test_what_an_encoder_said_of_itself_is_remembered(probes):
    other = replace(probes, recipe=None, why_not="its text transformer attends to all tokens")
    refused(other, "attends to all tokens")
    refused(other, "attends to all tokens", unasked)


@pytest.fixture
def unusual(weights):
    """Have the configuration say what it need not say, so that it isn't known for a plain CLIP's."""
    config = weights.with_name("open_clip_config.json")
    config.write_text(config.read_text().replace('"text_cfg": {', '"text_cfg": {"pool_type": "argmax", '))


def test_without_probes_an_unusual_model_has_no_tower_and_it_is_asked_for_again(unusual, probes):
    refused(probes, "PyTorch hasn't been asked yet", lambda: None)
    assert tower_verification.fault(probes.fingerprint) is None
    opened(probes)


def test_probes_of_other_weights_prove_nothing(unusual, probes):
    refused(probes, "PyTorch hasn't been asked yet", lambda: replace(probes, fingerprint="ab"))


@pytest.mark.parametrize("others", [False, True])
def test_without_probes_a_plain_clip_is_read_as_its_configuration_says(probes, others):
    as_ever = opened(probes).encode(["red car"])
    (directories.cache_directory() / f"text-tower-{probes.fingerprint}").unlink()
    tower = opened(probes, lambda: replace(probes, fingerprint="ab") if others else None)
    assert np.array_equal(tower.encode(["red car"]), as_ever)
    assert (tower_verification.fault(probes.fingerprint), tower_verification.is_proven(probes.fingerprint)) == (
        "",
        False,
    )


def test_it_is_compared_as_soon_as_there_are_probes_and_then_no_more(probes):
    opened(probes, lambda: None)
    opened(probes)
    assert tower_verification.is_proven(probes.fingerprint)
    opened(probes, unasked)


def test_a_configuration_that_promised_too_much_is_found_out(probes):
    opened(probes, lambda: None)
    refused(replace(probes, vectors=probes.vectors[::-1]), "gives different results")
    refused(probes, "gives different results", unasked)


def test_a_promise_holds_for_these_weights_alone(probes, weights):
    opened(probes, lambda: None)
    change_one_number(weights)
    refused(probes, "not those that made", lambda: None)


def test_a_new_library_would_have_the_fingerprint_of_the_weights_on_disk(probes, weights):
    spec = f"local-dir:{weights.parent}"
    assert tower_verification.expected_fingerprint(spec) == probes.fingerprint
    weights.unlink()
    assert tower_verification.expected_fingerprint(spec) == ""


def test_a_file_that_was_only_touched_is_recognised_by_its_content(probes, weights):
    opened(probes)
    os.utime(weights, (1, 1))
    opened(probes, lambda: None)
    opened(probes, unasked)


def test_weights_that_were_changed_under_the_same_times_are_not_used(probes, weights):
    opened(probes)
    before = weights.stat()
    change_one_number(weights)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    refused(probes, "not those that made", lambda: None)


def test_a_configuration_that_was_changed_counts_as_other_weights(probes, weights):
    opened(probes)
    config = weights.with_name("open_clip_config.json")
    config.write_text(config.read_text().replace('"heads": 2', '"heads": 4'))
    refused(probes, "not those that made", lambda: None)


def test_weights_that_lie_elsewhere_now_are_found_by_the_spec(probes, weights):
    opened(probes)
    moved = shutil.move(weights.parent, weights.parents[1] / "moved")
    tower_verification.open_text_tower(probes.fingerprint, f"local-dir:{moved}", lambda: None)
    tower_verification.open_text_tower(probes.fingerprint, f"local-dir:{moved}", unasked)


def test_weights_that_are_gone_are_told(probes, weights):
    opened(probes)
    weights.unlink()
    refused(probes, "not those that made", lambda: None)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\0" * 500])
def test_what_is_remembered_may_be_damaged_or_gone(probes, content):
    opened(probes)
    (remembered,) = directories.cache_directory().glob("text-tower-*")
    remembered.write_bytes(content)
    assert tower_verification.fault(probes.fingerprint) is None
    opened(probes)


def test_another_version_checks_for_itself(probes, monkeypatch):
    opened(probes)
    monkeypatch.setattr(tower_verification, "MADE_BY", ["another", "version"])
    assert tower_verification.fault(probes.fingerprint) is None


def test_a_fingerprint_from_a_strange_library_names_no_file(probes):
    strange = replace(probes, fingerprint="../../strange")
    refused(strange, "not those that made")
    assert not list(directories.cache_directory().parent.parent.rglob("*strange*"))
