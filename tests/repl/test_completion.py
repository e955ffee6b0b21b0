import threading
import unicodedata

import pytest
from cases import cases
from fake_conversation import Talk
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from waiting import LONG_SECONDS

from photomap_cli.records import Facets
from photomap_cli.repl.completion.completer import PromptCompleter, is_worth_a_menu, tokens
from photomap_cli.repl.completion.facets import FacetCache


@pytest.fixture
def folder(tmp_path):
    for name in ("Italy", "My Photos", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("pool.jpg", "my pool.JPG", "notes.txt", "Italy/rome.png", "My Photos/sea.heic"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def talk(folder):
    return Talk(cwd=folder)


WORDS = Facets(
    cameras=(("NIKON Z 6", 900), ("Pixel7", 20), ('a "quoted" one', 9), ("evil\x1b", 8)),
    extensions=(("jpg", 900), ("heic", 20)),
    months=(("2023-06", 20), ("2023-05", 1), ("2021-12", 899)),
    folders=(("/photos", 920), ("/photos/Italy", 20), ("/photos/2021/Italian cars", 5)),
    lenses=(("EF 50mm", 7), ("Zuiko", 3)),
    places=(("48.86,2.34,10km", 12), ("-16.50,179.99,10km", 3)),
    suggestions={"rating": ((">=4", 9), ("0", 911)), "kind": (("photo", 920), ("raw", 3)), "has": (("gps", 15),)},
)


def offers(talk, text, words=Facets):
    """Return the whole lines that Tab would make of `text`."""
    found = PromptCompleter(talk.state, words).get_completions(Document(text), CompleteEvent())
    return [text[: len(text) + completion.start_position] + completion.text for completion in found]


@cases(
    ("text", "lines"),
    [
        (":of", [":offload"]),
        (":k", [":k "]),
        (":K", [":k "]),
        (":h", [":help ", ":history"]),
        (":help of", [":help offload"]),
        (":help qu", [":help quit", ":help queries"]),
        (":set ke", [":set keys "]),
        (":set re", [":set results ", ":set prewarm ", ":set min_score ", ":set previews "]),
        (":set timeout", [":set encoder_idle_timeout_seconds "]),
        (":set keys ", [":set keys emacs", ":set keys vi"]),
        (":set prewarm f", [":set prewarm false"]),
        (":save ", [":save Italy/", ':save "My Photos/']),
        (":save dogs", [":save dogs.html", ":save dogs.json", ":save dogs.csv", ":save dogs.txt"]),
        (":save Italy/a.c", [":save Italy/a.csv"]),
        (":timeout ", [":timeout 30", ":timeout 60", ":timeout 5m", ":timeout off"]),
        (":k 2", [":k 20"]),
        (":in I", [":in Italy/"]),
        (":in ", [":in *", ":in Italy/", ':in "My Photos/']),
        (':in "My', [':in "My Photos/']),
        (":in My", [':in "My Photos/']),
        (":in 'My", [':in "My Photos/']),
        (r":in My\ Ph", [':in "My Photos/']),
        (':in "My Photos"', [':in "My Photos/']),
        (":in '", [":in Italy/", ':in "My Photos/']),
        (":save 'my dogs.h", [':save "my dogs.html"']),
        (":save -f Italy/a.c", [":save -f Italy/a.csv"]),
        (":save -f It", [":save -f Italy/", *(f":save -f It{each}" for each in (".html", ".json", ".csv", ".txt"))]),
        (":in .h", [":in .hidden/"]),
        (":nonsense x", []),
        (":status x", []),
        ("dog in:I", ["dog in:Italy/"]),
        ("dog -in:M", ['dog -in:"My Photos/']),
        ("dog ext:h", ["dog ext:heic"]),
        ("dog a", ["dog after:", "dog album:"]),
        ("dog -b", ["dog -before:"]),
        ("dog min:0.2", ["dog min:0.20", "dog min:0.25"]),
        ("dog camera:x", []),
        ("./p", ["./pool.jpg"]),
        ("2:./p", ["2:./pool.jpg"]),
        ("dog -./p", ["dog -./pool.jpg"]),
        ("@", ["@Italy/", '@"My Photos/', '@"my pool.JPG"', "@pool.jpg"]),
        ('@"My Photos/', ['@"My Photos/sea.heic"']),
        ("./my", ['@"./My Photos/', '@"./my pool.JPG"']),
        ("./Italy/", ["./Italy/rome.png"]),
        ("./nowhere/", []),
        ("", []),
    ],
)
def test_what_tab_offers(talk, text, lines):
    assert offers(talk, text) == lines


def test_absolute_paths_and_the_home_folder(talk, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert offers(talk, f"{folder}/po") == [f"{folder}/pool.jpg"]
    assert offers(talk, "~/po") == ["~/pool.jpg"]


def test_results_by_number_with_their_names(talk):
    talk.type("dog")
    assert offers(talk, "#") == ["#1", "#2", "#3"]
    assert offers(talk, ":open ") == [":open 1", ":open 2", ":open 3"]
    assert offers(talk, "dog + 2:#3") == ["dog + 2:#3"]
    assert offers(talk, ":o 1 ") == [":o 1 1", ":o 1 2", ":o 1 3"]
    found = PromptCompleter(talk.state).get_completions(Document("#2"), CompleteEvent())
    assert [completion.display_meta_text for completion in found] == ["photo-002.jpg"]


@cases(
    ("text", "lines"),
    [
        ("dog camera:", ['dog camera:"NIKON Z 6"', "dog camera:Pixel7"]),
        ("dog -camera:z", ['dog -camera:"NIKON Z 6"']),
        ('camera:"nikon z', ['camera:"NIKON Z 6"']),
        ("lens:", ['lens:"EF 50mm"', "lens:Zuiko"]),
        ("lens:ef 5", ['lens:"EF 50mm"']),
        ("dog -rating:", ["dog -rating:>=4", "dog -rating:0"]),
        ("kind:r", ["kind:raw"]),
        ("has:", ["has:gps"]),
        ("orientation:", []),
        ("near:4", ["near:48.86,2.34,10km"]),
        ("year:", ["year:2023", "year:2021"]),
        ("month:", ["month:5", "month:6", "month:12"]),
        ("month:1", ["month:12"]),
        ("month:ju", ["month:june"]),
        ("after:t", ["after:today"]),
        ("before:7", ["before:7d"]),
        ("ext:", ["ext:jpg", "ext:heic"]),
        ("ext:H", ["ext:heic"]),
        ("ext:jpe", ["ext:jpeg"]),
        ("-ext:hei", ["-ext:heic"]),
        ("ext:heif", ["ext:heif"]),
        ("after:", ["after:2023", "after:2021"]),
        ("before:202", ["before:2023", "before:2021"]),
        ("after:2023", ["after:2023-06", "after:2023-05"]),
        ("after:2023-05", ["after:2023-05"]),
        ("in:*", ["in:*"]),
        ("in:It", ["in:Italy/", "in:/photos/Italy", 'in:"/photos/2021/Italian cars"']),
        ("in:car", ['in:"/photos/2021/Italian cars"']),
        ("in:taly", []),
        (":in phot", [":in /photos"]),
    ],
)
def test_values_come_from_the_library(talk, text, lines):
    assert offers(talk, text, lambda: WORDS) == lines


def test_each_value_says_how_many_photos_have_it(talk):
    found = PromptCompleter(talk.state, lambda: WORDS).get_completions(Document("after:"), CompleteEvent())
    assert [completion.display_meta_text for completion in found] == ["21 photos", "899 photos"]


def test_a_folder_that_is_here_is_offered_once(talk, folder):
    words = Facets(folders=((f"{folder}/Italy", 3), ("/elsewhere/Italy", 2)))
    assert offers(talk, "in:it", lambda: words) == ["in:Italy/", "in:/elsewhere/Italy"]


class Reading:
    """A library that is read when it is let."""

    def __init__(self):
        self.may_end, self.ended, self.times = threading.Event(), threading.Event(), 0

    def __call__(self):
        self.times += 1
        self.may_end.wait(LONG_SECONDS)
        return WORDS


def settled(words):
    """Wait for a reading to end."""
    assert words._reading.acquire(timeout=LONG_SECONDS)
    words._reading.release()
    return words()


def test_asking_never_waits_and_the_library_is_read_once_until_it_changes():
    reading, photos = Reading(), [5]
    words = FacetCache(reading, lambda: photos[0])
    assert [words(), words()] == [Facets(), Facets()]
    reading.may_end.set()
    assert (settled(words), settled(words), reading.times) == (WORDS, WORDS, 1)
    photos[0] = 6
    assert (words(), settled(words), reading.times) == (WORDS, WORDS, 2)


def test_a_folder_is_counted_once_the_library_was_read():
    reading = Reading()
    words, (folder, count) = FacetCache(reading, lambda: 5), WORDS.folders[0]
    assert words.photos_below(folder) is None
    reading.may_end.set()
    settled(words)
    assert (words.photos_below(folder), words.photos_below("/elsewhere")) == (count, None)


def test_a_library_that_cannot_be_read_offers_nothing():
    words = FacetCache(lambda: 1 / 0, lambda: 5)
    words()
    assert settled(words) == Facets()


def test_nothing_is_read_before_the_session_is_there():
    reading = Reading()
    assert FacetCache(reading, lambda: None)() == Facets()
    assert reading.times == 0


def test_past_queries_newest_first_once_without_commands(talk):
    talk.front.lines = ["Dog on grass", ":status", "dog in snow", "cat", "Dog on grass"]
    assert offers(talk, "dog") == ["Dog on grass", "dog in snow"]
    assert offers(talk, "") == ["Dog on grass", "cat", "dog in snow"]


def test_a_failure_offers_nothing(talk):
    talk.front.lines = None
    assert offers(talk, "dog") == []


def test_names_that_cannot_be_typed_are_not_offered(talk, folder):
    (folder / "a\nb.jpg").touch()
    assert "\n" not in "".join(offers(talk, "./"))


@pytest.mark.parametrize(
    ("text", "token"),
    [("", ""), ("dog", "dog"), ("dog cat", "cat"), ("dog ", ""), ('in:"My Ph', 'in:"My Ph'), ('"a b" c', "c")],
)
def test_the_token_under_the_cursor(text, token):
    assert tokens(text)[-1] == token


@cases(
    ("text", "lines"),
    [
        ("./my p", ['@"./My Photos/', '@"./my pool.JPG"']),
        ("./My Photos/s", ['@"./My Photos/sea.heic"']),
        ("dog + ./my po", ['dog + @"./my pool.JPG"']),
        ("dog -./my po", ['dog -@"./my pool.JPG"']),
        ("2:./my ", ['2:@"./My Photos/', '2:@"./my pool.JPG"']),
        ("in:My P", ['in:"My Photos/']),
        ("dog in:my ph", ['dog in:"My Photos/']),
        ("dog camera:nikon z", ['dog camera:"NIKON Z 6"']),
        ("in:italian car", ['in:"/photos/2021/Italian cars"']),
        ("./pool.jpg sn", []),
        ("in:Italy x", []),
    ],
)
def test_a_path_goes_on_behind_a_blank_without_quotes(talk, text, lines):
    assert offers(talk, text, lambda: WORDS) == lines


def test_while_typing_past_queries_do_not_pop_up_behind_a_path(talk):
    talk.front.lines = ["./pool.jpg snow"]
    typed = Document("./pool.jpg sn")
    completer = PromptCompleter(talk.state)
    assert list(completer.get_completions(typed, CompleteEvent(text_inserted=True))) == []
    assert len(list(completer.get_completions(typed, CompleteEvent(completion_requested=True)))) == 1


@cases(
    ("text", "is_worth"),
    [
        (":", True),
        ("dog #", True),
        ("@", True),
        ("./", True),
        ("-in:", True),
        ("dog camera:", True),
        ("after:2", True),
        ("name:", False),
        ("dog", False),
        ("", False),
        ("t-shirt", False),
        ("./My ", True),
        ("dog in:2019 Nor", True),
        ('in:"My Photos" dog', False),
    ],
)
def test_where_a_menu_pops_up(text, is_worth):
    assert is_worth_a_menu(text) is is_worth


APART = unicodedata.normalize("NFD", "Été")


@pytest.mark.parametrize("typed", ["Été", APART, "été", "É"])
def test_names_are_completed_in_whatever_form_they_are_typed(talk, folder, typed):
    (folder / APART).mkdir()
    (folder / APART / "a.jpg").touch()
    assert offers(talk, f"./{typed}") == [f"./{APART}/"]
    assert offers(talk, f":in {typed}") == [f":in {APART}/"]
    assert offers(talk, f"dog in:{typed}") == [f"dog in:{APART}/"]


def test_folders_are_looked_into_in_whatever_form_they_are_typed(talk, folder):
    (folder / APART / "sub").mkdir(parents=True)
    (folder / APART / "a.jpg").touch()
    assert offers(talk, "./Été/") == ["./Été/a.jpg", "./Été/sub/"]
    assert offers(talk, "in:Été/") == ["in:Été/sub/"]


def test_the_librarys_words_are_completed_in_whatever_form_they_are_typed(talk):
    words = Facets(cameras=(("Caméra Un", 1),), folders=((f"/pictures/{APART}", 5),))
    assert offers(talk, unicodedata.normalize("NFD", "camera:CAMÉ"), lambda: words) == ['camera:"Caméra Un"']
    assert offers(talk, "in:été", lambda: words) == [f"in:/pictures/{APART}"]


def test_a_folder_here_is_not_offered_again_in_another_form(talk, folder):
    (folder / APART).mkdir()
    words = Facets(folders=((f"{folder}/Été", 5),))
    assert offers(talk, "in:Été", lambda: words) == [f"in:{APART}/"]
