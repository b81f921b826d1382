"""Find instruments by inventory number."""

from collections.abc import Iterable

from accounts.domain.errors import Invalid
from accounts.models import Organisation
from instruments.exchange.domain.fields import ALTERNATE_IDENTIFIERS
from instruments.exchange.domain.many import Numbered, PhotoOutcome, numbered, numbers_in, plain_number
from instruments.register.models import Instrument

_KIND = ALTERNATE_IDENTIFIERS["inventory_number"]


def load_numbered(organisation: Organisation, wanted: Iterable[str]) -> dict[str, list[Numbered]]:
    """Return, by plain inventory number, the instruments of an organisation that have one of those wanted.
    One statement."""
    asked = set(wanted)
    found: dict[str, list[Numbered]] = {}
    rows = Instrument.objects.filter(
        organisation=organisation,
        merged_into=None,
        alternate_identifiers__contains=[{"identifier_type": _KIND}],
    ).order_by("pk")
    for pk, name, name_zh, items in rows.values_list("pk", "name", "name_zh", "alternate_identifiers"):
        numbers = {
            plain_number(str(item.get("identifier", "")))
            for item in items
            if item.get("identifier_type") == _KIND
        }
        for number in numbers & asked:
            found.setdefault(number, []).append(Numbered(pk, name, name_zh))
    return found


def photos_match(organisation: Organisation, file_names: Iterable[str]) -> list[PhotoOutcome]:
    """Return which instrument each photo would belong to by its file name."""
    names = list(file_names)
    known = load_numbered(organisation, {number for name in names for number in numbers_in(name)})
    outcomes = []
    for name in names:
        try:
            outcomes.append(PhotoOutcome(name, numbered(numbers_in(name), known)))
        except Invalid as refused:
            outcomes.append(PhotoOutcome(name, problem=refused.problems[0]))
    return outcomes
