"""The vocabulary of techniques: taking terms in."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db import connection, transaction

from accounts import trail
from accounts.domain.roles import By, Place
from accounts.permissions import require
from instruments.domain.techniques import Term, check_hierarchy
from instruments.models import Technique
from instruments.selectors.techniques import load_terms


@transaction.atomic
def techniques_import(by: By, *, terms: Iterable[Term]) -> list[str]:
    """Bring the vocabulary to what terms say, by their codes, and return the codes of those made
    or changed; none is ever removed. `Invalid` (check_hierarchy) and nothing is changed. For
    administrators and the platform itself.

    Instruments are filed by the new terms when `register_file` comes by.
    """
    if not by.actor.is_platform:
        require(by.actor, "administer", Place(None))
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE instruments_technique IN SHARE ROW EXCLUSIVE MODE")
    before = load_terms()
    given = {term.code: term for term in terms}
    changed = [code for code, term in given.items() if before.get(code) != _sorted(term)]
    whole = {**before, **given}
    check_hierarchy({code: term.parents for code, term in whole.items()}, changed)
    Technique.objects.bulk_create(
        [Technique(**_columns(given[code])) for code in changed],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["scheme", "name", "name_zh", "synonyms", "definition"],
    )
    rows = Technique.objects.in_bulk(field_name="code")
    links = Technique.parents.through
    links.objects.filter(from_technique__code__in=changed).delete()
    links.objects.bulk_create(
        links(from_technique=rows[code], to_technique=rows[parent])
        for code in changed
        for parent in dict.fromkeys(given[code].parents)
    )
    if changed:
        trail.record_many(
            by,
            changes=[_change(rows[code], before.get(code), given[code]) for code in changed],
            places=((), ()),
        )
    return changed


def _sorted(term: Term) -> Term:
    """As it is read back."""
    return Term(**{**asdict(term), "parents": tuple(sorted(set(term.parents)))})


def _columns(term: Term) -> dict[str, Any]:
    return {k: v for k, v in asdict(term).items() if k not in ("parents", "synonyms")} | {
        "synonyms": list(term.synonyms)
    }


def _change(row: Technique, before: Term | None, after: Term) -> tuple[Any, ...]:
    was = asdict(before) if before else {}
    values = asdict(after)
    names = [name for name in values if values[name] != was.get(name)]
    return (
        "technique.update" if before else "technique.create",
        row,
        {name: was[name] for name in names if name in was},
        {name: values[name] for name in names},
        "",
    )
