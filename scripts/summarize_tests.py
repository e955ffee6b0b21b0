"""Ends a run of the tests: how many passed, what was skipped and why, the ten slowest, and last what failed, whole.

`python scripts/summarize_tests.py RESULTS.xml...`, as pytest's --junitxml writes them, has status 1 if one failed.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOWEST = 10
FAILED = ("failure", "error")
NOTHING_WRITTEN = re.compile(r"^-+ Captured \w+ -+\n\s*(?=^-+ Captured|\Z)", re.MULTILINE)


class Test(NamedTuple):
    """One test: `outcome` is passed, skipped, failure or error, `told` the reason or the traceback."""

    name: str
    seconds: float
    outcome: str
    told: str


def tests_of(path: Path) -> Iterator[Test]:
    """Yield what a file of results says of each test; one that fails and whose fixtures fail too comes twice."""
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}".removeprefix("::")
        seconds = float(case.get("time", 0))
        written = "".join(each.text or "" for each in case if each.tag.startswith("system-"))
        outcomes = [each for each in case if each.tag in ("skipped", *FAILED)]
        for each in outcomes:
            if each.tag in FAILED:
                told = f"{each.text}\n{NOTHING_WRITTEN.sub('', written)}"
            else:
                told = each.get("message", "") if each.get("message") != "collection skipped" else each.text or ""
            yield Test(name, seconds, each.tag, told)
        if not outcomes:
            yield Test(name, seconds, "passed", "")


def summary(tests: list[Test]) -> str:
    """Return what to print."""
    counts = Counter(each.outcome for each in tests)
    failed = [each for each in tests if each.outcome in FAILED]
    lines = [f"{counts['passed']:,} passed, {counts['skipped']:,} skipped, {len(failed):,} failed"]
    skipped = Counter(each.told for each in tests if each.outcome == "skipped")
    lines += ["", "skipped:", *(f"{count:6} {reason}" for reason, count in skipped.most_common())] if skipped else []
    slowest = sorted(tests, key=lambda each: -each.seconds)[:SLOWEST]
    lines += ["", "slowest:", *(f"{each.seconds:6.1f} s {each.name}" for each in slowest)]
    for each in failed:
        lines += ["", f"=== {each.outcome}: {each.name}", each.told.rstrip()]
    return "\n".join(lines)


def main(paths: list[str]) -> int:
    """Print the summary of all files; returns the exit status."""
    tests = [test for path in map(Path, paths) if path.exists() for test in tests_of(path)]
    print(f"\n{summary(tests)}")
    if missing := [path for path in paths if not Path(path).exists()]:
        print(f"\n=== ended without results: {', '.join(missing)}")
    return 1 if missing or any(each.outcome in FAILED for each in tests) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
