"""Videos: which picture stands for one, and what is known of it."""

import sys

import numpy as np
import pytest
import videos
from PIL import Image
from videos import SIZE, black, faded, made, scene

from photomap_cli.errors import BadImage
from photomap_cli.images.decode import ReadOptions, read
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit

FIT = PixelFit(SIZE[::-1], "squash")


def error(picture, expected=None):
    expected = scene() if expected is None else expected
    return np.abs(np.asarray(picture.image, int) - np.asarray(expected, int)).mean()


def reason(path):
    with pytest.raises(BadImage) as caught:
        read(path, FIT)
    return caught.value.message


def test_without_pyav_a_video_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(40))
    assert reason(tmp_path / "a.mp4") == 'a video: pip install "photomap-cli[video]" reads videos'


def test_a_picture_that_is_called_a_video_is_a_picture(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    scene().save(tmp_path / "a.mp4", "JPEG", quality=95)
    assert read(tmp_path / "a.mp4", FIT).facts.kind == "photo"


# With PyAV


@pytest.mark.parametrize("name", ["CLIP_1", "a.jpg", "a.mp4~"])
def test_a_video_is_one_whatever_it_is_called(tmp_path, name):
    made(tmp_path / "a.mov").rename(tmp_path / name)
    facts = read(tmp_path / name, FIT).facts
    assert (facts.kind, facts.extension) == ("video", "mov")


@pytest.mark.parametrize("ending", ["mp4", "MOV", "m4v", "avi", "mkv", "webm", "3gp", "mts", "mpg"])
def test_every_container_is_read(tmp_path, ending):
    picture = read(made(tmp_path / f"a.{ending}"), FIT, ReadOptions(thumbnail_px=48))
    facts = picture.facts
    assert error(picture) < 12
    assert (facts.kind, facts.width, facts.height, facts.orientation) == ("video", *SIZE, 1)
    assert (facts.taken_at, facts.damage) == (None, None)
    if ending != "mpg":  # which does not say; what is guessed of a few pictures is wrong
        assert facts.seconds == pytest.approx(0.8 if ending == "mts" else 2, abs=0.1)
    assert picture.thumbnail.startswith(b"RIFF")


@pytest.mark.parametrize(
    "pictures",
    [
        [black()] * 15 + [scene()] * 5,
        [Image.new("RGB", SIZE, "white")] * 12 + [scene()] * 8,
        [faded(min(1, number / 60)) for number in range(100)],
        [scene()] * 3 + [black()] * 27,
        [black()] * 27 + [scene()] * 3,
        [scene()],
    ],
    ids=["black first", "white first", "a long fade", "black at its end", "only at its end", "one picture"],
)
def test_the_picture_that_shows_something_stands_for_a_video(tmp_path, pictures):
    assert error(read(made(tmp_path / "a.mp4", pictures), FIT)) < 20


def test_a_video_that_shows_nothing_is_one_all_the_same(tmp_path):
    assert error(read(made(tmp_path / "a.mp4", [black()] * 20), FIT), black()) < 3


def test_no_more_is_looked_at_than_there_is_time_for(tmp_path, monkeypatch):
    monkeypatch.setattr("photomap_cli.images.video.SECONDS", -1.0)
    pictures = [black()] * 15 + [scene()] * 5
    assert error(read(made(tmp_path / "a.mp4", pictures), FIT), black()) < 3


def test_a_video_is_turned_as_its_container_says(tmp_path):
    path = videos.turned_to_the_right(made(tmp_path / "a.mp4"))
    picture = read(path, PixelFit(SIZE, "squash"))
    assert error(picture, scene().transpose(Image.Transpose.ROTATE_270)) < 12
    assert (picture.facts.width, picture.facts.height, picture.facts.orientation) == (*SIZE[::-1], 6)


@pytest.mark.parametrize(
    ("told", "taken_at"),
    [
        ({"creation_time": "2023-05-06T10:11:12.000000Z"}, "2023-05-06T12:11:12"),
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, None),
        ({"creation_time": "2999-01-01T00:00:00.000000Z"}, None),
        (
            {"creation_time": "2023-05-06T10:11:12Z", "com.apple.quicktime.creationdate": "2023-05-06T19:11:12+0900"},
            "2023-05-06T19:11:12",
        ),
        ({"com.apple.quicktime.creationdate": "yesterday"}, None),
    ],
)
def test_a_video_says_when_it_was_taken(tmp_path, told, taken_at, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert read(made(tmp_path / "a.mov", told=told), FIT).facts.taken_at == taken_at
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_video_says_where_and_with_what_it_was_taken(tmp_path):
    names = ("make", "model", "location.ISO6709")
    values = ("Apple", "iPhone 15", "+48.8577-002.2950+035.000/")
    told = {f"com.apple.quicktime.{name}": value for name, value in zip(names, values, strict=True)}
    facts = read(made(tmp_path / "a.mov", told=told), FIT).facts
    assert (facts.camera, facts.latitude, facts.longitude) == ("Apple iPhone 15", 48.8577, -2.295)


def test_a_video_that_cannot_be_read_says_why(tmp_path):
    content = made(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.webm").write_bytes(b"a letter")
    (tmp_path / "empty.mov").write_bytes(b"")
    videos.sound(tmp_path / "sound.mp4")
    assert {path.name: reason(path) for path in sorted(tmp_path.iterdir()) if path.name != "a.mp4"} == {
        "cut.mp4": "truncated",
        "empty.mov": "the file is empty",
        "sound.mp4": "no pictures in it, or in a format that can't be read",
        "text.webm": "damaged, or in a format that can't be read",
    }


def test_a_video_is_refused_by_its_size_like_a_picture(tmp_path):
    with pytest.raises(BadImage, match=r"too large: .* \(max_image_megapixels\)"):
        read(made(tmp_path / "a.mp4"), FIT, ReadOptions(max_megapixels=0.001))


def test_a_cut_video_shows_what_there_is(tmp_path):
    av = pytest.importorskip("av", reason=videos.NO_DECODER)
    path = made(tmp_path / "a.mp4", [scene()] * 60)
    with (
        av.open(str(path)) as film,
        av.open(str(tmp_path / "b.mp4"), "w", options={"movflags": "faststart"}) as streamed,
    ):
        stream = streamed.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                streamed.mux(packet)
    content = (tmp_path / "b.mp4").read_bytes()
    (tmp_path / "b.mp4").write_bytes(content[: len(content) * 3 // 4])
    picture = read(tmp_path / "b.mp4", FIT)
    assert error(picture) < 12
    assert picture.facts.damage == "truncated; its beginning can be seen"


def test_a_decode_process_reads_videos(tmp_path):
    path = made(tmp_path / "a.mp4")
    with DecodePool() as pool:
        assert pool.decode(path, FIT).facts.kind == "video"
