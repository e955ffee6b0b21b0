"""Owns looking over the roots of an index run: what is there, and what the library has seen there.  Changes nothing."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.library import missing
from photomap_cli.library.paths import inside, is_stranger
from photomap_cli.library.plan import diff
from photomap_cli.library.scan import scan
from photomap_cli.library.sniffing import Sniffer

if TYPE_CHECKING:
    from collections.abc import Collection

    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.entries import SeenFile
    from photomap_cli.library.missing import Whereabouts
    from photomap_cli.library.plan import Plan
    from photomap_cli.library.scan import ScanRules
    from photomap_cli.records import IndexFailure


class Survey(NamedTuple):
    """What there is to do, the roots that are missing and shall not be looked for again, and what is out of sight."""

    plan: Plan
    forgotten: set[str]
    whereabouts: Whereabouts


def survey(catalog: Catalog, given: Collection[str], rules: ScanRules, *, prune: bool, recheck: bool) -> Survey:
    """Compare what is below these roots, and below known roots inside them, with what the library has seen there.

    Photos that may be on a missing disk are kept and reported, unless `prune` gives them up.  `recheck` has every file
    read whose photo the library has.
    """
    looked_through = {*given, *inside(catalog.roots(), given)}
    roots = set(looked_through)
    seen: dict[str, SeenFile] = {}
    kept: list[IndexFailure] = []
    forgotten = set[str]()
    for root in sorted(looked_through):
        below = catalog.seen_files(root)
        seen.update(below)
        if not os.path.lexists(root):
            roots.remove(root)
            if prune or not below:
                forgotten.add(root)
            if not prune:
                kept.append(missing.absent(root, len(below)))
        elif is_stranger(root):
            forgotten.add(root)
    others = {path: mark for root in roots for path, mark in catalog.file_notes.others(root).items()}
    sniffer = Sniffer(seen, {} if recheck else others)
    plan = diff(chain(kept, sniffer.told(scan(sorted(roots), rules))), seen, recheck=recheck)
    plan.learned, plan.outdated = sniffer.learned, sniffer.outdated
    if not prune:
        plan.keep([*missing.vanished(plan.gone, roots), *missing.empty_folders(plan.gone, roots)])
    return Survey(plan, forgotten, missing.Whereabouts(catalog, looked_through, plan.gone))
