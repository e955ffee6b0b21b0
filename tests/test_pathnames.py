import unicodedata

import pytest
from cases import cases
from folding_disk import FoldingDisk

from photomap_cli import pathnames
from photomap_cli.library.file_types import EXTENSIONS
from photomap_cli.pathnames import Form, extensions_like, form_in, key, known_as, on_disk, real, twins, within

ETE, APART = "Été", unicodedata.normalize("NFD", "Été")
HALF = "É" + unicodedata.normalize("NFD", "té")


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("there", [ETE, APART, HALF])
@pytest.mark.parametrize("typed", [ETE, APART, HALF])
def test_a_name_is_found_in_whatever_form_it_is_typed(tmp_path, there, typed):
    make(tmp_path, f"{there}/{there}.jpg")
    assert on_disk(f"{tmp_path}/{typed}/{typed}.jpg") == f"{tmp_path}/{there}/{there}.jpg"


def test_where_both_forms_are_there_each_is_itself(tmp_path):
    make(tmp_path, f"{ETE}/a.jpg", f"{APART}/b.jpg")
    assert on_disk(f"{tmp_path}/{ETE}/a.jpg") == f"{tmp_path}/{ETE}/a.jpg"
    assert on_disk(f"{tmp_path}/{APART}/a.jpg") == f"{tmp_path}/{APART}/a.jpg"
    assert on_disk(f"{tmp_path}/{HALF}") == f"{tmp_path}/{ETE}"


def test_case_counts_where_the_disk_tells_it(tmp_path):
    make(tmp_path, "Italy/a.jpg", f"{ETE}/a.jpg")
    assert on_disk(f"{tmp_path}/italy/a.jpg") == f"{tmp_path}/italy/a.jpg"
    assert on_disk(f"{tmp_path}/{APART.lower()}") == f"{tmp_path}/{APART.lower()}"
    make(tmp_path, "italy/b.jpg")
    assert on_disk(f"{tmp_path}/italy/A.jpg") == f"{tmp_path}/italy/A.jpg"


def test_a_second_name_of_a_file_is_no_sign_that_case_is_folded(tmp_path):
    make(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "A.jpg").hardlink_to(tmp_path / "a.jpg")
    assert on_disk(f"{tmp_path}/A.jpg") == f"{tmp_path}/A.jpg"
    assert on_disk(f"{tmp_path}/a.jpg") == f"{tmp_path}/a.jpg"
    assert form_in(str(tmp_path), ["a.jpg", "b.jpg", "A.jpg"]) is Form.COMPOSED


@pytest.mark.parametrize("typed", ["Italy/Rome.JPG", "italy/rome.jpg", "ITALY/ROME.JPG", "Italy/rome.JPG"])
def test_case_does_not_count_where_the_disk_folds_it(tmp_path, typed):
    make(tmp_path, "Italy/Rome.JPG")
    assert on_disk(f"{tmp_path}/{typed}", FoldingDisk(tmp_path)) == f"{tmp_path}/Italy/Rome.JPG"


@pytest.mark.parametrize("typed", [ETE, APART, HALF, ETE.upper(), APART.lower()])
def test_nor_does_the_form_where_the_disk_folds_that(tmp_path, typed):
    make(tmp_path, f"{APART}/a.jpg")
    assert on_disk(f"{tmp_path}/{typed}/a.jpg", FoldingDisk(tmp_path)) == f"{tmp_path}/{APART}/a.jpg"


@pytest.mark.parametrize("path", ["/", "", "/nowhere/é/x", "//x/y", "/a\0é", "/\udce9/x", "relative/é"])
def test_what_is_not_there_stays_as_it_is(path):
    assert on_disk(path) == path


def test_a_folder_that_cannot_be_listed_has_no_other_spellings(tmp_path, monkeypatch):
    make(tmp_path, f"{APART}/a.jpg")
    monkeypatch.setattr(pathnames.os, "listdir", lambda _: (_ for _ in ()).throw(PermissionError))
    assert on_disk(f"{tmp_path}/{ETE}/a.jpg") == f"{tmp_path}/{ETE}/a.jpg"


