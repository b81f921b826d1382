"""The page of a list and the API's list answer the same rows to each filter and each order of the one
declaration, and the same CSV and XLSX."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import NOBODY, By
from accounts.selectors.rows import field_at
from accounts.selectors.waits import kinds, load_work
from bookings.audit.selectors.actions import ACTIONS
from bookings.audit.selectors.audit import EXCEPTIONS, FINDINGS
from bookings.bank.selectors.bank import FILES as BANK_FILES
from bookings.bank.selectors.bank import TRANSACTIONS as BANK_TRANSACTIONS
from bookings.board.selectors.alarms import ALARMS
from bookings.board.selectors.enquiries import BIDS, ENQUIRIES, OPEN_ENQUIRIES
from bookings.charging.selectors.charges import CHARGES
from bookings.funding.selectors.funding_sources import SOURCES
from bookings.funding.selectors.programmes import GRANTS, PROGRAMMES
from bookings.needs.selectors.batches import BATCHES
from bookings.needs.selectors.needs import NEEDS
from bookings.operations.selectors.announcements import ANNOUNCEMENTS, MAINTENANCE
from bookings.planning.selectors.plans import PLANS
from bookings.planning.selectors.register import DECISIONS
from bookings.pricing.selectors.agreements import AGREEMENTS
from bookings.pricing.selectors.bookings import HOSTED_BOOKINGS, OWN_BOOKINGS
from bookings.record.selectors.lists import CHOICE, DAY, FLAG, MONTH, Filter, Listing
from bookings.results.selectors.handoffs import RESULTS
from bookings.reviews.selectors.cases import CASES
from bookings.samples.selectors.samples import HOSTED_SAMPLES, OWN_SAMPLES
from bookings.settlement.selectors.payments import NOTICES, PAYMENTS
from bookings.settlement.selectors.postings import POSTINGS
from bookings.settlement.selectors.settlements import SETTLEMENTS
from bookings.settlement.selectors.statements import STATEMENTS
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.usage.selectors.faults import FAULTS
from bookings.usage.selectors.sessions import SESSIONS
from tests.architecture.test_permissions import world  # noqa: F401 (a fixture)
from tests.architecture.test_sorts import LISTED
from tests.factories.cast import NOW, Cast

type World = tuple[Cast, dict[str, str]]


@dataclass(frozen=True)
class Pair:
    """A list's page and its address in the API, and somebody who sees rows of it."""

    listing: Listing
    page: str
    api: str
    who: str
    besides: dict[str, str] = field(default_factory=dict)  # what both are narrowed to
    of: str = ""  # what the page is of, to which the API's list is narrowed
    # Of filters by a function; empty for one whose name says another thing on the page.
    values: dict[str, str] = field(default_factory=dict)


