"""Read the known terms of fields, and which values of a file are none of them."""

from collections.abc import Sequence
from itertools import chain

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from instruments.exchange.domain.terms import (
    CHOSEN,
    MOST_LISTED,
    WORDS,
    Nearest,
    UnknownValue,
    counted,
    names_of,
    plain,
)
from instruments.exchange.models import Import, ImportTerm
from instruments.register.models import Facility
from instruments.vocabulary.models import Technique


def terms_for(actor: Actor) -> QuerySet[ImportTerm]:
    """Return what the organisations whose instruments the actor manages have decided that values of their
    files mean."""
    own = actor.organisations_where("manage-instruments")
    rows = ImportTerm.objects.filter(organisation_id__in=own).select_related("organisation")
    return rows.order_by("field", "value", "id")


def currencies() -> list[str]:
    """Return the currencies that are proposed: those with names here and those of the regions."""
    own = Region.objects.exclude(currency="").values_list("currency", flat=True).distinct()
    return sorted({*WORDS["acquisition_currency"], *own})


def names_in(organisation: Organisation, field: str) -> list[tuple[str, Sequence[str]]]:
    """Return the known terms of a field for an organisation, each with its names."""
    if field == "techniques":
        rows = Technique.objects.order_by("name", "code").values_list("code", "name", "name_zh", "synonyms")
        return [(code, (name, name_zh, code, *map(str, more))) for code, name, name_zh, more in rows]
    if field == "facility":
        own = Facility.objects.filter(organisation=organisation).order_by("name")
        return [(name, (name, name_zh)) for name, name_zh in own.values_list("name", "name_zh")]
    named = dict(names_of(field))
    if field == "acquisition_currency":
        named = {code: (code,) for code in currencies()} | named
    return list(named.items())


def is_term(organisation: Organisation, field: str, term: str) -> bool:
    """Say whether a text is a known term of a field for an organisation."""
    match field:
        case "techniques":
            return Technique.objects.filter(code=term).exists()
        case "facility":
            return Facility.objects.filter(organisation=organisation, name=term).exists()
        case "acquisition_currency":
            return term in currencies()
        case _:
            return term in WORDS.get(field, {})


def load_unknown(job: Import) -> tuple[list[UnknownValue], int]:
    """Return the values of an import's rows that are no known terms, the most frequent first, each with the
    nearest term; and how many more there are than are listed. A facility counts if the organisation has
    others and has not decided that it is a new one."""
    rows = job.rows.filter(values__isnull=False)
    read = (unknown or {} for unknown in rows.values_list("values__unknown", flat=True).iterator())
    facilities = Facility.objects.filter(organisation=job.organisation).values_list("name", flat=True)
    there = set(facilities)
    decided = set(
        ImportTerm.objects.filter(organisation=job.organisation, field="facility").values_list(
            "value", flat=True
        )
    )
    named = rows.exclude(values__facility="").values_list("values__facility", flat=True)
    sites = (
        {"facility": (name,)}
        for name in (named.iterator() if there else ())
        if name and name not in there and plain(name) not in decided
    )
    counts = counted(chain(read, sites))
    most = counts.most_common(MOST_LISTED)
    nearest = {
        field: Nearest(names_in(job.organisation, field))
        for field in ("techniques", "facility", *CHOSEN)
        if any(field == each for (each, _), _ in most)
    }
    listed = [UnknownValue(field, value, n, nearest[field].to(value)) for (field, value), n in most]
    return listed, len(counts) - len(listed)
