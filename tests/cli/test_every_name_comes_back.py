"""Files of 100 random names go through the library and come back by every way out: as queries, lists, exports."""

import csv
import json
import os
import random
import re
import socket
import sys
import unicodedata
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from photomap_cli.cli import run
from photomap_cli.records import SearchResult
from photomap_cli.views import export

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="file systems that take any name")

COUNT = 100
APART = unicodedata.normalize("NFD", "Ångström Été 한글")
STARTS = (
    "",
    "+",
    "-",
    " ",
    "#3",
    "@",
    "~",
    "'",
    '"',
    "2:",
    "in:",
    "-ext:",
    "after:2023 ",
    "like 3",
    "--",
    ":k ",
    "$(",
    "%",
)
PIECES = (
    *(
        "a",
        "B",
        "7",
        "é",
        "e\u0301",
        "Ångström Été 한글",
        APART,
        "日本",
        "👩‍👩‍👧",
        "\u202egpj",
        "\u2028",
        "\u00a0",
        "\u3000",
        "ﬁ",
        "ß",
    ),
    *(
        " ",
        "  ",
        "\t",
        "\n",
        "\r",
        "\x1b[31m",
        "\x07",
        "\x7f",
        "\x85",
        '"',
        "'",
        "\\",
        '\\"',
        "`",
        "$HOME",
        "&amp;",
        "<b>",
    ),
    *(
        " + ",
        " - ",
        " -x",
        "+1",
        "#2",
        "@a",
        "*",
        "?",
        "[x]",
        "]",
        "{a,b}",
        "|",
        ";",
        ":",
        "%20",
        "=",
        ",",
        "!",
        "~",
        "–",
    ),
    *("in:x", "min:0.5", "https:", "..", ".jpg", "name:*", " or "),
)


def random_names(seed=12):
    rng = random.Random(seed)
    names = dict.fromkeys(["Été.jpg", unicodedata.normalize("NFD", "Été.jpg"), "'.jpg", '".jpg', "\n.jpg", "2:a.jpg"])
    while len(names) < COUNT:
        middle = "".join(rng.choices(PIECES, k=rng.randint(1, 6)))
        name = f"{rng.choice(STARTS)}{middle}.jpg"
        if not name.startswith(".") and len(os.fsencode(name)) <= 255:
            names[name] = None
    return list(names)


@pytest.fixture
def paths(tmp_path):
    """Make a picture of every name and index them; return their paths."""
    folder = tmp_path / "of any name"
    folder.mkdir()
    for number, name in enumerate(random_names()):
        Image.new("RGB", (32, 24), (number * 2, 255 - number * 2, number * 37 % 256)).save(folder / name, "JPEG")
    assert run([f"--library={tmp_path}/library", "--quiet", "index", "--encoder", "tiny", str(folder)]) == 0
    return [str(folder / name) for name in random_names()]


@pytest.fixture
def search(tmp_path, capfdbinary):
    """Return a function that searches the whole library and returns what is printed."""

    def search(*words):
        capfdbinary.readouterr()
        options = ("-k", "1000", "--min-score", "-1", "--no-collapse", "--in", "*")
        status = run([f"--library={tmp_path}/library", "search", *options, *words])
        out, err = capfdbinary.readouterr()
        assert status == 0, (words, err)
        return out

    return search


def listed(out, end="\0"):
    return os.fsdecode(out).removesuffix(end).split(end)


def test_every_name_comes_back_by_every_way(paths, search, tmp_path, monkeypatch):
    others = {path: set(paths) - {path} for path in paths}
    for path in paths:  # a picture is not in its own results: it was taken for that file, and all others were found
        assert set(listed(search("-0", path))) == others[path], path
    monkeypatch.chdir(tmp_path / "of any name")
    for path in paths:
        assert set(listed(search("-0", f"./{Path(path).name}"))) == others[path], path
    asked = paths[0]
    whole = search("--paths", asked).decode()
    assert sorted(whole) == sorted("".join(f"{path}\n" for path in others[asked]))
    answer = json.loads(search("--json", asked))
    assert {hit["path"] for hit in answer["hits"]} == others[asked]
    assert {json.loads(line)["path"] for line in search("--jsonl", asked).splitlines()} == others[asked]
    assert set(saved(answer, tmp_path)) == {(ending, path) for ending in ("json", "csv") for path in others[asked]}
    search("--html", str(tmp_path / "page.html"), asked)
    assert set(linked(tmp_path / "page.html")) == others[asked]


def saved(answer, folder):
    """Yield what the prompt's `:save` puts into files, as (ending, path)."""
    result = SearchResult.from_json({name: value for name, value in answer.items() if name != "version"})
    for ending in ("json", "csv", "txt"):
        export.save(result, folder / f"saved.{ending}", as_page=lambda _: (), over=False, hint="")
    yield from (("json", hit["path"]) for hit in json.loads((folder / "saved.json").read_text())["hits"])
    with (folder / "saved.csv").open(encoding="utf-8-sig", newline="") as file:
        yield from (("csv", row["path"]) for row in csv.DictReader(file))
    lines = (folder / "saved.txt").read_bytes().decode()
    assert lines == "".join(f"{hit['path']}\n" for hit in answer["hits"])


def linked(page):
    """Yield the paths that the links of a page lead to."""
    links = re.findall(r'href="file://([^"]*)"', page.read_text(encoding="utf-8"))
    yield from (unquote(unescape(link)).removeprefix(socket.gethostname()) for link in links)
