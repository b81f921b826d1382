"""Keep the search entries in step with the register."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import batched
from uuid import UUID

from django.db import connection, transaction

from instruments.register.locks import lock_instruments
from instruments.register.models import Instrument
from instruments.search.domain.relevance import ABOVE, CALLED, OWN
from instruments.search.domain.search import (
    GROUPS,
    chinese_names,
    exactly,
    key,
    purpose,
    town_of,
    vector,
    weighted,
)
from instruments.search.models import SearchEntry, SearchGroup, SearchWord
from instruments.vocabulary.domain.techniques import Lexicon, is_division
from instruments.vocabulary.domain.words import pieces
from instruments.vocabulary.selectors.techniques import load_lexicon

BATCH = 500
_FILED = (
    *("name", "is_published", "organisation", "region", "keys", *GROUPS, "whole"),
    *("length", "strong", "words"),
)


def entries_file(instrument_ids: Sequence[UUID], lexicon: Lexicon | None = None) -> None:
    """Write the search entries of instruments, in the transaction that changed them. Six statements."""
    if not instrument_ids:
        return
    lexicon = lexicon or load_lexicon()
    instruments = Instrument.objects.select_related("organisation", "facility").in_bulk(instrument_ids)
    codes: dict[UUID, list[str]] = {}
    through = Instrument.techniques.through.objects.filter(instrument_id__in=instruments)
    for pk, code in through.values_list("instrument_id", "technique__code"):
        codes.setdefault(pk, []).append(code)
    regions = {i.region_id for i in instruments.values()}
    above = _regions_above(regions)
    entries = [
        _entry(instrument, sorted(codes.get(pk, ())), *above[instrument.region_id], lexicon)
        for pk, instrument in sorted(instruments.items())
    ]
    groups = {group.id: group for entry in entries for group in _grouped(entry)}
    SearchGroup.objects.bulk_create([group for _, group in sorted(groups.items())], ignore_conflicts=True)
    SearchEntry.objects.bulk_create(
        entries, update_conflicts=True, unique_fields=["instrument"], update_fields=_FILED
    )


def _grouped(entry: SearchEntry) -> list[SearchGroup]:
    """Set the groups of an entry from its keys, and return them to be stored; they may exist already."""
    groups = []
    for name, facets in GROUPS.items():
        keys = [key for key in entry.keys if key.split(":", 1)[0] in facets]
        # Not for secrecy: a short digest of the keys, which SQL can compute as well.
        digest = hashlib.md5("\n".join(keys).encode(), usedforsecurity=False).hexdigest()
        group = SearchGroup(id=UUID(digest), keys=keys)
        setattr(entry, f"{name}_id", group.id)
        groups.append(group)
    return groups


def _regions_above(region_ids: Iterable[UUID]) -> dict[UUID, tuple[list[str], list[str]]]:
    """Return, for each region, its code and those of all regions above it, and their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, array_agg(a.code ORDER BY a.code),
                array_agg(a.name ORDER BY a.code) || array_agg(a.name_zh ORDER BY a.code)
            FROM accounts_region r JOIN accounts_region a ON a.id = r.id OR a.id = ANY(r.lineage)
            WHERE r.id = ANY(%s) GROUP BY r.id
            """,
            [list(region_ids)],
        )
        return {region: (codes, names) for region, codes, names in cursor.fetchall()}


def _entry(
    instrument: Instrument,
    codes: Sequence[str],
    regions: Sequence[str],
    places: Sequence[str],
    lexicon: Lexicon,
) -> SearchEntry:
    makers = [str(maker.get("name", "")) for maker in instrument.manufacturers]
    kinds = [str(kind.get("name", "")) for kind in instrument.instrument_types]
    names = [instrument.name, instrument.name_zh, instrument.model]
    classes = [instrument.classification_code] if instrument.classification_code else []
    classes = [code for code in classes if code in lexicon.parents]
    chosen = {*codes, *classes}
    # Inventories seldom name techniques; what a name says of them lets their synonyms find it.
    said = lexicon.named_in(*names, *kinds)
    named = said | chosen
    # Where techniques are stated a name makes them more exact, or repeats them: a "confocal Raman microscope"
    # is no confocal microscope.
    called = {code for code in said if not chosen or {code, *lexicon.above([code])} & chosen}
    branch = chosen | lexicon.above(chosen)
    host, site = instrument.organisation, instrument.facility
    weights = weighted(
        {
            "A": names,
            "B": [
                *makers,
                *(name for maker in makers for name in chinese_names(maker)),
                *(label for code in sorted(named) for label in lexicon.labels[code]),
            ],
            "C": [
                label
                for code in sorted(lexicon.above(named))
                if not is_division(code, lexicon.labels[code][0])
                for label in lexicon.labels[code]
            ]
            + [host.name, host.name_zh, host.code, site.name, site.name_zh, town_of(site.address), *places],
            "D": [
                *kinds,
                *(label for code in sorted(named) for label in lexicon.for_others[code]),
                *(instrument.description, instrument.description_zh),
                *(str(other.get("identifier", "")) for other in instrument.alternate_identifiers),
                *(str(variable.get("name", "")) for variable in instrument.measured_variables),
            ],
        }
    )
    keys = [
        *(key("technique", code) for code in branch),
        *(key(OWN, code) for code in chosen),
        *(key(CALLED, code) for code in called),
        *(key(ABOVE, code) for code in lexicon.above(called | chosen)),
        *(key("region", code) for code in regions),
        key("host", host.code),
        *(key("maker", maker) for maker in makers if maker.strip()),
        *(key("service_mode", mode) for mode in instrument.service_modes),
        key("kind", instrument.kind),
        *purpose(instrument.name),
    ]
    return SearchEntry(
        instrument=instrument,
        name=instrument.name,
        is_published=instrument.publication == Instrument.Publication.PUBLISHED,
        organisation_id=instrument.organisation_id,
        region_id=instrument.region_id,
        keys=sorted(set(keys)),
        whole=sorted({exactly(name) for name in names if name} - {""}),
        length=min(len(pieces(instrument.name)), 100),
        strong=vector(
            {lexeme: weight for lexeme, weight in weights.items() if weight < "D"}, is_weighted=True
        ),
        words=vector(weights),
    )


def register_file() -> int:
    """Write the search entries of all instruments, in one transaction per batch, and gather the register's
    words; needed after changes to the vocabulary or to a host's name. Return the number of instruments.

    Instruments are taken by name, so that similar rows lie together and a search for many of them reads a
    third of the pages.
    """
    lexicon = load_lexicon()
    ids = list(Instrument.objects.order_by("name", "pk").values_list("pk", flat=True))
    for batch in batched(ids, BATCH):
        with transaction.atomic():
            there = Instrument.objects.filter(pk__in=batch).values_list("pk", flat=True)
            lock_instruments(there)
            entries_file(batch, lexicon)
    words_gather()
    return len(ids)


@transaction.atomic
def register_refile(*, organisation_id: UUID | None = None, region_id: UUID | None = None) -> list[UUID]:
    """Write the search entries of an organisation's instruments after its name or code has changed, or of
    those in a region and below it after its code or place has. Return their ids."""
    rows = Instrument.objects.order_by("pk")
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    if region_id is not None:
        rows = rows.filter(region__lineage__contains=[region_id])
    ids = list(rows.values_list("pk", flat=True))
    lexicon = load_lexicon() if ids else None
    for batch in batched(ids, BATCH):
        lock_instruments(batch)
        entries_file(batch, lexicon)
    return ids


@transaction.atomic
def words_gather() -> int:
    """Replace the list of Latin words by which published instruments are found; return their number."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {SearchWord._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        SearchWord.objects.all().delete()
        cursor.execute(
            """
            INSERT INTO instruments_searchword (word, number)
            SELECT word, ndoc FROM ts_stat(
                'SELECT words FROM instruments_searchentry WHERE is_published'
            )
            WHERE word ~ '^[^~0-9一-鿿㐀-䶿豈-﫿]{4,40}$'
            """
        )
        return int(cursor.rowcount)