def test_links_stay_unless_the_real_path_is_asked_for(tmp_path):
    make(tmp_path, f"{APART}/a.jpg")
    (tmp_path / "link é").symlink_to(APART)
    decomposed = unicodedata.normalize("NFD", "link é")
    assert on_disk(f"{tmp_path}/{decomposed}/a.jpg") == f"{tmp_path}/link é/a.jpg"
    assert real(f"{tmp_path}/{decomposed}/a.jpg") == f"{tmp_path}/{APART}/a.jpg"


def test_a_path_that_is_gone_is_one_of_the_same_letters_that_is_known():
    assert known_as(f"/gone/{ETE}", [f"/gone/{APART}", "/gone/x"]) == f"/gone/{APART}"
    assert known_as(f"/gone/{ETE}", [f"/gone/{APART}", f"/gone/{ETE}"]) == f"/gone/{ETE}"
    assert known_as(f"/gone/{ETE.lower()}", [f"/gone/{APART}"]) == f"/gone/{ETE.lower()}"


def test_a_path_that_is_there_is_one_that_is_known_only_if_both_are_one_file(tmp_path):
    make(tmp_path, f"{ETE}/a.jpg", f"{APART}/a.jpg")
    assert known_as(f"{tmp_path}/{ETE}", [f"{tmp_path}/{APART}"]) == f"{tmp_path}/{ETE}"
    disk = FoldingDisk(tmp_path)
    assert known_as(f"{tmp_path}/{ETE}", [f"{tmp_path}/{APART.lower()}"], disk) == f"{tmp_path}/{APART.lower()}"


def test_a_folder_within_the_paths_of_files():
    files = ["/p/a.jpg", f"/p/{APART}/b/{APART}.jpg", "/p/Étéx/a.jpg"]
    assert within(f"/p/{ETE}", files) == f"/p/{APART}"
    assert within(f"/p/{ETE}/b/{ETE}.jpg", files) == f"/p/{APART}/b/{APART}.jpg"
    assert within("/p/É", files) == "/p/É"


def test_twins_differ_in_form_alone():
    assert twins(["a", ETE, "b", APART, "é"]) == {ETE, APART}
    assert twins(["a", "A", ETE]) == frozenset()


def test_the_form_of_a_folder_is_asked_of_its_disk(tmp_path):
    make(tmp_path, "1.jpg", "a.jpg")
    assert form_in(str(tmp_path), ["1", "a.jpg"]) is Form.COMPOSED
    assert form_in(str(tmp_path), ["1", "a.jpg"], FoldingDisk(tmp_path)) is Form.FOLDED
    assert form_in(str(tmp_path), ["1", "2"], FoldingDisk(tmp_path)) is Form.COMPOSED
    assert form_in(str(tmp_path), []) is Form.COMPOSED


def test_names_in_any_case():
    assert key("ÉTÉ") == key(APART) == "été"
    assert [form.of(APART.upper()) for form in (Form.EXACT, Form.COMPOSED, Form.FOLDED)] == [
        APART.upper(),
        "ÉTÉ",
        "été",
    ]


@cases(
    ("extension", "alike"),
    [
        ("jpg", {"jpg", "jpeg", "jpe", "jfif", "mpo"}),
        ("jpeg", {"jpg", "jpeg", "jpe", "jfif", "mpo"}),
        ("tif", {"tif", "tiff"}),
        ("heif", {"heic", "heif", "hif", "heics", "heifs"}),
        ("jpx", {"jp2", "j2k", "j2c", "jpc", "jpf", "jpx"}),
        ("png", {"png", "apng"}),
        ("bmp", {"bmp", "dib"}),
        ("webp", {"webp"}),
        ("ppm", {"pnm", "ppm", "pgm", "pbm", "pfm"}),
        ("nef", {"nef"}),
        ("", {""}),
    ],
)
def test_extensions_of_one_kind(extension, alike):
    assert set(extensions_like(extension)) == alike


def test_what_is_like_a_photos_extension_is_a_photos_too():
    assert {alike for extension in EXTENSIONS for alike in extensions_like(extension)} == EXTENSIONS
