"""What clients meant to do and what came of it: one JSON object a line, written before the next
act. The checker knows the run from nothing else."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

INTENT, OUTCOME, FAULT = "intent", "outcome", "fault"
YES, REFUSED, UNSURE = "yes", "refused", "unsure"
# Acts that book; `complete` turns a hold into a booking.
BOOKS = ("reserve", "several", "series", "complete")

type Slot = tuple[str, float, float]  # instrument, and seconds since 1970


class Journal:
    """The file, for several threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._changed = threading.Condition()
        self.yes: list[tuple[float, float, str]] = []  # began, ended, kind

    def write(self, line: str, **values: Any) -> float:
        """Returns the moment that was written with it."""
        with self._changed:
            at = time.time()
            self._file.write(json.dumps({"line": line, "at": at} | values) + "\n")
            self._file.flush()
            if values.get("outcome") == YES:
                self.yes.append((values["began"], at, values["kind"]))
                self._changed.notify_all()
        return at

    def booked_after(self, moment: float, patience: float) -> float | None:
        """When the first booking was acknowledged that was asked for after a moment; waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._first(moment) is not None, patience)
            return self._first(moment)

    def _first(self, moment: float) -> float | None:
        return next((e for b, e, kind in self.yes if b > moment and kind in BOOKS), None)

    def longest_silence(self, since: float, until: float) -> float:
        """The longest time without an acknowledged booking between two moments, in seconds."""
        ended = sorted(e for _, e, kind in self.yes if kind in BOOKS and since < e < until)
        return max(b - a for a, b in pairwise([since, *ended, until]))


@dataclass
class Act:
    """One request with one key, however often it was sent."""

    number: int
    kind: str
    who: str
    slots: list[Slot]
    of: str = ""  # the reservation that is moved, cancelled or completed
    began: float = 0.0
    ended: float = float("inf")
    tries: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    code: str = ""
    ids: list[str] = field(default_factory=list)
    was_kept: bool = False  # the answer is that of an earlier try

    @property
    def outcome(self) -> str:
        """Of the last try; one that was begun and never ended is unsure."""
        return self.tries[-1]


def read(path: Path) -> tuple[list[Act], list[dict[str, Any]]]:
    """The acts in the order they were begun, and the faults."""
    acts: dict[int, Act] = {}
    faults = []
    for line in _lines(path):
        match line["line"]:
            case "fault":
                faults.append(line)
            case "intent":
                act = acts.setdefault(
                    line["act"],
                    Act(
                        line["act"], line["kind"], line["who"],
                        [(i, s, e) for i, s, e in line["slots"]], line["of"], line["at"],
                    ),
                )  # fmt: skip
                act.tries.append(UNSURE)
            case "outcome":
                act = acts[line["act"]]
                act.tries[-1], act.ended = line["outcome"], line["at"]
                act.code, act.ids = line["code"], line["ids"]
                act.statuses.append(line["status"])
                act.was_kept = line["was_kept"]
    for act in acts.values():
        if act.outcome == UNSURE:
            act.ended = float("inf")
    return sorted(acts.values(), key=lambda act: act.number), faults


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for text in path.read_text("utf-8").splitlines():
        yield json.loads(text)
