"""Pages of journals: entries of a period, closing a month, and the closing of a year."""

from collections.abc import Iterable
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound, Refused
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, bare, by_of, reads, writes
from bookings.bank.selectors.received import BankDays, load_bank_days
from bookings.charging.selectors.obstacles import books_named
from bookings.journal.adapters.archives import write_archive
from bookings.journal.domain.journal import HOST, REVENUES, SIDES
from bookings.journal.domain.periods import period_read, periods_before
from bookings.journal.forms.charts import CloseForm, month_closed
from bookings.journal.messages import OBSTACLE_LABELS, ROLE_LABELS, SIDE_LABELS
from bookings.journal.selectors.archives import files_of_year
from bookings.journal.selectors.charts import keeping, organisation_kept
from bookings.journal.selectors.files import HEADS, file_lines, file_name
from bookings.journal.selectors.journal import Journal, differences, load_journal, load_ledger
from bookings.journal.selectors.kinds import KIND_LABELS
from bookings.journal.selectors.obstacles import refusal_to_close
from bookings.journal.selectors.years import Year, load_year
from bookings.journal.services.journal import journal_close
from bookings.record.adapters.figures import FILES, file_answer
from bookings.record.domain.months import month_after, month_before, month_of, months_span
from bookings.record.messages import sentence
from bookings.settlement.domain.ageing import BUCKETS
from bookings.settlement.selectors.ageing import BUCKET_LABELS

PAGE = 50  # entries
IN_MEMORY = 1 << 20  # bytes of an archive


@reads
def journal(
    request: HttpRequest, asked: QueryDict | None = None, *, status: int = 200, **context: Any
) -> HttpResponseBase:
    """Show the journal of an organisation on one side in a month, quarter or year; or send it as a file.
    `asked`: what is asked for, if not by the address."""
    by, values = by_of(request), request.GET if asked is None else asked
    organisation = organisation_kept(by.actor, values.get("organisation", ""))
    if organisation is None:
        return render(request, "bookings/journal/journal.html", {"organisation": None})
    side, period = _side(values), values.get("period", "")
    present = month_of(by.now, organisation.region.time_zone)
    if period_read(period) is None:
        period = f"{month_before(present):%Y-%m}"
    first, last = period_read(period) or (present, present)
    found = load_journal(organisation, side, first, last)
    if (format := values.get("format", "")) in FILES:
        notes = {"organisation": organisation.code, "side": side, "period": period}
        return file_answer(file_name(found, period), format, HEADS, file_lines(found), notes)
    sums = found.sums()
    entries: Any = _Entries(found)
    page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
    astray = differences(sums, load_ledger(organisation, side, first, last), side)
    is_month = first == last
    may_close = is_month and first < present and first not in found.closed and _accounts(by, organisation)
    refusal = (
        refusal_to_close(
            organisation,
            side,
            first,
            closed=found.closed,
            unassigned=sum(sums.unassigned.values()),
            now=by.now,
        )
        if may_close
        else None
    )
    context |= _about(by, organisation, side) | {
        "period": period,
        "periods": sorted(sorted({period, *periods_before(present)}, reverse=True), key=_kind_of_period),
        "journal": found,
        "page": page,
        "sums": [(*key, *pair) for key, pair in sorted(sums.accounts.items(), key=_by_account)],
        "totals": [(unit, *pair) for unit, pair in sums.totals().items()],
        "unassigned": [(ROLE_LABELS[role], count) for role, count in sorted(sums.unassigned.items())],
        "agrees": not astray and all(debit == credit for debit, credit in sums.totals().values()),
        "kinds": KIND_LABELS,
        "closed": found.closed.get(first) if is_month else None,
        "may_close": may_close and refusal is None,
        "not_closable": _why_not(refusal, found, first) if refusal else None,
        "month": first,
        "bank_days": _bank_days(found),
    }
    return render(request, "bookings/journal/journal.html", context, status=status)


