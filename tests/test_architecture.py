"""The rules of docs/architecture.md that a machine can check."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

from waiting import LONG_SECONDS

PACKAGE = Path(__file__).parents[1] / "photomap_cli"
FLOORS = (
    {
        *(
            "errors",
            "constraints",
            "files",
            "no_replace",
            "pathnames",
            "setting_parsers",
            "cancellation",
            "job_control",
            "memory",
        ),
        *("processors", "records", "_version"),
    },
    {"framing", "directories", "settings", "graphics"},
    {"subprocesses"},
    {"encoder", "library"},
    {"images", "vectors", "map", "views", "export"},
    {"search", "indexing"},
    {"session"},
    {"doctor", "repl"},
    {"browse"},
    {"cli"},
    {"__init__", "__main__"},
)
"""The rooms from the ground up: each imports from the floors below its own, never from beside it or above."""
OWNERS = {
    "torch": {
        "encoder/batch_sizing.py",
        "encoder/class_token_block.py",
        "encoder/cpu_parallelism.py",
        "encoder/openclip.py",
        "encoder/devices.py",
        "encoder/weights.py",
        "encoder/flat_buffer.py",
        "encoder/lazy_imports.py",
        "encoder/staging_buffer.py",
    },
    "open_clip": {
        "encoder/class_token_block.py",
        "encoder/openclip.py",
        "encoder/download.py",
        "encoder/lazy_imports.py",
    },
    "faiss": {"vectors/flat_index.py", "map/kmeans.py"},
    # Photos are read in images/ alone; the sheet is made of thumbnails, which are photomap's own files.
    "PIL": {
        "images/bit_depth.py",
        "images/decode.py",
        "images/decode_errors.py",
        "images/formats.py",
        "images/icc.py",
        "images/png.py",
        "images/preprocess.py",
        "images/recovery.py",
        "images/transparency.py",
        "images/visibility.py",
        "graphics/contact_sheet.py",
    },
    "pynvml": {"encoder/gpu.py"},
    "numba": {"map/pacmap_layout.py"},
    "pacmap": {"map/pacmap_layout.py"},
    "rawpy": {"images/raw.py"},
    "av": {"images/video.py"},
    "pillow_jxl": {"images/formats.py"},
    "sqlite3": {
        "library/backup.py",
        "library/database.py",
        "library/schema_check.py",
        "library/sqlite_errors.py",
        "library/sqlite_cache.py",
        "library/sqlite_file.py",
        "library/user_data.py",
    },
    "pymilvus": {"library/shared/client.py"},
    "prompt_toolkit": {"repl/", "browse/"},
    "typer": {"cli/"},
}


FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def imports(path):
    """Yield every module that a file imports, wherever in it, but for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    types_only = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for statement in node.body
        for child in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in types_only:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache  # made in a test: every process of a parallel run imports this file
def all_imports():
    return [(path, module) for path in FILES for module in imports(path)]


def test_imports_go_downwards():
    ours = [(path, module.split(".")[1]) for path, module in all_imports() if module.startswith("photomap_cli.")]
    assert {room_of(path) for path in FILES} == FLOOR.keys()
    assert [
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path, other in ours
        if other != room_of(path) and FLOOR[other] >= FLOOR[room_of(path)]
    ] == []


def test_heavy_libraries_have_one_owner():
    users = {library: set() for library in OWNERS}
    for path, module in all_imports():
        users.get(module.split(".")[0], set()).add(path.relative_to(PACKAGE).as_posix())
    for library, owners in OWNERS.items():
        assert [user for user in users[library] if not user.startswith(tuple(owners))] == [], library
        assert [owner for owner in owners if not any(user.startswith(owner) for user in users[library])] == [], library


