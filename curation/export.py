"""A frozen release in an export format, batch by batch, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from django.core.files.storage import default_storage

from accounts.problems import Conflict, Invalid, NotFound
from curation.canonical import in_groups, open_writer
from curation.card import card
from curation.exports import find_format
from curation.exports._base import PROFILES, Format, Profile
from curation.freeze import folder
from curation.manifest import manifest_bytes
from curation.models import Release, Split

# A batch of long texts still fits in memory many times.
ROWS_PER_BATCH = 2_000
EXTENSIONS = ("parquet", "jsonl")
CONTENT_TYPES = {"parquet": "application/vnd.apache.parquet", "jsonl": "application/x-ndjson"}


Item = TypeVar("Item")


class NotFrozen(Conflict):
    code = "not_frozen"


class NotExportable(Invalid):
    code = "not_exportable"


class EmptySplit(NotFound):
    code = "empty_split"


@dataclass(frozen=True)
class Export:
    """A format of a release, checked before the first byte is sent."""

    release: Release
    name: str
    format: Format
    profile: Profile

    @classmethod
    def of(cls, release: Release, name: str, profile: str = "minimal") -> Export:
        if release.frozen_at is None:
            raise NotFrozen(f"The release {release.name} is not frozen yet; ask again when its run is done.")
        if profile not in PROFILES:
            raise Invalid(
                f"There is no profile {profile[:40]!r}; there are {', '.join(PROFILES)}.", {"profile": "unknown"}
            )
        found = cast(Format, find_format(name))
        reason = found.accepts(release.manifest)
        if reason is not None:
            raise NotExportable(reason, fields={"format": name})
        return cls(release, name, found, profile)

    @property
    def schema(self) -> pa.Schema:
        return self.format.schema(self.release.manifest, self.profile)

    @property
    def etag(self) -> str:
        return f'"{self.release.content_sha256[:32]}-{self.name}-{self.profile}"'

    def batches(self, split: str) -> Iterator[pa.RecordBatch]:
        """At least one row, or EmptySplit before anything is written."""
        if split not in Split.values:
            raise EmptySplit(f"There is no split {split[:40]!r}; splits are {', '.join(Split.values)}.")
        found = self._converted(split)
        first = next(found, None)
        if first is None:
            raise EmptySplit(f"The split {split} of {self.release.name} has no rows in the format {self.name}.")
        return chain([first], found)

    def _converted(self, split: str) -> Iterator[pa.RecordBatch]:
        for file in self.release.manifest["files"]:
            if file["split"] != split:
                continue
            with default_storage.open(f"{folder(self.release)}/{file['path']}", "rb") as stored:
                # One thread reads ahead for each export; more would only take turns with other requests.
                for batch in pq.ParquetFile(stored).iter_batches(batch_size=ROWS_PER_BATCH, use_threads=False):
                    converted = self.format.rows(batch, self.release.manifest, self.profile)
                    if converted.num_rows:
                        yield converted

    def stream(self, split: str, extension: str) -> Iterator[bytes]:
        batches = self.batches(split)
        return jsonl_bytes(batches) if extension == "jsonl" else parquet_bytes(batches, self.schema)


def write_export(export: Export, folder_path: Path, extension: str) -> dict[Path, int]:
    """A file per split that has rows, and the card and manifest beside them; rows by path."""
    folder_path.mkdir(parents=True, exist_ok=True)
    written: dict[Path, int] = {}
    for split in Split.values:
        counted = _Counted()
        try:
            batches = export.batches(split)
        except EmptySplit:
            continue
        path = folder_path / f"{split}.{extension}"
        watched = counted.watch(batches)
        pieces = jsonl_bytes(watched) if extension == "jsonl" else parquet_bytes(watched, export.schema)
        # A reader never meets half a file under its final name.
        partial = path.with_name(f".{path.name}.partial")
        with open(partial, "wb") as file:
            file.writelines(pieces)
        partial.replace(path)
        written[path] = counted.rows
    manifest = export.release.manifest
    names = {path.stem: path.name for path in written}
    (folder_path / "README.md").write_text(card(manifest, names), encoding="utf-8")
    (folder_path / "manifest.json").write_bytes(manifest_bytes(manifest))
    return written


class _Counted:
    rows = 0

    def watch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.rows += batch.num_rows
            yield batch


def jsonl_bytes(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    for batch in read_ahead(iter(batches)):
        yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist())


def parquet_bytes(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """A Parquet file as it grows: each row group is sent as soon as it is written."""
    sink = _Sink()
    with open_writer(sink, schema) as writer:
        for group in read_ahead(in_groups(batches)):
            writer.write_table(group)
            yield from sink.take()
    yield from sink.take()


def read_ahead(groups: Iterator[Item]) -> Iterator[Item]:
    """Prepare the next row group in a thread while this one is compressed; never more than one ahead."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="export") as pool:
        coming = pool.submit(next, groups, None)
        while (group := coming.result()) is not None:
            coming = pool.submit(next, groups, None)
            yield group


class _Sink:
    """A file for a writer that only ever appends; what it holds is taken away between row groups."""

    closed = False

    def __init__(self) -> None:
        self.position = 0
        self.held: list[bytes] = []

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self.held.append(piece)
        self.position += len(piece)
        return len(piece)

    def take(self) -> list[bytes]:
        held, self.held = self.held, []
        return held

    def tell(self) -> int:
        return self.position

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """What was written last is still to be taken."""
