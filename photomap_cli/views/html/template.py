"""Owns what every page has: style and script from files, the policy that lets in nothing else, title and filter."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path


def asset(name: str) -> str:
    """Return a style or a script, as it stands in the page."""
    return "\n" + Path(__file__).with_name(name).read_text(encoding="utf-8")


def head(title: str, facts: str, *, style: str, script: str, pictures: str = "data:") -> str:
    """Return the page's beginning, up to what it shows: title, facts and the box that filters.

    Args:
        title, facts: texts.
        style, script: those that the page has; nothing else is let in.
        pictures: where pictures may come from, as the policy says it.
    """
    allowed = _policy(style, script, pictures)
    return _HEAD.format(title=escape(title), facts=escape(facts), policy=allowed, style=style)


def _policy(style: str, script: str, pictures: str) -> str:
    return (
        f"default-src 'none'; img-src {pictures}; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="photomap">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p><span id="count" role="status"></span>{facts}</p>
<input id="filter" type="search" placeholder="Filter by name or date (press /)" aria-label="Filter" autocomplete="off">
</header>
"""
"""The empty icon is there because browsers ask for /favicon.ico without one."""
