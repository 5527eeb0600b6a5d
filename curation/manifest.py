"""What a release says of itself, so that anybody can check its files and find out where each row came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import orjson

from curation.models import Release, Split


def complete_manifest(release: Release, files: list[dict[str, Any]]) -> dict[str, Any]:
    """The pinned counts, and who made it of what; `content_sha256` depends on the data files alone."""
    recipe = release.recipe
    return {
        "name": release.name,
        "project": release.project.slug,
        "content_sha256": content_hash(files),
        "as_of": release.as_of.isoformat(),
        "frozen_at": release.frozen_at.isoformat() if release.frozen_at else None,
        "winnow_version": code_version(release),
        "recipe": {
            "name": recipe.name,
            "version": recipe.version,
            "document": recipe.document,
            "unaudited_rules": [rule["name"] for rule in release.manifest["counts"]["rules"] if rule["unaudited"]],
        },
        "split_shares": release.shares,
        **release.manifest,
        "margin": margin_origin(release.manifest),
        "files": files,
    }


def margin_origin(pinned: dict[str, Any]) -> str | None:
    """Where the margin of a reward export comes from first: `recipe`, `model_vote`, or nowhere."""
    measured = pinned["measured"]
    if measured["margin"]:
        return "recipe"
    return "model_vote" if measured["model_vote"] else None


def splits_in_order(manifest: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The database does not keep the order of keys."""
    return {split.value: manifest["splits"][split.value] for split in Split}


def content_hash(files: list[dict[str, Any]]) -> str:
    listed = "".join(f"{file['path']} {file['sha256']}\n" for file in sorted(files, key=lambda file: str(file["path"])))
    return hashlib.sha256(listed.encode()).hexdigest()


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    return orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def code_version(release: Release) -> str:
    if release.run is not None and release.run.code_version:
        return release.run.code_version
    try:
        return version("winnow")
    except PackageNotFoundError:
        return "unknown"
