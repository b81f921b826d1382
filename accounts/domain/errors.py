"""Refusals: the exceptions with which the platform declines to do something.

A refusal has a code and is defined beside its rule. Pages and the API turn its class into an HTTP status and
its code into a sentence; nothing here depends on either.
"""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from uuid import UUID

LONGEST_COMPARED = 60  # characters: comparing costs the square of the length
MOST_UNKNOWN = 20  # names of one object: each is compared with all that there are


@dataclasses.dataclass(frozen=True)
class FieldProblem:
    """A field of a request that has the wrong form. `field` is a path: `bands[1].opens`. `known`: for a field
    that does not exist, the names that do at its place."""

    field: str
    code: str
    numbers: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
    known: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    @property
    def nearest(self) -> str:
        """Return the known name that is most like the last name of the path; empty if none is like it."""
        name = self.field.rpartition(".")[2].lower()
        if len(name) > LONGEST_COMPARED:
            return ""
        return next(iter(difflib.get_close_matches(name, self.known, n=1)), "")


class Refused(Exception):
    """The base class of refusals. `code` is stable; pages and the API make sentences from it."""

    code = "refused"

    def __init__(self, code: str | None = None, **numbers: str | int) -> None:
        self.code = code or self.code
        self.numbers = numbers
        super().__init__(self.code)


class NotPermitted(Refused):
    """The person may not do this. `at`: the organisation in which they would need a role, if it is known;
    `is_named`: what they may not do there concerns something of its that everybody may see."""

    code = "not-permitted"

    def __init__(
        self, code: str | None = None, *, at: UUID | None = None, is_named: bool = False, **numbers: str | int
    ) -> None:
        self.at, self.is_named = at, is_named
        super().__init__(code, **numbers)


class NotFound(Refused):
    """Something does not exist, or this person may not see it: the answer is the same for both."""

    code = "not-found"


class Invalid(Refused):
    """The request has the wrong form."""

    code = "invalid"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class WrongState(Refused):
    """The present state does not allow the change."""

    code = "wrong-state"


class WrongVersion(Refused):
    """Somebody changed the record since the person read it."""

    code = "wrong-version"


class TooOften(Refused):
    """Too many requests came from one place; it may ask again later."""

    code = "too-many-requests"


class NoLongerKept(Refused):
    """Something is no longer there: it was removed after its time."""

    code = "no-longer-kept"


class KeyReused(Refused):
    """The idempotency key was used before with another body."""

    code = "idempotency-key-reused"


class StillRunning(Refused):
    """The request with the same idempotency key has not ended yet."""

    code = "still-running"


def unknown_fields(given: Iterable[object], known: Iterable[str], path: str = "") -> list[FieldProblem]:
    """Return a problem for each name of an object at `path` that is not one of the known names, for the first
    `MOST_UNKNOWN` of them."""
    known = tuple(known)
    at = f"{path}." if path else ""
    unknown = islice((n for n in given if n not in known), MOST_UNKNOWN)
    return [FieldProblem(f"{at}{n}", "unknown-field", known=known) for n in unknown]


def invalid(field_name: str, code: str, **numbers: str | int) -> Invalid:
    """Return `Invalid` with one problem."""
    return Invalid([FieldProblem(field_name, code, numbers)])
