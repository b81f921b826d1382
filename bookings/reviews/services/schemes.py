"""Review schemes: making versions from the contents of files."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import trail
from accounts.domain.canonical import canonical_json
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import By
from bookings.reviews.models import ReviewScheme

COLUMNS = (
    "name", "name_zh", "regions", "money", "currency", "least", "most", "full_hours",
    "full_percent", "look", "grounds", "experts", "days", "appeal_days", "valid_from", "source",
    "source_date",
)  # fmt: skip
_GROUND = {"code", "side", "name", "name_zh"}
_CONTRADICTS = "contradicts"  # the codes of grounds that a ground cannot be combined with


@transaction.atomic
def schemes_load(by: By, *, schemes: Iterable[Mapping[str, Any]]) -> list[ReviewScheme]:
    """Make a version of each scheme whose content is new, and return these; cases keep the version they began
    with. Raises `NotPermitted` unless the actor is an administrator or the platform itself; `Invalid`
    (`not-a-scheme`), which names the column."""
    if not by.actor.is_platform and not by.actor.has("administrator"):
        raise NotPermitted
    made = []
    for given in schemes:
        if set(given) != {"code", *COLUMNS}:
            raise invalid("file", "not-a-scheme")
        plain = trail.plain(given)
        digest = hashlib.sha256(canonical_json(plain)).hexdigest()
        last = (
            ReviewScheme.objects.select_for_update().filter(code=given["code"]).order_by("-version").first()
        )
        if last is not None and last.digest == digest:
            continue
        row = ReviewScheme(**given, version=last.version + 1 if last else 1, digest=digest, loaded_at=by.now)
        try:
            row.full_clean()
        except ValidationError as wrong:
            raise invalid(next(iter(wrong.message_dict)), "not-a-scheme") from None
        if any(set(ground) - {_CONTRADICTS} != _GROUND for ground in row.grounds):
            raise invalid("grounds", "not-a-scheme")
        row.save(force_insert=True)
        trail.record(by, "review-scheme.load", row, after=plain)
        made.append(row)
    return made
