"""The main job on published data, stage by stage, through a whole running site.

python -m benchmarks real_data            # ../shared/data beside the checkout, or WINNOW_REAL_DATA
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.convert import pandalm, ukp

ROOT = Path(__file__).resolve().parents[1]
MANAGE = [sys.executable, str(ROOT / "manage.py")]


def main() -> None:
    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"Nothing to do: there is no {data}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    with tempfile.TemporaryDirectory(prefix="winnow-real-") as folder:
        home = Path(folder)
        files = _files(data, home)
        with _site(home) as environment:
            _stages(files, home, environment)


def _files(data: Path, home: Path) -> dict[str, Path]:
    converted = {
        "pandalm": pandalm(data / "pandalm" / "testset-v1.json"),
        "ukpconvarg1": ukp(data / "ukpconvarg1" / "arguments.jsonl.gz", data / "ukpconvarg1" / "pairs.jsonl.gz"),
    }
    files = {
        "helpful-base": data / "hh-rlhf" / "helpful-base.test.jsonl.gz",
        "harmless-base": data / "hh-rlhf" / "harmless-base.test.jsonl.gz",
    }
    for name, rows in converted.items():
        files[name] = home / f"{name}.jsonl"
        files[name].write_text("".join(json.dumps(row) + "\n" for row in rows))
    return files


@contextmanager
def _site(home: Path) -> Iterator[dict[str, str]]:
    environment = {**os.environ, "WINNOW_HOME": str(home / "home"), "PYTHONUNBUFFERED": "1"}
    for name in ("DATABASE_URL", "REDIS_URL", "WINNOW_PORT"):
        environment.pop(name, None)
    with open(home / "up.log", "w") as log:
        up = subprocess.Popen([*MANAGE, "up"], env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        while "Ready" not in (home / "up.log").read_text():
            if up.poll() is not None:
                raise SystemExit((home / "up.log").read_text())
            time.sleep(0.5)
        yield environment
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(30)


def _stages(files: dict[str, Path], home: Path, environment: dict[str, str]) -> None:
    def stage(name: str, *arguments: str) -> str:
        started = time.monotonic()
        done = subprocess.run([*MANAGE, *arguments], env=environment, capture_output=True, text=True, check=True)
        print(f"{name:<32} {time.monotonic() - started:8.1f} s", flush=True)
        return done.stdout

    for source, path in files.items():
        said = stage(f"import {source}", "import_data", str(path), "--project", "real", "--source", source)
        print("    " + " | ".join(line.strip() for line in said.splitlines() if line.strip()))
    for method in ("near_duplicates", "model_vote"):
        stage(method, "run_method", method, "--project", "real", "--wait")
    for source, found in _votes(environment).items():
        print(f"    {source:<16} votes {_share(found['accuracy'])}   length alone {_share(found['length_accuracy'])}")
    recipe = home / "recipe.json"
    recipe.write_text(_starter(environment))
    said = stage("freeze", "make_release", "--project", "real", "--recipe", str(recipe), "--name", "v1", "--wait")
    print("    " + " | ".join(line.strip() for line in said.splitlines() if line.strip()))
    for name in ("trl_preference", "trl_reward"):
        stage(f"export {name}", "export_release", "real/v1", "--format", name, "--to", str(home / name))
        _load(home / name)


def _votes(environment: dict[str, str]) -> dict[str, Any]:
    code = (
        "import json; from ledger.models import Run; run = Run.objects.filter(method='model_vote').latest('id');"
        "print(json.dumps({s['name']: s for s in run.result['sources'].values()}))"
    )
    found: dict[str, Any] = json.loads(_shell(code, environment))
    return found


def _starter(environment: dict[str, str]) -> str:
    return _shell("import json; from curation.recipes import STARTER; print(json.dumps(STARTER))", environment)


def _shell(code: str, environment: dict[str, str]) -> str:
    command = [*MANAGE, "shell", "--no-imports", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


def _share(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['share']:.3f} ({low:.3f} to {high:.3f}, n = {found['n']:,})"


def _load(folder: Path) -> None:
    from datasets import load_dataset

    files = {path.stem: str(path) for path in sorted(folder.rglob("*.parquet"))}
    loaded = load_dataset("parquet", data_files=files, cache_dir=str(folder / "cache"))
    print("    loaded " + ", ".join(f"{split} {len(rows):,}" for split, rows in loaded.items()))