def _why_not(refusal: Refused, found: Journal, month: date) -> tuple[str, str]:
    """Return why a month cannot be closed, and the address of the list of what keeps it; empty if the page
    shows that itself or there is none."""
    code = "internal_open" if found.side == HOST else "open"
    has_list = refusal.code == "month-has-open-charges"
    address = _list_of(found, month, code) if has_list else ""
    return sentence(refusal.code, refusal.numbers), address


def _bank_days(found: Journal) -> list[BankDays]:
    return load_bank_days(
        found.organisation,
        is_host=found.side == HOST,
        days=(found.first, month_after(found.last)),
        span=months_span(found.zone, found.first, found.last),
    )


class _Entries:
    """The entries of a journal, as a paginator takes them: each page is read when it is shown."""

    def __init__(self, found: Journal) -> None:
        self._found = found

    def __len__(self) -> int:
        return self._found.count

    def __getitem__(self, part: slice) -> Any:
        return self._found.page(part.start, part.stop - part.start)


def _kind_of_period(period: str) -> int:
    """Return the place of a kind of period in a list: months, then quarters, then years."""
    return 2 if len(period) == 4 else int("Q" in period)


def _by_account(pair: tuple[tuple[str, ...], Any]) -> tuple[str, ...]:
    number, *_, currency = pair[0]
    return currency, number


def _side(values: QueryDict) -> str:
    side = values.get("side", "")
    return side if side in SIDES else HOST


def _accounts(by: By, organisation: Organisation) -> bool:
    return by.actor.may("account", place_of(organisation))


def _about(by: By, organisation: Organisation, side: str) -> dict[str, Any]:
    return {
        "organisation": organisation,
        "organisations": list(keeping(by.actor)[:100]),
        "side": side,
        "sides": [(code, SIDE_LABELS[code]) for code in SIDES],
        "may_account": _accounts(by, organisation),
    }


@writes
def close(request: HttpRequest) -> HttpResponse:
    """Close a month of a journal."""
    form = CloseForm(request.POST)
    names = {"organisation": "organisation", "side": "side", "month": "period"}
    query = urlencode({to: request.POST.get(name, "") for name, to in names.items()})

    def page(**context: Any) -> Any:
        return bare(journal)(request, QueryDict(query), **context)

    return act(
        request,
        page,
        lambda by, data: journal_close(by, **month_closed(data)),
        to=f"{reverse('bookings:money-journal')}?{query}",
        done=gettext("The journal of the month is closed."),
        form=form,
        name="close_form",
    )


@reads
def year(request: HttpRequest) -> HttpResponseBase:
    """Show the closing of a year of an organisation on one side."""
    by = by_of(request)
    organisation = organisation_kept(by.actor, request.GET.get("organisation", ""))
    if organisation is None:
        return render(request, "bookings/journal/year.html", {"organisation": None})
    side, number = _side(request.GET), _year(request, by, organisation)
    found = load_year(organisation, side, number, by.now)
    sums = found.sums
    context = _about(by, organisation, side) | {
        "year": number,
        "years": [number + 1, number, number - 1],
        "closing": found,
        "months": [
            (
                state,
                _linked(found.journal, state.month, state.blocking),
                _linked(found.journal, state.month, state.obstacles),
            )
            for state in found.months
        ],
        "bank_days": _bank_days(found.journal),
        "roles": _roles(found),
        "taxes": _taxes(found),
        "totals": [(unit, *pair) for unit, pair in sums.totals().items()],
        "heads": [(name, BUCKET_LABELS[name]) for name in BUCKETS],
        "items": [
            (item, [(name, BUCKET_LABELS[name], amount) for name, amount in item.buckets.items()])
            for item in found.items
        ],
        "item_sums": _item_sums(found),
        "taken_back": [(KIND_LABELS[kind], *more) for kind, *more in found.reversed],
        "unassigned": [(ROLE_LABELS[role], count) for role, count in sorted(sums.unassigned.items())],
    }
    return render(request, "bookings/journal/year.html", context)


