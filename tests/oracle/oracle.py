"""Marks for a list of instruments, by the questions in tests/data/oracle (README.md there)."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from instruments.register.models import Instrument

DATA = Path(__file__).parents[1] / "data" / "oracle"
FIRST, SECOND = "first", "second"  # the second was measured once, and may be looked at since
DEVELOPMENT = "development"  # may be looked at, as the first
FOURTH = "fourth"  # held out until its misses were read on 1 December 2026
FIFTH = "fifth"  # measured once, and may be looked at since
SIXTH = "sixth"  # held out until its misses were read on 1 December 2026
SEVENTH = "seventh"  # measured twice, and may be looked at since
THIRD = "third"  # of people of other trades; each says what it means
TOP = 3  # places of the list in which nothing wrong may stand

# A question's text becomes the keys of the instruments that answer it, the best first.
Ranking = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Question:
    """`right`, `also`, `wrong` and `near` are keys of instruments; `nobody` is a technique; `means` are codes
    of measurands, one of which is meant."""

    id: str
    language: str
    kind: str
    text: str
    right: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    nobody: str = ""
    means: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_nonsense(self) -> bool:
        return self.kind == "nonsense"


@dataclass(frozen=True)
class Marks:
    """Percentages of the questions concerned; `missed` has a line for each mark that was missed."""

    right_first: float
    none_wrong: float
    nonsense_empty: float
    nobody_empty: float
    missed: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                f"a right one first: {self.right_first:.1f} %",
                f"no wrong one in the first {TOP}: {self.none_wrong:.1f} %",
                f"nonsense answered with nothing: {self.nonsense_empty:.1f} %",
                f"what nobody measures answered with nothing: {self.nobody_empty:.1f} %",
                *self.missed,
            ]
        )


def questions(name: str) -> list[Question]:
    """The questions of a file."""
    rows = tomllib.loads((DATA / f"{name}.toml").read_text("utf-8"))["ask"]
    return [Question(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}) for row in rows]


def key_of(instrument: Instrument) -> str:
    """The key by which questions name an instrument of the demonstration; empty for one without."""
    for number in instrument.alternate_identifiers:
        if number["identifier_type"] == "InventoryNumber":
            return str(number["identifier"]).lower()
    return ""


def measure(asked: Sequence[Question], ranking: Ranking) -> Marks:
    """The marks of a ranking, which is asked each question once."""
    missed: list[str] = []
    shown = {question: list(ranking(question.text)) for question in asked}

    def share(mark: str, of: list[Question], is_hit: Callable[[Question, list[str]], bool]) -> float:
        missing = [question for question in of if not is_hit(question, shown[question])]
        for question in missing:
            top = " ".join(shown[question][:TOP]) or "nothing"
            missed.append(f"{question.id} {mark}: {question.text} -> {top}")
        return 100 * (len(of) - len(missing)) / len(of) if of else 100.0

    return Marks(
        right_first=share(
            "right one first",
            [q for q in asked if q.right],
            lambda q, keys: {*keys[:1]} & {*q.right} != set(),
        ),
        none_wrong=share(
            "no wrong one",
            [q for q in asked if not q.is_nonsense],
            lambda q, keys: {*keys[:TOP]} <= {*q.right, *q.also},
        ),
        nonsense_empty=share("nonsense", [q for q in asked if q.is_nonsense], lambda q, keys: not keys),
        nobody_empty=share("nobody", [q for q in asked if q.nobody], lambda q, keys: not keys),
        missed=tuple(missed),
    )
