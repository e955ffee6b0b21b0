"""Owns the frame of every page: style and script from files, a policy against anything else, title and filter box."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path


def asset(name: str) -> str:
    """Return a style or a script for the page."""
    return "\n" + Path(__file__).with_name(name).read_text(encoding="utf-8")


def head(title: str, facts: str, *, style: str, script: str, pictures: str = "data:") -> str:
    """Return the beginning of the page, up to its content: title, facts and the filter box.

    Args:
        title, facts: texts.
        style, script: the page's own; nothing else is allowed.
        pictures: where pictures may come from, in the policy's terms.
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
