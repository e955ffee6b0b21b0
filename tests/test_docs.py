"""README.md and docs/ point at what is there, and the commands in them are ones that photomap takes."""

import re
import shlex
import unicodedata
from pathlib import Path

import messages
import typer
from cases import failures

from photomap_cli.cli import dispatch  # noqa: F401  registers every command
from photomap_cli.cli.app import app

ROOT = Path(__file__).parents[1]
CARD = ROOT / "photomap_cli" / "encoder" / "tiny" / "README.md"
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), CARD]
PAGES += sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
ENDS = re.compile(r"\s(?:\||\|\||&&|;|>|<|#|\d?>).*|;.*|\|$|\\$")


def anchor(heading):
    """Return the address that a heading has on the web."""
    kept = (each for each in heading.lower() if each in " -_" or unicodedata.category(each)[0] in "LN")
    return "".join(kept).strip().replace(" ", "-")


def anchors(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def leads_somewhere(page, path, place):
    target = (page.parent / path) if path else page
    return target.exists() and (not place or place.removeprefix("#") in anchors(target))


def test_every_link_leads_somewhere():
    links = [(page, *link) for page in PAGES for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert len(links) > 25
    assert [(page.name, path + place) for page, path, place in links if not leads_somewhere(page, path, place)] == []


FILE = re.compile(
    r"`([\w./*-]+\.(?:py|c|js|css|svg|service|plist)|(?:scripts|tests|\.ci)/[\w./*-]+|[a-z_]+/(?:[a-z_]+/)*)`"
)
PLACES = ("", "photomap_cli", "docs")
FLOOR = re.compile(r"^\| \d+ \| `([a-z_]+)/` \|", re.MULTILINE)


def is_there(name, rooms=()):
    """Whether a file that a page names exists: by its path, in the room that is spoken of, or alone in any folder."""
    if any(next(ROOT.glob(f"{place}/{name}".lstrip("/")), None) for place in PLACES):
        return True
    if rooms:
        return any(next((ROOT / "photomap_cli" / room).rglob(name), None) for room in rooms)
    return "/" not in name and any(
        next((ROOT / each).rglob(name), None) for each in ("photomap_cli", "tests", "scripts")
    )


def test_every_file_that_a_page_names_exists():
    named, missing = 0, []
    for page in PAGES:
        for line in re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S).splitlines():
            rooms = FLOOR.findall(line)
            files = [each for each in FILE.findall(line) if each.rstrip("/") not in rooms and "NAME" not in each]
            named += len(files)
            missing += [(page.name, each) for each in files if not is_there(each, rooms)]
    assert named > 100
    assert missing == []


def test_a_file_that_is_elsewhere_or_nowhere_is_noticed():
    assert is_there("encoder/residency.py")
    assert is_there("residency.py", ["encoder"])
    assert is_there("scripts/test")
    assert not is_there("residency.py", ["session"])
    assert not is_there("encoder/residence.py")


def test_every_page_is_in_the_readmes_table():
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## More\n", 1)[1]
    linked = {path for path, _ in LINK.findall(table)}
    assert {f"docs/{page.name}" for page in PAGES[4:]} <= linked


def test_what_a_command_is_for_fits_a_line_of_80_columns_in_the_list_of_commands():
    told = {
        name: command.help.strip().splitlines()[0] for name, command in typer.main.get_command(app).commands.items()
    }
    assert {name: line for name, line in told.items() if len(line) > 80 - len("  duplicates  ") - 1} == {}


def test_the_readme_can_be_read_in_two_minutes():
    text = re.sub(r"<!-- help: begin -->.*<!-- help: end -->", "", (ROOT / "README.md").read_text("utf-8"), flags=re.S)
    assert len(text.splitlines()) <= 120


KNOWN_ONLY_WHEN_SAID = re.compile(r"\.\.\.|\d+(?: photos were| photos)?|\([^)]*\)|V?RAM|\S*:\d")


def said_of(page):
    """Yield what a page's tables quote in their first column, cut where only the program knows the words."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            for quoted in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
                yield from (part.strip(" :,;'!?") for part in KNOWN_ONLY_WHEN_SAID.split(quoted))


def test_messages_that_are_explained_are_ones_that_photomap_says():
    said = "\n".join(each.text for each in messages.all_messages())
    explained = [part for part in said_of(ROOT / "docs" / "troubleshooting.md") if len(part) > 14 and " " in part]
    assert len(explained) > 20
    assert [part for part in explained if part not in said] == []


def commands(page):
    """Yield the words of every photomap command in the page's shell blocks."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for found in re.finditer(r"(?:^|&& |nice |; )(photomap .*)", block, re.MULTILINE):
            words = shlex.split(ENDS.sub("", found.group(1)))
            if "--install-completion" not in words:  # it would be done at once
                yield words


def shell_commands(page):
    """Yield each command of the page's shell blocks, whatever program it is, with what stands before it on its line."""
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for line in re.sub(r"(?:\\|\|)\n", "| ", block).splitlines():
            yield re.sub(r" #.*", "", line)


UNGUARDED = re.compile(r"\b(?:(?:cp|mv|rm)\b(?! -[ni]\b)|rsync\b(?!.*--ignore-existing)|ln\b.* -\w*f)")
WRITES_ONE_FILE = re.compile(r"\b(?:tar\b.* -c|montage\b|dd\b|tee\b)")


def writes_over(line):
    return UNGUARDED.search(line) or (WRITES_ONE_FILE.search(line) and not line.startswith("test ! -e "))


def test_no_command_writes_over_what_is_there():
    assert [(page.name, line) for page in PAGES for line in shell_commands(page) if writes_over(line)] == []


def test_commands_are_ones_that_photomap_takes():
    words = [(page.name, words) for page in PAGES for words in commands(page)]
    assert len(words) > 25
    assert failures(take, words) == []


def take(page_and_words):
    """Have Typer read a command line, down to its last group."""
    _, words = page_and_words
    group = typer.main.get_command(app)
    context = group.make_context("photomap", words[1:])
    while hasattr(group, "commands"):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, group, rest = group.resolve_command(context, rest)
        context = group.make_context(name, rest, parent=context)


def test_examples_stand_line_by_line_in_the_man_page():
    page = (ROOT / "docs" / "photomap.1").read_text(encoding="utf-8").replace("\\-", "-").splitlines()
    group = typer.main.get_command(app)
    blocks = [each for command in group.commands.values() for each in command.help.split("\n\n") if "\b" in each]
    lines = [line.strip() for block in blocks for line in block.replace("\b", "").splitlines() if line.strip()]
    assert len(lines) >= 7
    assert [line for line in lines if line not in page] == []
