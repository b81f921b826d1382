"""Review schemes: making versions from the contents of files."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import trail
from accounts.domain.canonical import canonical_json
from accounts.domain.errors import Invalid, NotPermitted, WrongState, invalid
from accounts.domain.roles import By, Place
from accounts.permissions import require
from accounts.services.memberships import checked_reason
from bookings.reviews.adapters.schemes import line_of, read, written
from bookings.reviews.domain.schemes import Change, changed
from bookings.reviews.models import ReviewScheme

COLUMNS = (
    "name", "name_zh", "regions", "money", "currency", "least", "most", "full_hours",
    "full_percent", "look", "grounds", "experts", "days", "appeal_days", "valid_from", "source",
    "source_date",
)  # fmt: skip
_GROUND = {"code", "side", "name", "name_zh"}
_CONTRADICTS = "contradicts"  # the codes of grounds that a ground cannot be combined with


def _texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)


def _grounds(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(_ground(each) for each in value)


def _ground(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) - {_CONTRADICTS} != _GROUND:
        return False
    texts = all(isinstance(value[name], str) for name in _GROUND)
    return texts and value["side"] in ("for", "against") and _texts(value.get(_CONTRADICTS, []))


def _days(value: Any) -> bool:
    return isinstance(value, dict) and all(type(each) is int and 0 < each < 1000 for each in value.values())


# Columns whose form the fields of the row do not hold by themselves. Values that are not stated are null.
_SHAPES: dict[str, Callable[[Any], bool]] = {
    "regions": _texts,
    "money": _texts,
    "grounds": _grounds,
    "days": _days,
    **{
        name: (lambda value: value != "")
        for name in ("least", "most", "full_hours", "full_percent", "experts", "appeal_days", "valid_from")
    },
}


@transaction.atomic
def schemes_load(by: By, *, schemes: Iterable[Mapping[str, Any]], reason: str = "") -> list[ReviewScheme]:
    """Make a version of each scheme whose content is new, and return these; cases keep the version they began
    with. Raises `NotPermitted` unless the actor is an administrator or the platform itself; `Invalid`
    (`not-a-scheme`), which names the column."""
    if not by.actor.is_platform and not by.actor.has("administrator"):
        raise NotPermitted
    made = []
    for given in schemes:
        row = _made(given, by)
        last = _newest(row.code)
        if last is not None and last.digest == row.digest:
            continue
        row.version = last.version + 1 if last else 1
        row.save(force_insert=True)
        trail.record(by, "review-scheme.load", row, after=trail.plain(given), reason=reason)
        made.append(row)
    return made


def _newest(code: str) -> ReviewScheme | None:
    return ReviewScheme.objects.select_for_update().filter(code=code).order_by("-version").first()


def _made(given: Mapping[str, Any], by: By) -> ReviewScheme:
    """Return the row of a scheme, not stored yet; raise `Invalid` for the first column that is wrong."""
    if set(given) != {"code", *COLUMNS}:
        raise invalid("file", "not-a-scheme")
    for name, is_right in _SHAPES.items():
        if not is_right(given[name]):
            raise invalid(name, "not-a-scheme")
    digest = hashlib.sha256(canonical_json(trail.plain(given))).hexdigest()
    row = ReviewScheme(**given, version=1, digest=digest, loaded_at=by.now)
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as wrong:
        raise invalid(next(iter(wrong.message_dict)), "not-a-scheme") from None
    if row.least is not None and row.most is not None and row.most <= row.least:
        raise invalid("most", "not-a-scheme")
    return row


def scheme_check(by: By, *, text: str) -> list[Change]:
    """Return what the text of a scheme would change in its newest version, without storing anything. Raise
    `NotPermitted` unless the actor is an administrator, `Invalid` with the line that is wrong, and
    `WrongState` (`same-scheme`) if it would change nothing."""
    require(by.actor, "administer", Place(None))
    if "\\u0000" in text or "\0" in text:
        raise invalid("text", "not-a-scheme-line", line=line_of(text, "\\u0000"), column="text")
    try:
        row = _made(read(text), by)
    except Invalid as wrong:
        problem = wrong.problems[0]
        if problem.code == "not-json":
            raise invalid("text", "not-json", **problem.numbers) from None
        if problem.field == "file":
            raise invalid("text", "not-a-scheme-columns", columns=", ".join(("code", *COLUMNS))) from None
        line = line_of(text, problem.field)
        raise invalid("text", "not-a-scheme-line", line=line, column=problem.field) from None
    last = ReviewScheme.objects.filter(code=row.code).order_by("-version").first()
    changes = changed(json.loads(text_of(last)) if last else {}, json.loads(text_of(row)))
    if not changes:
        raise WrongState("same-scheme")
    return changes


def text_of(row: ReviewScheme) -> str:
    """Return a version of a scheme as the text of a file."""
    return written({name: getattr(row, name) for name in ("code", *COLUMNS)})


@transaction.atomic
def scheme_enter(by: By, *, text: str, reason: str) -> ReviewScheme:
    """Make a new version of the scheme in a text, for cases that begin from now on. Raise what `scheme_check`
    does."""
    scheme_check(by, text=text)
    (row,) = schemes_load(by, schemes=[read(text)], reason=checked_reason(reason, is_owed=True))
    return row
