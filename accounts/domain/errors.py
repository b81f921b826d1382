"""Refusals: what the platform answers when it will not do a thing.

A refusal is an exception with a code, defined beside its rule. The doors turn its class
into an HTTP status and its code into a sentence; nothing here knows of either.
"""

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class FieldProblem:
    """One field of a request that has not the right shape. `field` is a path: `bands[1].opens`."""

    field: str
    code: str
    numbers: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


class Refused(Exception):
    """The base of every refusal. `code` is stable; sentences are made from it by the doors."""

    code = "refused"

    def __init__(self, code: str | None = None, **numbers: str | int) -> None:
        self.code = code or self.code
        self.numbers = numbers
        super().__init__(self.code)


class NotPermitted(Refused):
    """The person may not do this."""

    code = "not-permitted"


class NotFound(Refused):
    """It does not exist, or is not this person's to see: the two are not told apart."""

    code = "not-found"


class Invalid(Refused):
    """The request has not the right shape."""

    code = "invalid"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class WrongState(Refused):
    """A transition that the present state does not allow."""

    code = "wrong-state"


class WrongVersion(Refused):
    """Somebody changed the record since the person read it."""

    code = "wrong-version"


class TooOften(Refused):
    """It was asked too often from one place; later it may be asked again."""

    code = "too-many-requests"


class KeyReused(Refused):
    """The idempotency key came before with another body."""

    code = "idempotency-key-reused"


class StillRunning(Refused):
    """The request with the same idempotency key has not ended yet."""

    code = "still-running"


def invalid(field_name: str, code: str, **numbers: str | int) -> Invalid:
    """Return `Invalid` with one problem."""
    return Invalid([FieldProblem(field_name, code, numbers)])
