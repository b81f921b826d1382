"""The states of a delivery and the transitions between them."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from accounts.domain.canonical import canonical_json
from accounts.domain.errors import WrongState

DUE_DAYS, MOST_DUE_DAYS = 7, 365  # after the end of the booking
KEEP_DAYS, MOST_KEEP_DAYS = 365, 3650  # after the release
DUE_MODES = ("entrusted", "remote")  # results are expected without anybody asking for them
UPLOAD_LIVES = timedelta(days=7)  # without a byte
UPLOAD_LASTS = timedelta(days=30)  # however slowly bytes come
MOST_FILES = 10_000  # of a hand-off

# An act, and the state after it by the state before it.
ACTS: dict[str, dict[str, str]] = {
    "upload": {"expected": "uploading", "uploading": "uploading"},
    "empty": {"uploading": "expected"},  # the last file was removed
    "seal": {"uploading": "sealed"},
    "point": {"expected": "pointed"},
    "release": {"sealed": "released"},
    "collect": {
        "released": "collected",
        "collected": "collected",
        "expiring": "expiring",
        "pointed": "pointed",
    },
    "warn": {"released": "expiring", "collected": "expiring", "expiring": "expiring"},
    # Becomes `collected` if `collected_at` is set.
    "extend": {"released": "released", "collected": "collected", "expiring": "released"},
    "purge": {"released": "purged", "collected": "purged", "expiring": "purged"},
    "withdraw": {
        "expected": "withdrawn",
        "uploading": "withdrawn",
        "sealed": "withdrawn",
        "released": "withdrawn",
        "collected": "withdrawn",
        "expiring": "withdrawn",
        "pointed": "withdrawn",
    },
}
HAPPENS = frozenset({"confirmed", "in_use", "completed"})  # bookings that may have results
OPEN = frozenset({"expected", "uploading"})  # states in which files may be added and removed
AWAITED = frozenset({"expected", "uploading", "sealed"})  # late after `due_at`
# States in which recipients can read the files.
READABLE = frozenset({"released", "collected", "expiring"})
# States in which recipients can confirm that they have the results.
CONFIRMABLE = READABLE | {"pointed"}
ENDED = frozenset({"purged", "withdrawn"})


def state_after(state: str, act: str, *, is_held: bool = False) -> str:
    """Return the state that follows an act; raise `WrongState` if the act is not possible in this state."""
    if not may(state, act, is_held=is_held):
        raise WrongState("on-hold") if may(state, act) else WrongState(state=state, wanted=act)
    return ACTS[act][state]


def may(state: str, act: str, *, is_held: bool = False) -> bool:
    """Say whether the act is possible for a delivery in this state."""
    return state in ACTS[act] and not (is_held and act == "withdraw")


def due_at(end: datetime, days: int | None) -> datetime:
    """Return until when results are to be delivered."""
    return end + timedelta(days=DUE_DAYS if days is None else days)


def manifest_of(files: Iterable[tuple[str, int, str]]) -> list[dict[str, Any]]:
    """Return the manifest of files by path, size and SHA-256, in the order of their paths."""
    rows = [{"path": path, "size": size, "sha256": sha256} for path, size, sha256 in files]
    return sorted(rows, key=lambda row: str(row["path"]).encode())


def pointer_digest(protocol: str, host: str, path: str, checksums: str) -> str:
    """Return the SHA-256 of where results are kept at the host, and of their checksums: what a recipient
    confirms where there is no manifest."""
    values = {"protocol": protocol, "host": host, "path": path, "checksums": checksums}
    return hashlib.sha256(canonical_json(values)).hexdigest()


def upload_ends(created_at: datetime, now: datetime) -> datetime:
    """Return when an upload that has just received data expires."""
    return min(now + UPLOAD_LIVES, created_at + UPLOAD_LASTS)