def _linked(journal: Journal, month: date, counts: Iterable[tuple[str, int]]) -> list[tuple[Any, int, str]]:
    """Return what is still to be done in a month: label, number, and the address of the list of it."""
    return [(OBSTACLE_LABELS[code], count, _list_of(journal, month, code)) for code, count in counts]


def _list_of(journal: Journal, month: date, code: str) -> str:
    """Return the address of the list in which people find what is still to be done in a month."""
    if code == "unmatched":
        asked = {"waits": "match", "host": journal.organisation.code, "month": f"{month:%Y-%m}"}
        return f"{reverse('bookings:money-bank')}?{urlencode(asked)}"
    asked = {"books": books_named(journal.organisation, journal.side, month), "obstacle": code}
    return f"{reverse('bookings:money-charges')}?{urlencode(asked)}"


def _year(request: HttpRequest, by: By, organisation: Organisation) -> int:
    text = request.GET.get("year", "")
    if period_read(text) and len(text) == 4:
        return int(text)
    return month_of(by.now, organisation.region.time_zone).year


def _roles(found: Year) -> list[tuple[Any, str, Any]]:
    """Return the sums of a year by what they are, with the sign in which people read them: what is earned and
    owed above 0."""
    sums: dict[tuple[str, str], Any] = {}
    for (role, _, _, currency), amount in found.sums.roles.items():
        sums[role, currency] = sums.get((role, currency), 0) + amount
    earned = {
        *REVENUES.values(),
        "internal_income",
        "output_tax",
        "payable",
        "voucher_income",
        "advances",
        "paid_from",
    }
    order = {role: index for index, role in enumerate(ROLE_LABELS)}
    rows = sorted(sums.items(), key=lambda pair: (pair[0][1], order[pair[0][0]]))
    return [(ROLE_LABELS[role], unit, -amount if role in earned else amount) for (role, unit), amount in rows]


def _taxes(found: Year) -> list[tuple[str, str, str, Any, Any]]:
    """Return tax and what was taxed by rate, tax code and currency."""
    rates: dict[tuple[str, str, str], list[Any]] = {}
    if found.journal.side != HOST and not found.sums.of_role("input_tax"):
        return []  # tax is part of what is spent
    for (role, percent, code, currency), amount in found.sums.roles.items():
        if percent and (role in REVENUES.values() or role in ("output_tax", "input_tax", "cost")):
            pair = rates.setdefault((currency, percent, code), [0, 0])
            pair["tax" in role] += -amount if found.journal.side == HOST else amount
    return [(percent, code, unit, *pair) for (unit, percent, code), pair in sorted(rates.items())]


def _item_sums(found: Year) -> list[tuple[str, list[tuple[str, Any, Any]], Any, Any]]:
    sums: dict[str, dict[str, Any]] = {}
    for item in found.items:
        of = sums.setdefault(item.currency, dict.fromkeys((*BUCKETS, "unbilled", "balance"), 0))
        for name, amount in item.buckets.items():
            of[name] += amount
        of["unbilled"] += item.unbilled
        of["balance"] += item.balance
    return [
        (unit, [(name, BUCKET_LABELS[name], of[name]) for name in BUCKETS], of["unbilled"], of["balance"])
        for unit, of in sums.items()
    ]


@reads
def archive(request: HttpRequest) -> HttpResponseBase:
    """Send the files of a year in one ZIP: the journals of both sides, open items and statements."""
    by = by_of(request)
    organisation = organisation_kept(by.actor, request.GET.get("organisation", ""))
    if organisation is None:
        raise NotFound
    number = _year(request, by, organisation)
    stream = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (the answer closes it)
    write_archive(stream, files_of_year(by, organisation, number))
    stream.seek(0)
    return FileResponse(stream, as_attachment=True, filename=f"year-{organisation.code}-{number}.zip")
