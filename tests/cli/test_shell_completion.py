"""What a shell's Tab gets, asked for as each shell's script does."""

import pytest

from photomap_cli import cli


@pytest.fixture
def complete(monkeypatch, capsys):
    def ask(line, shell="bash"):
        asked = {
            "_PHOTOMAP_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
        for name, value in asked.items():
            monkeypatch.setenv(name, value)
        assert cli.run([]) == 0
        return capsys.readouterr().out.split()

    return ask


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("photomap ind", ["index"]),
        ("photomap index --enc", ["--encoder"]),
        ("photomap index --encoder ti", ["tiny"]),
        ("photomap config set encoder_i", ["encoder_idle_timeout_seconds"]),
        ("photomap config set keys ", ["emacs", "vi"]),
        ("photomap config set prewarm f", ["false"]),
        ("photomap config set encoder ti", ["tiny"]),
        ("photomap config set results ", []),
        ("photomap index Pic", []),  # a path is for the shell to complete
        ("photomap search --sort ", ["score", "date"]),
    ],
)
def test_what_bash_offers(complete, line, offered):
    assert complete(line) == offered


def test_zsh_and_fish_get_what_it_means_too(complete):
    assert "keys keys at the prompt: emacs or vi" in " ".join(complete("photomap config set keys", "fish"))
    assert '"keys":"keys at the prompt' in " ".join(complete("photomap config set keys", "zsh"))
