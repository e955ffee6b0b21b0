"""`photomap map` as a user runs it, on drawn photos whose kinds are known, with the embedded encoder."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest
from command_line import run_here
from drawing.picture import make_picture

NAMES = {
    "sunset": {"sunset", "sunrise", "sunset over the sea"},
    "pizza": {"pizza"},
    "fireworks": {"fireworks"},
    "lighthouse": {"lighthouse"},
    "northern lights": {"northern lights"},
    "cat": {"cat", "kitten"},
}
"""What a group of each kind may be called."""

EACH = 7


@pytest.fixture(scope="module")
def photomap(tmp_path_factory, one_encoder_process):
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHOTOMAP_", "XDG_"))}
    environment = {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), "COLUMNS": "100"}
    (home / "run").mkdir(mode=0o700)

    def run(*words):
        return run_here(*words, cwd=home, environment=environment)

    for kind in NAMES:
        (home / "photos" / kind).mkdir(parents=True)
        for number in range(EACH):
            make_picture(kind, seed=100 + number, size=(96, 72)).save(home / "photos" / kind / f"{number}.png")
    done = run("index", "photos", "--encoder", "tiny", "--quiet")
    assert done.returncode == 0, done.stderr
    return run


def test_groups_are_the_kinds_of_photos_and_are_called_so(photomap):
    done = photomap("map", "--json", "--clusters", str(len(NAMES)))
    assert done.returncode == 0, done.stderr
    drawn = json.loads(done.stdout)
    kinds = {point["path"]: point["path"].split("/")[-2] for point in drawn["points"]}
    assert len(kinds) == len(NAMES) * EACH
    pure = 0
    for cluster in drawn["clusters"]:
        members = [kinds[point["path"]] for point in drawn["points"] if point["cluster"] == cluster["id"]]
        ((kind, count),) = Counter(members).most_common(1)
        pure += count
        assert cluster["name"] in NAMES[kind], (cluster["name"], kind)
        assert {kinds[path] for path in cluster["representatives"]} == {kind}
    assert pure >= 0.95 * len(kinds)
    assert all(0 <= point[axis] <= 1 for point in drawn["points"] for axis in "xy")


def test_a_groups_name_finds_its_photos(photomap):
    row = photomap("map", "--clusters", str(len(NAMES))).stdout.splitlines()[-1]
    _, count, name, path = row.split("\t")
    hits = photomap("search", "--paths", name, "-k", count).stdout.splitlines()
    kind = path.split("/")[-2]
    assert sum(hit.split("/")[-2] == kind for hit in hits) >= 0.7 * int(count)


def test_the_map_of_a_folder_has_its_photos_alone(photomap):
    drawn = json.loads(photomap("map", "--json", "--in", "photos/cat").stdout)
    assert drawn["count"] == EACH
    drawn = json.loads(photomap("map", "--json", "ext:png", "-in:photos/cat", "--clusters", "4").stdout)
    assert (drawn["count"], len(drawn["clusters"])) == (len(NAMES) * EACH - EACH, 4)


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("dog",), "dog is not a filter", "example: after:2023"),
        (("name:0.png", "in:photos/cat"), "a map needs at least 5 photos; there is 1", "index more"),
        (("--library", "nowhere"), "there is no library", "`photomap index"),
        (("--clusters", "53"), "takes a whole number from 1 to 52", "photomap map --help"),
        (("--in", "nowhere"), "isn't a folder", "give a folder"),
    ],
)
def test_what_cannot_be_drawn_says_why_and_what_to_do(photomap, words, said, hint):
    done = photomap("map", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert f"hint: {hint}" in done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_json_where_json_was_asked_for(photomap):
    done = photomap("map", "--json", "name:0.png", "in:photos/cat")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "too_few_photos"


def test_a_page_is_written_whole_with_every_thumbnail(photomap, tmp_path):
    done = photomap("map", "--html", str(tmp_path / "map.html"))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"a map of {len(NAMES) * EACH} photos saved to {tmp_path / 'map.html'}, " in done.stderr
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    data = json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])
    assert len(data["thumbnails"]) == len(data["names"]) == len(NAMES) * EACH
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


def test_a_page_that_cannot_be_written_says_so(photomap, tmp_path):
    done = photomap("map", "--html", str(tmp_path / "nowhere" / "map.html"))
    assert done.returncode == 2
    assert "nowhere isn't a folder" in done.stderr


def test_a_page_takes_no_files_place_unasked(photomap, tmp_path):
    page = tmp_path / "map.html"
    page.write_text("precious")
    refused = photomap("map", "--html", str(page))
    assert (refused.returncode, page.read_text()) == (2, "precious")
    assert "hint: --force overwrites it" in refused.stderr
    assert photomap("map", "--html", str(page), "--force").returncode == 0
    assert page.stat().st_size > 10_000


def test_a_dash_is_standard_output_for_the_page(photomap):
    done = photomap("map", "--html", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("<!DOCTYPE html>")
    refused = photomap("map", "--html", "-", "--json")
    assert refused.returncode == 2
    assert "both write to standard output" in refused.stdout


def test_a_group_lists_its_own_photos(photomap):
    clusters = ("--clusters", str(len(NAMES)))
    drawn = json.loads(photomap("map", "--json", *clusters).stdout)
    cluster = drawn["clusters"][1]
    members = {point["path"] for point in drawn["points"] if point["cluster"] == cluster["id"]}
    for word in ("B", "b", "2", cluster["name"]):
        done = photomap("map", "--group", word, *clusters)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        assert done.returncode == 0, done.stderr
        assert {row[2] for row in rows} == members
    found = json.loads(photomap("map", "--group", "B", "--json", *clusters).stdout)
    assert (found["query"], found["count"]) == (cluster["name"], cluster["count"])
    assert {hit["path"] for hit in found["hits"]} == members
    refused = photomap("map", "--group", "Z", *clusters)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "`photomap map` shows them" in refused.stderr
