import pytest

from photomap_cli.cli.indexing import draw_demo
from photomap_cli.demo import library


@pytest.fixture
def drawing(monkeypatch):
    """Let the demo have three tiny photos, and stop it after as many as the list says."""
    stops = [2]
    real = library.written_photos

    def few(folder):
        for number, path in enumerate(real(folder, photos=3, long_side=64)):
            if stops and number == stops[0]:
                raise KeyboardInterrupt
            yield path

    monkeypatch.setattr(library, "written_photos", few)
    return stops


def test_a_demo_that_is_interrupted_while_it_draws_is_drawn_whole_the_next_time(tmp_path, drawing, capsys):
    folder = tmp_path / "photos"
    with pytest.raises(KeyboardInterrupt):
        draw_demo(folder, quiet=False)
    assert not folder.exists()
    drawing.clear()
    draw_demo(folder, quiet=False)
    assert len(list(folder.rglob("*.jpg"))) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    assert capsys.readouterr().err == f"drawing photos into {folder}…\n" * 2