def test_the_command_line_loads_nothing_heavy():
    program = (
        "import sys, photomap_cli.cli;"
        "heavy = {'torch', 'open_clip', 'faiss', 'numpy', 'PIL', 'prompt_toolkit', 'pydantic'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LONG_SECONDS)


def test_importing_the_package_loads_nothing_and_its_names_are_there():
    program = (
        "import sys; before = set(sys.modules); import photomap_cli;"
        "new = set(sys.modules) - before - {'photomap_cli', 'photomap_cli._version', '__future__'};"
        "assert not new, new;"
        "client = photomap_cli.SessionClient;"
        "heavy = {'torch', 'faiss', 'numpy', 'pydantic', 'typer', 'rich', 'sqlite3', 'pymilvus'} & set(sys.modules);"
        "assert not heavy, heavy;"
        "assert 'Session' in dir(photomap_cli);"
        "assert all(getattr(photomap_cli, name) is not None for name in dir(photomap_cli));"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LONG_SECONDS)


def test_the_prompt_is_painted_before_anything_heavy_is_loaded():
    program = (
        "import sys, photomap_cli.cli.fast_path, photomap_cli.cli.interactive, photomap_cli.repl.repl;"
        "heavy = {'typer', 'pydantic', 'tomllib', 'numpy', 'faiss', 'sqlite3', 'torch', 'PIL'} & set(sys.modules);"
        "heavy |= {name for name in sys.modules if name.startswith('photomap_cli.session.')};"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LONG_SECONDS)


def test_status_loads_no_numpy_and_no_torch(tmp_path):
    program = (
        "import sys; from photomap_cli.cli import run; assert run(['status', '--json']) == 0;"
        "heavy = {'torch', 'open_clip', 'faiss', 'numpy', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LONG_SECONDS, capture_output=True)


def test_a_library_of_this_computer_loads_nothing_of_shared_ones(tmp_path):
    program = (
        "import sys; from pathlib import Path; from photomap_cli.session.libraries import open_library\n"
        "with open_library(Path(sys.argv[1]), create=True) as library:\n"
        "    library.facts.rows(), library.facts.status(), library.searches.refresh(), library.writes.seen_files('/')\n"
        "shared = ('pymilvus', 'grpc', 'photomap_cli.library.shared.')\n"
        "assert not [name for name in sys.modules if name.startswith(shared)]"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "library"], check=True, timeout=LONG_SECONDS)


def test_json_for_people_and_scripts_is_written_in_one_place():
    # The pipes' and the socket's, a script's inside a page, what is only hashed, and what SQLite reads.
    elsewhere = {
        "framing.py",
        "library/contents.py",
        "library/filtered_rows.py",
        "session/json_lines.py",
        "views/html/scatter.py",
        "encoder/fingerprint.py",
    }
    writers = {str(path.relative_to(PACKAGE)) for path in FILES if "json.dump" in path.read_text(encoding="utf-8")}
    assert writers - elsewhere == {"views/machine_output.py"}


def test_placeholders_in_sql_have_no_numbers():
    # Python 3.12.0 to 3.12.3 take them for names, and warn that a later one will not.
    numbered = [path.name for path in FILES if re.search(r"[=(,] *\?\d|\bELSE \?\d", path.read_text(encoding="utf-8"))]
    assert numbered == []


# What people and programs read, files of the user's, pictures, the clipboard, and the prompt without a terminal.
WRITERS = {
    "repl/commands/clipboard.py",
    "repl/pipe_frontend.py",
    "views/export.py",
    "views/machine_output.py",
    "views/output.py",
    "views/previews.py",
}
OURS = {"results.write", "map.write", "export.write", "_LIVE[name].write"}  # functions called write, no streams


def test_text_for_people_leaves_by_one_way():
    consoles, printing, writing = set(), set(), set()
    for path in FILES:
        name = path.relative_to(PACKAGE).as_posix()
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        consoles |= {name} if "Console" in called else set()
        printing |= {name} if "print" in called else set()
        streams = {each for each in called if each.rpartition(".")[2] in ("write", "writelines")} - OURS
        writing |= {name} if streams and room_of(path) in ("cli", "repl", "views", "session") else set()
    assert consoles == set(), "console.py makes consoles that let no control through"
    assert printing == {"cli/__init__.py"}
    assert writing == WRITERS


def test_every_module_says_what_it_is():
    assert [str(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []
