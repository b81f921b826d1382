"""Refusals: the exceptions with which the platform declines to do something.

A refusal has a code and is defined beside its rule. Pages and the API turn its class into an HTTP status and
its code into a sentence; nothing here depends on either.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from uuid import UUID


@dataclasses.dataclass(frozen=True)
class FieldProblem:
    """A field of a request that has the wrong form. `field` is a path: `bands[1].opens`."""

    field: str
    code: str
    numbers: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


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


class KeyReused(Refused):
    """The idempotency key was used before with another body."""

    code = "idempotency-key-reused"


class StillRunning(Refused):
    """The request with the same idempotency key has not ended yet."""

    code = "still-running"


def invalid(field_name: str, code: str, **numbers: str | int) -> Invalid:
    """Return `Invalid` with one problem."""
    return Invalid([FieldProblem(field_name, code, numbers)])
