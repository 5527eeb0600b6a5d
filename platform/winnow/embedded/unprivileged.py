"""Whom PostgreSQL runs as when Winnow runs as root, which PostgreSQL refuses."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from winnow.embedded.binaries import PostgresFailed

# Any id but 0: inside a user namespace files still belong to root outside.
NAMESPACE_ID = 1000
STAND_INS = ("postgres", "nobody")


@dataclass(frozen=True)
class Identity:
    """How to start a program that must not be root: behind a prefix, or as another user."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def give(self, folder: Path) -> None:
        """Make the folder and all in it belong to the user, so that the server may write there."""
        if self.user is None or self.group is None:
            return
        for path in (folder, *folder.rglob("*")):
            if path.lstat().st_uid != self.user:
                os.chown(path, self.user, self.group, follow_symlinks=False)


def identity_for(data_dir: Path) -> Identity:
    """The owner of the data keeps it; new data stays root's where user namespaces are allowed."""
    owner = data_dir.stat().st_uid if data_dir.exists() else os.getuid()
    if os.getuid() != 0:
        if owner != os.getuid():
            name = _name_of(owner)
            raise PostgresFailed(f"{data_dir} belongs to {name}: run Winnow as {name}, or set WINNOW_HOME elsewhere.")
        return Identity()
    if owner:
        return Identity(user=owner, group=data_dir.stat().st_gid)
    if namespaces_are_allowed():
        ids = (f"--map-user={NAMESPACE_ID}", f"--map-group={NAMESPACE_ID}")
        return Identity(prefix=("unshare", "--user", *ids))
    return _stand_in()


@lru_cache
def namespaces_are_allowed() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--user", f"--map-user={NAMESPACE_ID}", f"--map-group={NAMESPACE_ID}", "true"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def check_reach(identity: Identity, *paths: Path) -> None:
    """Another user needs the way to the programs and the data; we open no folder for it."""
    if identity.user is None:
        return
    for path in paths:
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
                user=identity.user, group=identity.group, extra_groups=[], cwd="/",
            ).returncode  # fmt: skip
        except OSError as error:
            raise PostgresFailed(
                f"PostgreSQL cannot run as root, nor as another user here: {error}. {ADVICE}"
            ) from None
        if done:
            name = _name_of(identity.user)
            raise PostgresFailed(f"PostgreSQL does not run as root, and the user {name} may not enter {path}. {ADVICE}")


ADVICE = (
    "Run Winnow as an ordinary user, allow user namespaces, put WINNOW_HOME and the virtual environment where that "
    "user may go, or set DATABASE_URL to a PostgreSQL server."
)


def _stand_in() -> Identity:
    for name in STAND_INS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(user=entry.pw_uid, group=entry.pw_gid)
    raise PostgresFailed(
        f"PostgreSQL does not run as root; user namespaces are forbidden here and there is no user "
        f"{' or '.join(STAND_INS)}. {ADVICE}"
    )


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
