"""Which files an encoder's weights are in: those that open_clip itself would ask for."""

import pytest

pytest.importorskip("torch")

from open_clip import pretrained

from photomap_cli.encoder import download, models
from photomap_cli.errors import UnknownEncoder, WeightsMissing


@pytest.fixture
def asked(monkeypatch):
    """Return what open_clip asks the hub for, as (repository, file); the hub has none of it."""
    files = []

    def refuse(repo_id, filename, **_):
        files.append((repo_id, filename))
        raise FileNotFoundError(filename)

    monkeypatch.setattr(pretrained, "hf_hub_download", refuse)
    return files


def test_every_named_encoder_is_looked_for_where_open_clip_looks(asked):
    known = [(name, tag) for name, tags in pretrained._PRETRAINED.items() for tag in tags]
    assert len(known) > 100
    for name, tag in known:
        asked.clear()
        with pytest.raises(FileNotFoundError):
            pretrained.download_pretrained(pretrained.get_pretrained_cfg(name, tag))
        repository, (names,) = download._wanted(name, tag)
        assert asked == [(repository, one) for one in names], (name, tag)


def test_an_encoder_of_the_hub_has_its_configuration_first_and_its_weights_as_open_clip_names_them(asked):
    with pytest.raises(FileNotFoundError):
        pretrained.download_pretrained_from_hf("org/name")
    repository, files = download._wanted("hf-hub:org/name", None)
    assert files[0] == ("open_clip_config.json",)
    assert asked == [(repository, one) for one in files[1]]


def test_weights_that_are_not_on_the_hub_are_said(monkeypatch):
    monkeypatch.setattr(pretrained, "get_pretrained_cfg", lambda *_: {"url": "https://example.org/a.pt"})
    with pytest.raises(UnknownEncoder, match="are not on the hub") as caught:
        download.checkpoint("ViT-B-32", "openai", allow_download=True, on_progress=print)
    assert "open_clip_torch" in caught.value.hint


def test_what_is_not_on_disk_is_not_asked_of_the_network_where_that_is_not_allowed(monkeypatch):
    calls = []

    def refuse(repository, name, *, local_files_only=False, **_):
        calls.append((name, local_files_only))
        raise FileNotFoundError(name)

    monkeypatch.setattr(download, "hf_hub_download", refuse)
    with pytest.raises(WeightsMissing, match="downloads are not allowed"):
        download.checkpoint("ViT-B-32", "openai", allow_download=False, on_progress=print)
    assert {local for _, local in calls} == {True}
    assert [name for name, _ in calls] == ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]


def test_a_folder_without_weights_is_said(tmp_path):
    with pytest.raises(UnknownEncoder, match="holds no weights"):
        download.checkpoint(f"local-dir:{tmp_path}", None, allow_download=True, on_progress=print)
    name, _ = models.open_clip_name("tiny")
    assert download.checkpoint(name, None, allow_download=False, on_progress=print).endswith(".safetensors")
