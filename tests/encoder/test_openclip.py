import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import open_clip  # noqa: E402  torch first
from safetensors.torch import load_file, save, save_file  # noqa: E402

from photomap_cli.encoder import openclip  # noqa: E402  torch first
from photomap_cli.encoder.models import open_clip_name  # noqa: E402
from photomap_cli.errors import EncoderDied, EncoderFailed, EncoderOutOfMemory  # noqa: E402


def load(spec):
    name, tag = open_clip_name(spec)
    return openclip.load(
        spec=spec,
        name=name,
        tag=tag,
        device="cpu",
        precision="float32",
        allow_download=False,
        on_progress=lambda *_: None,
    )


@pytest.fixture(scope="module")
def tiny():
    return load("tiny")


@pytest.fixture
def trained(tmp_path):
    """A copy of the embedded encoder, to be trained on; its weights are where it says."""
    copy = shutil.copytree(Path(openclip.__file__).parent / "tiny", tmp_path / "mine")
    return f"local-dir:{copy}", copy / "open_clip_model.safetensors"


def change_one_norm(weights, target):
    """Write the weights with one number of one small tensor changed."""
    tensors = load_file(weights)
    tensors["ln_final.bias"] = tensors["ln_final.bias"].clone()
    tensors["ln_final.bias"][3] += 1e-3
    target.write_bytes(save(tensors))


@pytest.fixture
def small_card(tiny, monkeypatch):
    """The tiny encoder on something that has room for this many pictures at a time; the batches it was given."""
    tried = []
    monkeypatch.setattr(tiny._parallel, "_cores", 1)  # a card takes a batch whole

    def install(room):
        rows = tiny._image_rows

        def limited(pixels):
            tried.append(len(pixels))
            if len(pixels) > room:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
            return rows(pixels)

        monkeypatch.setattr(tiny, "_image_rows", limited)
        return tried

    tiny._batch_sizer.forget_failures()
    return install


def fitting(tiny, number):
    return np.random.default_rng(3).integers(0, 256, (number, *tiny.info.image_size, 3), dtype=np.uint8)


def test_a_batch_without_room_is_halved_until_it_fits_and_the_answer_is_the_same(tiny, small_card):
    batch = fitting(tiny, 11)
    expected = tiny.encode_images(batch)
    tried = small_card(3)
    rows = tiny.encode_images(batch)
    assert np.allclose(rows, expected, atol=1e-5)
    assert tried == [11, 6, 3, 3, 3, 2]
    tried.clear()
    tiny.encode_images(batch)
    assert max(tried) == 3, "what fitted last time is tried first"


def test_a_single_picture_without_room_is_told(tiny, small_card):
    small_card(0)
    with pytest.raises(EncoderOutOfMemory, match="no room"):
        tiny.encode_images(fitting(tiny, 4))


@pytest.mark.parametrize(("text", "is_cut"), [("dog", False), ("a " * 22, False), ("dog on a beach, " * 9, True)])
def test_what_it_does_not_read_of_a_text_does_not_count(tiny, text, is_cut):
    read = tiny.letters_read(text)
    assert (read < len(text.strip())) == is_cut
    whole, counted, less = tiny.encode_text([text, text[:read], text[: read - 1]])
    assert np.array_equal(whole, counted)
    assert not np.array_equal(whole, less) or not is_cut


def test_no_pictures_are_no_rows(tiny):
    assert tiny.encode_images(fitting(tiny, 0)).shape == (0, tiny.info.dim)


@pytest.mark.parametrize("shape", ["RN50", "coca_ViT-B-32", "ViT-B-32-256"])
def test_a_model_whose_tensors_are_the_files_is_the_one_that_is_read_into_ram(tmp_path, shape):
    """Batch norms, two text towers, and in all of them masks that no file holds."""
    config = open_clip.get_model_config(shape)
    config |= {"embed_dim": 64, "text_cfg": {**config["text_cfg"], "vocab_size": 64, "layers": 1}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    name, file = f"local-dir:{tmp_path}", tmp_path / "open_clip_model.safetensors"
    save_file(open_clip.create_model(name).state_dict(), file)
    read, mapped = open_clip.create_model(name), openclip._mapped(name, None, str(file))
    expected, found = ({**dict(m.named_parameters()), **dict(m.named_buffers())} for m in (read, mapped))
    assert expected.keys() == found.keys()
    # By their bytes: what open_clip leaves unfilled in new models may be no number, which equals nothing.
    assert all(bits(expected[each]) == bits(found[each]) for each in expected)


def bits(tensor):
    return tensor.shape, tensor.detach().contiguous().numpy().tobytes()


def test_attention_makes_no_plan_for_every_size_of_a_batch(tiny):
    assert not torch.backends.cuda.cudnn_sdp_enabled()


def test_the_same_weights_are_known_under_any_name_and_others_under_the_same_one(tiny, trained):
    spec, weights = trained
    assert load(spec).info.fingerprint == tiny.info.fingerprint
    new = weights.with_name("new")
    change_one_norm(weights, new)
    new.replace(weights)
    assert load(spec).info.fingerprint not in (tiny.info.fingerprint, "")


def test_weights_that_are_written_to_under_a_loaded_encoder_end_it(trained):
    spec, weights = trained
    encoder = load(spec)
    before = encoder.encode_text(["a red car"])
    with weights.open("r+b") as file:  # as who saves to the same place does; what is mapped changes with it
        file.seek(-4, os.SEEK_END)
        file.write(b"\0\0\0\0")
    os.utime(weights, ns=(1, 1))
    with pytest.raises(EncoderDied, match="changed while in use"):
        encoder.encode_text(["a red car"])
    assert before.shape == (1, encoder.info.dim)


def test_weights_in_the_place_of_loaded_ones_leave_those_as_they_are(trained):
    spec, weights = trained
    encoder = load(spec)
    before = encoder.encode_text(["a red car"])
    new = weights.with_name("new")
    change_one_norm(weights, new)
    new.replace(weights)
    np.testing.assert_array_equal(encoder.encode_text(["a red car"]), before)
    assert (load(spec).encode_text(["a red car"]) != before).any()


def test_weights_that_change_while_they_are_loaded_are_refused(trained, monkeypatch):
    spec, weights = trained
    build = openclip._mapped

    def overtaken(*where):
        model = build(*where)
        os.utime(weights, ns=(1, 1))
        return model

    monkeypatch.setattr(openclip, "_mapped", overtaken)
    with pytest.raises(EncoderFailed, match="changed while they were loaded"):
        load(spec)
