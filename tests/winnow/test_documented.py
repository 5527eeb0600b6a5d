"""What a user can set, call or choose is named in the documentation, and the rooms stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from winnow.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [*(ROOT / "platform" / name for name in ("winnow", "corpus", "ledger", "accounts"))]
ROOMS += [ROOT / name for name in ("annotation", "curation", "workers")]
FILE_LINES, FUNCTION_LINES, VIEW_LINES, METHOD_FILE_LINES = 400, 60, 25, 250


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted(room.rglob("*.py")) if "migrations" not in path.parts]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def text(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("field", Environment.model_fields.values(), ids=lambda field: str(field.alias))
def test_every_setting_is_documented(field: object) -> None:
    assert f"`{getattr(field, 'alias', '')}`" in text("docs/operate.md")


@pytest.mark.parametrize("path", sorted((ROOT / "workers" / "methods").glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_method_is_documented(path: Path) -> None:
    assert path.stem in text("docs/methods.md")
    assert len(path.read_text().splitlines()) <= METHOD_FILE_LINES


@pytest.mark.parametrize("path", sorted((ROOT / "curation" / "exports").glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_export_is_documented(path: Path) -> None:
    assert f"`{path.stem}`" in text("docs/exports.md")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "platform" / "corpus" / "importers").glob("[!_]*.py")), ids=lambda path: path.stem
)
def test_every_input_format_is_documented(path: Path) -> None:
    assert f"`{path.stem}`" in text("docs/import.md")


def test_every_command_is_documented() -> None:
    documents = "".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    commands = [path.stem for room in ROOMS for path in (room / "management" / "commands").glob("[!_]*.py")]
    assert commands
    assert [command for command in commands if f"manage.py {command}" not in documents] == []


def test_the_tree_in_the_readme_names_every_folder() -> None:
    tree = text("README.md")
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    ours = {path.name for path in folders} - {"var", "build", "staticfiles", "test-artifacts"}
    assert [name for name in sorted(ours) if f"{name}/" not in tree and not name.endswith(".egg-info")] == []


def test_no_room_is_crowded() -> None:
    too_long = [str(path.relative_to(ROOT)) for path in sources() if len(path.read_text().splitlines()) > FILE_LINES]
    assert too_long == []


def test_no_function_is_long() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{name} {lines}"
        for path in sources()
        for name, lines in functions(path)
        if lines > (VIEW_LINES if path.name.endswith("views.py") else FUNCTION_LINES)
    ]
    assert too_long == []


def test_nothing_is_called_after_no_room() -> None:
    nameless = {"utils.py", "helpers.py", "common.py", "services.py", "misc.py"}
    assert [str(path) for path in sources() if path.name in nameless] == []