# The page of one's samples goes to the one of a code; ids are tried with the queue's own fields.
NOTED = {"reference": "LIMS-2026-0417"}
OF_SAMPLES = NOTED | {"code": "", "reservation": "", "facility": "", "instrument": ""}
# What the page takes by name.
OF_BOOKINGS = NOTED | {"person": "wang@fudan.example", "organisation": "fudan", "region": "CN-SH"}
OF_CHARGES = {
    "party": "ustc", "organisation": "", "person": "wang@fudan.example", "books": "ustc:host:2026-03",
    "reference": "LIMS-2026-0417",
}  # fmt: skip
# The page offers a reader those of their exceptions.
NO_ID = "00000000-0000-0000-0000-000000000001"
OF_EXCEPTIONS = {
    "rule": "overrides", "organisation": "ustc", "region": "CN-AH", "finding": NO_ID,
    "report": "CN-AH:2026",
}  # fmt: skip
# Of what a balance consists; ids of nothing are tried here.
OF_POSTINGS = {
    "month": "2026-02", "statement": NO_ID, "settlement": NO_ID, "settled": "2026", "debtor": "CN-SH",
    "between": "CN-AH,CN-SH",
}  # fmt: skip
PAIRS = [
    Pair(ANNOUNCEMENTS, "announcements", "api-announcements", "admin"),
    Pair(MAINTENANCE, "maintenance", "api-maintenance-times", "admin"),
    Pair(ACTIONS, "actions", "api-audit-actions", "auditor"),
    Pair(AGREEMENTS, "money-agreements", "api-agreements", "coordinator"),
    Pair(ALARMS, "alarms", "api-alarms", "zhao", {"state": "open"}),
    # The API's reservations have instants instead of days, and other words than one's own.
    Pair(replace(HOSTED_BOOKINGS, day=""), "hosted", "api-reservations", "zhao", values=OF_BOOKINGS),
    Pair(replace(OWN_BOOKINGS, day="", words=()), "mine", "api-reservations", "wang", values=NOTED),
    Pair(BANK_FILES, "money-bank-files", "api-bank-files", "gao"),
    Pair(BANK_TRANSACTIONS, "money-bank", "api-bank-transactions", "gao"),
    Pair(BATCHES, "batches", "api-batches", "xu"),
    Pair(BIDS, "bids", "api-bids", "zhao"),
    Pair(CASES, "reviews", "api-purchase-cases", "wang"),
    Pair(CHARGES, "money-charges", "api-charges", "lin", values=OF_CHARGES),
    Pair(DECISIONS, "register", "api-review-register", "wang"),
    Pair(ENQUIRIES, "enquiries", "api-enquiries", "wang"),
    Pair(EXCEPTIONS, "exceptions", "api-audit-exceptions", "auditor", values=OF_EXCEPTIONS),
    Pair(FAULTS, "faults", "api-faults", "zhao"),
    Pair(FINDINGS, "findings", "api-audit-findings", "auditor"),
    Pair(GRANTS, "money-vouchers-programme", "api-grants", "xu", of="programme"),
    Pair(NEEDS, "needs", "api-needs", "wang", values=NOTED),
    Pair(NOTICES, "money-notices", "api-payment-notices", "lin"),
    Pair(OPEN_ENQUIRIES, "open-enquiries", "api-open-enquiries", "zhao"),
    Pair(PAYMENTS, "money-payments", "api-payments", "lin"),
    Pair(PLANS, "plans", "api-planned-purchases", "zhao", values={"technique": "nothing"}),
    Pair(POSTINGS, "money-postings", "api-postings", "lin", values=OF_POSTINGS),
    Pair(RESULTS, "results", "api-results", "zhao"),
    Pair(OWN_SAMPLES, "sample-items", "api-samples", "wang", values=OF_SAMPLES),
    Pair(HOSTED_SAMPLES, "sample-queue", "api-samples", "zhao", values=OF_SAMPLES),
    Pair(SESSIONS, "money-sessions", "api-sessions-to-complete", "zhao"),
    Pair(SETTLEMENTS, "money-settlements", "api-settlements", "coordinator", values={"region": "CN-SH"}),
    Pair(SOURCES, "money-funding", "api-funding-sources", "lin"),
    Pair(STATEMENTS, "money-statements", "api-statements", "lin", values={"code": "USTC-2026-0001"}),
]
# Lists that are tried elsewhere, and why.
ELSEWHERE = {
    "answers": "of one instrument",
    "owed": "has no file",
    "programmes": "beside another list",
    "requests": "of those that wait",
}


@pytest.fixture
def client_of(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    cast, things = world
    paid = Paid(Decimal(1), NOW.date())
    statement_pay(By(cast.actor("gao"), NOW), statement_id=UUID(things["statement"]), paid=paid)

    def of(who: str) -> Client:
        client = Client()
        client.force_login(cast.people[who])
        return client

    return of


def values_of(one: Filter, rows: list[Any], named: dict[str, str]) -> list[str]:
    """Values of a filter that narrow to some of the rows, or to none."""
    if one.name in named:
        return [value for value in (named[one.name],) if value]
    if one.name == "payer" and not isinstance(one.narrow, str):
        return ["fudan", "ustc"]
    if one.kind == CHOICE:
        return [code for code, _ in one.choices]
    if one.kind == FLAG:
        return ["1"]
    if one.kind == DAY:
        return ["2026-03-05", "1999-01-01"]
    assert isinstance(one.narrow, str), f"no value of {one.name} to try"
    found = type(rows[0]).objects.filter(pk__in=[row.pk for row in rows])
    value = found.values_list(one.narrow, flat=True).first()
    if value is None:
        return []
    text = f"{value:%Y-%m}" if one.kind == MONTH else str(value)
    return [text, "1999-01" if one.kind == MONTH else text[:-1] + "0"]


def queries(pair: Pair, rows: list[Any]) -> Iterator[dict[str, str]]:
    listing = pair.listing
    yield {}
    for one in listing.filters:
        yield from ({one.name: value} for value in values_of(one, rows, pair.values))
    for waits in listing.waits:
        yield {"waits": waits}
    if listing.words:
        yield from ({"q": text} for text in ("a", "MICRO", "nowhere at all"))
    if listing.day:
        yield from (
            {"since": "2026-03-05"},
            {"until": "2026-03-04"},
            {"since": "2026-01-01", "until": "2026-03-05"},
        )
    for sort in listing.sorts:
        yield from ({"sort": sort}, {"sort": f"-{sort}"})


def addresses(pair: Pair, world: World) -> tuple[str, str, dict[str, str]]:  # noqa: F811
    """The addresses of page and API, and what both are narrowed to."""
    of = {pair.of: world[1][pair.of]} if pair.of else {}
    page = reverse(f"bookings:{pair.page}", args=list(of.values()))
    return page, reverse(pair.api), pair.besides | of


def table(answer: Any) -> list[str]:
    """The lines of a CSV file, without its notes."""
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/csv")
    text: str = b"".join(answer.streaming_content).decode("utf-8-sig")
    return text.partition("\r\n\r\n")[0].splitlines()


def cells(answer: Any) -> list[list[Any]]:
    """The figures of a workbook."""
    assert answer.status_code == 200, answer.content
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(answer.content))["figures"].values]


