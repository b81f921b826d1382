"""Journals, and their closed months."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Cursor, Pages, answer, cursor_of
from accounts.api.resource import Resource, creates, lists, rendered
from accounts.api.schema import operation, page
from accounts.api.shapes import Amount, Choice, Instant, Text, amount, query_values
from accounts.domain.errors import NotFound, invalid
from bookings.journal.domain.journal import SIDES
from bookings.journal.domain.periods import period_read
from bookings.journal.forms.charts import JournalCloseBody, month_closed
from bookings.journal.messages import SIDE_LABELS
from bookings.journal.models import JournalMonth
from bookings.journal.selectors.charts import keeping, organisation_kept
from bookings.journal.selectors.files import HEADS, file_lines, file_name
from bookings.journal.selectors.journal import Entry, load_journal
from bookings.journal.services.journal import journal_close
from bookings.record.adapters.figures import FILES, file_answer
from bookings.record.api.lists import FILE_TYPES, format_of
from bookings.record.api.shapes import PlainNumber


class JournalQuery(Pages):
    organisation = Text(40, default="", help_text="Code of the organisation; default: your only one.")
    side = Choice(
        [(side, SIDE_LABELS[side]) for side in SIDES],
        default="host",
        help_text="`host`: what the organisation earns; `payer`: what it owes.",
    )
    period = Text(7, help_text="A month (`2026-03`), a quarter (`2026-Q1`) or a year (`2026`).")
    format = format_of()


class JournalLineShape(serializers.Serializer[Any]):
    """A line; `debit` or `credit` is 0. `account` is empty if no rule gives one."""

    role = serializers.CharField()
    account = serializers.CharField()
    account_name = serializers.CharField()
    account_name_zh = serializers.CharField()
    debit = Amount(currency="")
    credit = Amount(currency="")
    cost_centre = serializers.CharField()
    tax_code = serializers.CharField()
    tax_percent = PlainNumber(allow_null=True)


class JournalEntryShape(serializers.Serializer[Any]):
    """An entry, whose debits and credits are equal. `number` counts those of a closed month; 0 while the
    month is open, whose entries are provisional. `row` is the row of the ledger that it comes from,
    `thing` the charge, the statement or the bank transaction."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    date = serializers.DateField(source="day")
    document_date = serializers.DateField(source="document_day")
    document = serializers.CharField()
    statement = serializers.CharField()
    text = serializers.CharField()
    text_zh = serializers.CharField()
    partner = serializers.CharField()
    partner_name = serializers.CharField()
    partner_name_zh = serializers.CharField()
    currency = serializers.CharField()
    row = serializers.UUIDField()
    thing = serializers.UUIDField(allow_null=True)
    lines = JournalLineShape(many=True)


def _shown(entry: Entry) -> Any:
    shown = rendered(JournalEntryShape, entry)
    for line, of in zip(shown["lines"], entry.lines, strict=True):
        for name in ("debit", "credit"):
            line[name] = amount(getattr(of, name), entry.currency)["amount"]
    return shown


class JournalEntries(Endpoint):
    """The journal of an organisation on one side."""

    only_reads = True
    needs_person = True

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:
        is_file = request.query_params.get("format") in FILES
        return super().perform_content_negotiation(request, force or is_file)

    @operation(
        "journal_list",
        _("Journal"),
        tag="money",
        query=JournalQuery,
        gives=page(JournalEntryShape),
        files=FILE_TYPES,
        refuses=[404],
    )
    def get(self, request: Request) -> Response | HttpResponseBase:
        """Return the entries of an organisation's journal of a period, for its finance and for auditors
        of its region; or all of it as a file, one row for each line."""
        query = query_values(JournalQuery, request.query_params)
        period = period_read(query["period"])
        if period is None:
            raise invalid("period", "unknown-value")
        organisation = organisation_kept(self.actor, query["organisation"])
        if organisation is None:
            raise NotFound
        journal = load_journal(organisation, query["side"], *period)
        if (format := query.get("format", "json")) in FILES:
            name = file_name(journal, query["period"])
            asked = request.query_params.dict()
            return file_answer(name, format, HEADS, file_lines(journal), asked)
        cursor = cursor_of(query.get("cursor"))
        offset = _offset(cursor)
        entries = journal.page(offset, query["limit"])
        behind = offset + len(entries)
        return answer(
            request,
            [_shown(entry) for entry in entries],
            following=Cursor((str(behind),)) if behind < journal.count else None,
            preceding=Cursor((str(max(offset - query["limit"], 0)),)) if offset else None,
        )


def _offset(cursor: Cursor | None) -> int:
    if cursor is None:
        return 0
    (text, *more) = cursor.values or (None,)
    if more or text is None or not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise invalid("cursor", "unknown-cursor")
    return int(text)


class JournalMonthShape(serializers.Serializer[Any]):
    """A closed month of a journal; `digest` is the SHA-256 of its lines."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    side = serializers.CharField()
    month = serializers.DateField(format="%Y-%m")
    entries = serializers.IntegerField()
    digest = serializers.CharField()
    closed_at = Instant()


class JournalMonths(Resource):
    at, tag, name, many = "journal-months/", "money", "journal_month", "journal_months"
    shape, order = JournalMonthShape, ("-closed_at", "-id")
    needs_person = True

    def location(self, row: Any) -> str:
        return ""

    @lists(_("Closed months of journals"))
    def rows(self, query: dict[str, Any]) -> QuerySet[JournalMonth]:
        """Return the closed months of the organisations whose finance you are, and of an auditor's regions;
        those closed last first."""
        mine = keeping(self.actor).order_by().values("pk")
        return JournalMonth.objects.filter(organisation__in=mine).select_related("organisation")

    @creates(
        _("Close the journal of a month"),
        JournalCloseBody,
        named="_close",
        sends={"organisation": "wusong-tech", "side": "host", "month": "2026-03"},
        refuses=[404],
    )
    def close(self, data: dict[str, Any]) -> JournalMonth:
        """Close a month of a journal, for the organisation's finance: its entries are numbered and kept
        as they are, whatever changes later. Every line needs an account."""
        return journal_close(self.by, **month_closed(data))
