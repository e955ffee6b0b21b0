"""Writes the captures of docs/tour.md: a real session in tmux, with drawn photos.

The page's text is written by hand; what is between its markers, and docs/tour/*.svg, is what the screen showed.  The
scratch home appears as /home/charlie, and several empty lines as one; nothing else is changed, so times and process ids
are those of the run.  It needs tmux, jq and the extra [dev], and takes about a minute:

    python scripts/tour.py
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from drawing.library import write_demo_library
from screen_svg import svg

ROOT = Path(__file__).parent.parent
PAGE, PICTURES = ROOT / "docs" / "tour.md", ROOT / "docs" / "tour"
COLUMNS, ROWS = 100, 44
TIMEOUT_SECONDS = 60
HOME = "/home/charlie"  # as long as the scratch home's path, so that columns keep their places
PROMPT = r"(?m)^\$\Z"
READY = r"(?m)^photomap>\n+ [●○]"  # tmux drops trailing spaces


class Screen:
    """A shell in tmux, with its own home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._tmux = ["tmux", "-S", str(home / "tmux"), "-f", os.devnull]
        shell = ["bash", "--noprofile", "--norc"]
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        self._run(
            "new-session",
            "-d",
            "-c",
            str(home),
            *size,
            *(f"-e{name}={value}" for name, value in self._environment()),
            *shell,
        )

    def _environment(self) -> list[tuple[str, str]]:
        run = str(self._home / "run")  # so that only the tour's sessions are found
        return [
            ("HOME", str(self._home)),
            ("PS1", "$ "),
            ("COLORTERM", "truecolor"),
            ("LANG", "C.UTF-8"),
            ("XDG_RUNTIME_DIR", run),
        ]

    def _run(self, *arguments: str) -> str:
        # A tmux server inherits its environment: pass only what a shell needs.  This PATH wins over one given by -e.
        path = f"{home_bin(self._home)}:{os.environ['PATH']}"
        kept = {"PATH": path, "HOME": str(self._home), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        return subprocess.run([*self._tmux, *arguments], env=kept, check=True, capture_output=True, text=True).stdout

    def _look(self, *options: str) -> str:
        return self._run("capture-pane", "-p", *options)

    def seen(self, pattern: str) -> None:
        """Wait until the screen shows a pattern."""
        end = time.monotonic() + TIMEOUT_SECONDS
        while not re.search(pattern, self._look().rstrip("\n")):
            if time.monotonic() > end:
                raise SystemExit(f"not seen: {pattern}\n{self._look()}")
            time.sleep(0.05)

    def clear(self) -> None:
        """Clear the screen."""
        self._run("send-keys", "C-l")
        self._run("clear-history")
        time.sleep(0.3)

    def type(self, line: str, until: str = PROMPT) -> None:
        """Type a line and wait until the screen shows a pattern."""
        self._run("send-keys", "-l", line)
        time.sleep(0.2)
        self._run("send-keys", "Enter")
        time.sleep(0.3)
        self.seen(until)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names."""
        self._run("send-keys", *keys)
        time.sleep(0.5)

    def text(self) -> str:
        """Return what is on the screen."""
        lines = [line.rstrip() for line in self._look("-J").rstrip().split("\n")]
        shown = re.sub(r"\n{3,}", "\n\n", self._named("\n".join(lines)))
        return re.sub(r"\n\$\Z", "", shown)

    def picture(self) -> str:
        """Return the screen as SVG."""
        lines = self._named(self._look("-e", "-N")).split("\n")
        kept = [line for line, above in zip(lines, ["", *lines], strict=False) if line.strip() or above.strip()]
        return svg("\n".join(kept), COLUMNS)

    def _named(self, text: str) -> str:
        return text.replace(str(self._home), HOME)

    def close(self) -> None:
        """End the shell and its programs."""
        self._run("kill-server")


def home_bin(home: Path) -> Path:
    """Return a folder with this checkout's photomap as a command; created if missing."""
    folder = home / ".local" / "bin"
    if not folder.exists():
        folder.mkdir(parents=True)
        words = shlex.join(["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "photomap_cli"])
        (folder / "photomap").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (folder / "photomap").chmod(0o755)
    return folder


def in_the_shell(screen: Screen, *lines: str) -> str:
    screen.clear()
    for line in lines:
        screen.type(line)
    return screen.text()


def at_the_prompt(screen: Screen, *lines: str, until: str = READY) -> str:
    screen.clear()
    for line in lines:
        screen.type(line, until)
    return screen.text()


def bar(screen: Screen) -> str:
    return screen.text().splitlines()[-1]


def captures(screen: Screen) -> dict[str, str]:
    """Return every capture of the page, by name."""
    taken: dict[str, str] = {}
    screen.seen(PROMPT)
    in_the_shell(screen, "photomap config set encoder tiny", "cd Pictures")
    screen.clear()
    screen.type("photomap", r"\[Y/n\] *\Z")
    screen.type("", r"● RAM")
    taken["start"] = screen.text()

    _pictures(screen, "search", "cat")
    taken["table"] = at_the_prompt(screen, ":previews off", "sunset over the sea -boat")
    taken["feedback"] = at_the_prompt(screen, "animal", "more 3")
    taken["why"] = at_the_prompt(screen, "why 1")
    taken["filters"] = at_the_prompt(
        screen, "flower before:2021 camera:lumira", "dog shoes:red", ":in Été à Nîmes", "sea"
    )
    at_the_prompt(screen, ":in")
    taken["help"] = at_the_prompt(screen, ":help why", ":sav x", ":set results")
    _pictures(screen, "map", ":map")
    taken["group"] = at_the_prompt(screen, ":map F")
    taken["bar"] = _bars(screen)
    screen.press("C-d")

    taken["serve"] = in_the_shell(screen, "photomap serve --detach", "photomap search red car", "photomap status")
    taken["stop"] = in_the_shell(screen, "photomap stop", "photomap status")
    taken["index"] = in_the_shell(
        screen,
        "mv '2019 Norway' Norway; cp Norway/DSC01381.jpg 'copy of a photo.jpg'",
        "head -c 20000 City/PXL_20240810_112510.jpg > torn.jpg",
        "photomap index --errors",
        "photomap index",
    )
    taken["duplicates"] = in_the_shell(screen, "photomap duplicates --identical", "photomap duplicates City")
    taken["doctor"] = in_the_shell(screen, "photomap doctor")
    taken["scripts"] = in_the_shell(
        screen,
        "photomap search snowman --paths -k 2",
        "photomap search --json red car | jq -r '.hits[] | [.score, .taken_at] | @tsv'",
        "photomap search -0 'birthday cake' -k 3 | xargs -0 cp -n -t ~/selection; ls ~/selection",
        "photomap search -k 3 unicorn; echo status $?",
    )
    return taken


def _pictures(screen: Screen, name: str, line: str) -> None:
    screen.clear()
    screen.type(line, READY)
    (PICTURES / f"{name}.svg").write_text(screen.picture(), encoding="utf-8")


def _bars(screen: Screen) -> str:
    """Capture the encoder being loaded by a query's first key, and offloaded again."""
    screen.press("C-d")
    screen.seen(PROMPT)
    screen.clear()
    screen.type("PHOTOMAP_ENCODER_RELEASE_TIMEOUT_SECONDS=3 photomap", "○ OFF")
    bars = [bar(screen)]
    for keys, state in (("s", "text RAM"), (None, "○ OFF")):
        if keys:
            screen.press(keys)
        screen.seen(state)
        bars.append(bar(screen))
    screen.press("C-c")
    return "\n".join(bars)


def filled(page: str, taken: dict[str, str]) -> str:
    """Return the page with new captures.  Raises SystemExit for a capture without a marker."""
    for name, text in taken.items():
        begin, end = f"<!-- capture: {name} -->\n", "<!-- end -->"
        before, found, rest = page.partition(begin)
        if not found:
            raise SystemExit(f"{PAGE.name} has no place for {name}")
        page = f"{before}{begin}```text\n{text}\n```\n{end}{rest.partition(end)[2]}"
    return page


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="", dir="/tmp", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        write_demo_library(home / "Pictures")
        (home / "selection").mkdir()
        (home / "run").mkdir(mode=0o700)
        screen = Screen(home)
        try:
            taken = captures(screen)
        finally:
            screen.close()
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), taken), encoding="utf-8")


if __name__ == "__main__":
    main()