@pytest.mark.django_db
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.page)
def test_page_and_api_narrow_and_sort_alike(pair: Pair, client_of: Any, world: World) -> None:  # noqa: F811
    client = client_of(pair.who)
    page, api, besides = addresses(pair, world)
    rows = list(client.get(page, besides).context["page"])
    assert rows, "somebody else sees more"
    own = table(client.get(page, besides | {"format": "csv"}))  # perhaps not all of the API's
    for each in queries(pair, rows):
        query = besides | each
        shown = table(client.get(page, query | {"format": "csv"}))
        lines = table(client.get(api, query | {"format": "csv"}))
        both = [line for line in lines if line in own]
        if {"state", "overdue"} & set(each):  # of which a page may show first what is due first
            shown, both = sorted(shown), sorted(both)
        assert shown == both, query


@pytest.mark.django_db
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.page)
def test_the_workbook_says_what_the_csv_says(pair: Pair, client_of: Any, world: World) -> None:  # noqa: F811
    client = client_of(pair.who)
    for address in addresses(pair, world)[:2]:
        lines = table(client.get(address, {"format": "csv"}))
        figures = cells(client.get(address, {"format": "xlsx"}))
        assert figures[0] == pair.listing.heads == lines[0].split(",")
        assert len(figures) == len(lines) > 1


@pytest.mark.django_db
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.listing.sorts], ids=lambda pair: pair.page)
def test_a_sorted_list_goes_on_where_the_page_ended(pair: Pair, client_of: Any, world: World) -> None:  # noqa: F811
    client = client_of(pair.who)
    page, api, besides = addresses(pair, world)
    for number, sort in enumerate(pair.listing.sorts):
        order = f"-{sort}" if number % 2 else sort
        whole = [row["id"] for row in client.get(api, {"sort": order, "limit": "200"}).json()["results"]]
        found, following = [], f"{api}?limit={max(1, len(whole) // 2)}&sort={order}"
        while following:
            answer = client.get(following).json()
            found += [row["id"] for row in answer["results"]]
            following = answer["next"]
        assert found == whole, order
    assert len(table(client.get(api, {"format": "csv"}))) == 1 + len(whole)
    shown = [str(row.pk) for row in client.get(page, besides | {"sort": order}).context["page"]]
    assert shown == [pk for pk in whole if pk in shown]


@pytest.mark.django_db
def test_programmes_are_the_file_of_the_page_of_vouchers(client_of: Any, world: World) -> None:  # noqa: F811
    client, code = client_of("xu"), {"region": world[0].shanghai.code}
    page, api = reverse("bookings:money-vouchers"), reverse("api-programmes")
    files = [table(client.get(at, code | {"format": "csv"})) for at in (page, api)]
    assert files[0] == files[1] and world[1]["programme"] in files[0][1]
    for at in (page, api):
        assert len(table(client.get(at, {"region": "XX", "format": "csv"}))) == 1
        assert cells(client.get(at, {"format": "xlsx"}))[0] == PROGRAMMES.heads


def test_every_list_searches_names_in_both_languages() -> None:
    for listing in (page.listing for page in LISTED.values()):
        model = listing.rows(replace(NOBODY, user_id=UUID(int=1))).model
        for path in listing.words:
            above, _, last = path.rpartition("__")
            if last == "name" and path not in listing.aliases:
                names = {each.name for each in field_at(model, path).model._meta.get_fields()}
                if "name_zh" in names:
                    assert f"{above}__name_zh".removeprefix("__") in listing.words, (listing.name, path)


def test_every_list_has_its_pair() -> None:
    known = {pair.listing.name for pair in PAIRS} | set(ELSEWHERE)
    assert {page.listing.name for page in LISTED.values()} == known


# Kinds that stand in a part of their own of a page that lists other things too.
NO_LIST = {
    "access": "on the home itself",
    "joining": "above the members",
    "offers": "first of the waiting list",
    "organisations": "above those that are decided",
    "places": "above the bookings",
    "pledges": "above the cases",
    "results": "above the courses",
}


@pytest.mark.django_db
def test_each_number_of_what_waits_is_that_of_its_list(client_of: Any, world: World) -> None:  # noqa: F811
    wrong, seen = {}, set()
    for who in world[0].people:
        for waiting in load_work(world[0].actor(who), NOW):
            kind = kinds()[waiting.what]
            if kind.what in NO_LIST:
                continue
            answer = client_of(who).get(reverse(kind.page) + kind.query, follow=True)
            assert answer.status_code == 200, (kind.what, who)
            shown = number_shown(answer.context)
            seen.add(kind.what)
            if shown != waiting.number:
                wrong[kind.what, who] = (waiting.number, shown)
    assert wrong == {}
    assert len(seen) > 8, seen


def number_shown(context: Any) -> int | None:
    """The number of rows of a list, of all its pages."""
    page, rows = context.get("page"), context.get("rows")
    return page.paginator.count if page is not None else None if rows is None else len(rows)
