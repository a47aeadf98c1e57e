"""The package as a whole: light to import, one version, rooms that import downwards only, files that stay readable."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import coopgym

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "coopgym").rglob("*.py"))
HEAVY = {"torch", "ray", "scipy", "pandas", "plotly", "matplotlib", "pyarrow", "typer", "rich"}
FLOORS = [
    "extras files numerics seeding", "mechanisms", "envs statistics", "algorithms", "oracles",
    "audit validation integrations",
    "study", "report", "explore", "cli",
]  # fmt: skip


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after ``code``."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in told.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "code",
    [
        "import coopgym",
        "import coopgym; coopgym.list_games()",
        "import coopgym; g = coopgym.game('TrustDilemma-v1'); g.step(g.reset(), g.baseline)",
        "import coopgym, gymnasium; gymnasium.make('coopgym/TrustDilemma-v1').reset(seed=1)",
    ],
)
def test_games_load_nothing_heavy(code):
    assert loaded(code) & HEAVY == set()


def test_the_help_of_the_command_line_loads_no_torch():
    code = "from coopgym.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert not loaded(code) & {"torch", "scipy", "matplotlib", "pyarrow"}


def test_every_public_name_is_there():
    missing = [name for name in coopgym.__all__ if getattr(coopgym, name, None) is None]
    assert missing == []
    with pytest.raises(AttributeError, match="has no attribute 'gmae'"):
        coopgym.gmae  # noqa: B018


def test_there_is_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    assert coopgym.__version__ == version("coopgym") == project["version"] == cited.group(1)
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def floor(module: str) -> int:
    """Floor of the house on which a module of the package stands; what stands outside the rooms is above them all."""
    parts = module.split(".")
    room = parts[1] if len(parts) > 1 else ""
    return next((i for i, rooms in enumerate(FLOORS) if room in rooms.split()), len(FLOORS))


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, anywhere in it, types excepted."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    nodes = [node for node in ast.walk(tree) if id(node) not in typing_only]
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in names if name.startswith("coopgym.")}


def test_a_room_imports_only_from_rooms_below_it():
    upward = []
    for path in FILES:
        room = path.relative_to(ROOT / "coopgym").parts[0]
        if room.endswith(".py"):
            continue
        here = floor(f"coopgym.{room}")
        upward += [
            f"{path.name} imports {name}"
            for name in imports(path)
            if not name.startswith(f"coopgym.{room}") and floor(name) >= here
        ]
    assert upward == []


def test_files_and_functions_stay_readable():
    sizes = {path.name: len(path.read_text().splitlines()) for path in FILES}
    assert max(sizes.values()) <= 450, max(sizes, key=sizes.get)
    assert statistics.median(sizes.values()) <= 160
    long = [
        f"{path.name}:{node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 70
    ]
    assert long == []


def test_no_file_names_the_machine_it_was_written_on():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split() if not name.endswith((".png", ".npz", ".parquet"))]
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in paths
        if path.exists() and path != Path(__file__)
        for word in (*(f"/{top}/" for top in ("root", "work", "home", "opt")), "extra-index-url")
        if word in path.read_text(errors="ignore")
    ]
    assert found == []
