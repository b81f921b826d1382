"""Read what OAI-PMH gives: records that are or were public, in the order of their changes, and their sets."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Organisation, Region
from instruments.exchange.adapters import datacite, oai, pidinst
from instruments.exchange.domain.datacite import dublin_core
from instruments.exchange.domain.oai import (
    FORMATS,
    HOST,
    PAGE,
    REGION,
    OaiRefused,
    Selection,
    bad_token,
    changed_in,
    datestamp,
    identifier_of,
    key_of,
    second,
    selection_from,
    token_values,
    unknown_record,
)
from instruments.exchange.domain.pidinst import pidinst_json
from instruments.exchange.selectors.exports import datacite_of, page_of, pidinst_record
from instruments.register.models import Instrument
from instruments.register.selectors.registry import PUBLIC, catalogue_records

_SALT = "oai"


def site_of_records() -> str:
    """Return the host name that stands in the identifiers of records."""
    return urlsplit(settings.SITE_URL).hostname or ""


def token_of(selection: Selection) -> str:
    return signing.dumps(token_values(selection), salt=_SALT)


def selection_of_token(token: str) -> Selection:
    """Return where a list goes on. `OaiRefused`: badResumptionToken."""
    try:
        return selection_from(signing.loads(token, salt=_SALT))
    except signing.BadSignature:
        raise bad_token() from None


def earliest_datestamp(now: datetime) -> str:
    """Return a datestamp before which there is no record."""
    first = catalogue_records(None, "").order_by("updated_at", "id").values_list("updated_at", flat=True)
    at = first.first()
    return datestamp(at) if at is not None else second(now)


def named_sets() -> list[tuple[str, str]]:
    """Return the sets: each region with instruments in it or below it, and each host, with their names."""
    recorded = Instrument.objects.filter(organisation=OuterRef("pk"), published_at__isnull=False)
    hosts = list(
        Organisation.objects.filter(Exists(recorded))
        .order_by("code")
        .values_list("code", "name", "region__lineage")
    )
    above = {pk for *_, lineage in hosts for pk in lineage}
    regions = Region.objects.filter(pk__in=above).order_by("code").values_list("code", "name")
    return [
        *((f"{REGION}:{code}", name) for code, name in regions),
        *((f"{HOST}:{code}", name) for code, name, _ in hosts),
    ]


def load_list(
    selection: Selection, now: datetime, *, with_metadata: bool
) -> tuple[list[oai.Header], str | None]:
    """Return a part of a list, and the token of the next: empty on the last part, None if the list came
    whole. `OaiRefused`: noRecordsMatch."""
    begin, end = changed_in(selection, now)
    rows = _rows(selection.set_kind, selection.set_code).filter(updated_at__lt=end)
    if begin is not None:
        rows = rows.filter(updated_at__gte=begin)
    if selection.after is not None:
        at, pk = selection.after
        rows = rows.filter(Q(updated_at__gt=at) | Q(updated_at=at, pk__gt=pk), updated_at__gte=at)
    taken = list(rows.order_by("updated_at", "pk")[: PAGE + 1])
    page, goes_on = taken[:PAGE], len(taken) > PAGE
    if not page and selection.after is None:
        raise OaiRefused("noRecordsMatch", "No records match.")
    token = "" if selection.after is not None else None
    if goes_on:
        last = page[-1]
        token = token_of(
            replace(selection, after=(last.updated_at, last.pk), count=selection.count + len(page))
        )
    return _headers(page, selection.prefix if with_metadata else ""), token


def load_one(identifier: str, prefix: str) -> oai.Header:
    """Return a record in a format; with an empty `prefix` only its header. `OaiRefused`: idDoesNotExist."""
    rows = list(_rows("", "").filter(pk=key_of(site_of_records(), identifier)))
    if not rows:
        raise unknown_record()
    return _headers(rows, prefix)[0]


def _rows(kind: str, code: str) -> QuerySet[Instrument]:
    rows = catalogue_records(None, code if kind == REGION else "")
    if kind == HOST:
        rows = rows.filter(organisation__code=code)
    return rows.select_related(None).select_related("organisation", "region").prefetch_related("techniques")


def _headers(rows: Sequence[Instrument], prefix: str) -> list[oai.Header]:
    above: set[UUID] = {pk for row in rows for pk in row.region.lineage}
    codes: dict[Any, str] = dict(Region.objects.filter(pk__in=above).values_list("pk", "code"))
    return [
        oai.Header(
            identifier=identifier_of(site_of_records(), row.pk),
            datestamp=datestamp(row.updated_at),
            sets=[
                *(f"{REGION}:{codes[pk]}" for pk in reversed(row.region.lineage) if pk in codes),
                f"{HOST}:{row.organisation.code}",
            ],
            is_deleted=row.publication not in PUBLIC,
            metadata=_metadata(row, prefix) if prefix and row.publication in PUBLIC else None,
        )
        for row in rows
    ]


def _metadata(row: Instrument, prefix: str) -> bytes:
    if prefix == "pidinst":
        record = pidinst_record(row)
        # How to reach owners stays here: it may be a person's address.
        unnamed = [{k: v for k, v in item.items() if k != "contact"} for item in record.owners]
        return pidinst.xml_of(pidinst_json(replace(record, owners=unnamed)), FORMATS[prefix][1])
    if prefix == "datacite":
        return datacite.xml_of(datacite_of(row))
    return oai.dublin_core_xml(dublin_core(datacite_of(row), page_of(row)))
