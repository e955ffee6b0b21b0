"""What docs/queries.md says about the language is what the parser does."""

import re
from pathlib import Path

import pytest
from cases import cases

from photomap_cli.errors import BadQuery
from photomap_cli.records import FilterKind
from photomap_cli.search import query_format
from photomap_cli.search.query import parse

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CWD = "/photos"


def rows(heading):
    """Return the cells of the rows of the first table below a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cases(("typed", "read"), [(row[0].strip("| `"), row[1].strip("| `")) for row in rows("Terms")])
def test_terms_are_read_as_the_page_says(typed, read):
    assert query_format.format(parse(typed, cwd=CWD), cwd=CWD) == read


def test_every_filter_is_on_the_page_with_an_example_that_is_read():
    table = rows("Filters")
    names = [row[0].strip("| `").partition(":")[0] for row in table]
    assert names == [*(kind.value for kind in FilterKind), "min"]
    for name, row in zip(names, table, strict=True):
        understood = parse(f"dog {row[2].strip('| `')}", cwd=CWD)
        assert understood.min_score == 0.25 if name == "min" else understood.filters[0].kind == name


@pytest.mark.parametrize(("typed", "told"), [(row[0].strip("| `"), row[1].strip("| ")) for row in rows("Mistakes")])
def test_mistakes_are_told_as_the_page_says(typed, told):
    with pytest.raises(BadQuery) as caught:
        parse(typed, cwd=CWD)
    assert caught.value.message == told
    assert caught.value.position is not None


def test_the_queries_of_the_readme_are_read():
    table = README.split("## Queries\n", 1)[1].split("\n## ", 1)[0]
    queries = [found for line in table.splitlines() for found in re.findall(r"^\| `([^`]+)`", line)]
    assert len(queries) >= 6
    for text in queries:
        parse(text, cwd=CWD)
