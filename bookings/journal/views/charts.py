"""The page of an organisation's chart of accounts."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.views.pages import act, bare, by_of, chooses, edits, writes
from bookings.journal.forms.charts import AccountForm, BeginForm, RuleForm, account_terms
from bookings.journal.messages import LIMIT_LABELS, ROLE_LABELS
from bookings.journal.models import AccountRule
from bookings.journal.selectors.charts import accounts_for, keeping, limit_of, organisation_kept
from bookings.journal.selectors.editing import load_editing
from bookings.journal.services import charts
from bookings.record.domain.months import month_of
from bookings.settlement.domain.statements import day_of

DONE = {
    "begin": lambda: gettext("The accounts are added: check what each is used for."),
    "add": lambda: gettext("The account is added."),
    "rule": lambda: gettext("The account is assigned."),
}


@edits
@chooses(*DONE)
def accounts(
    request: HttpRequest, choice: str = "", *, of: str = "", status: int = 200, **given: Any
) -> HttpResponse:
    """Show the accounts of an organisation and what each is used for; POST begins with a preset, adds an
    account, or assigns one, for its finance."""
    by = by_of(request)
    code = of or request.POST.get("organisation") or request.GET.get("organisation", "")
    organisation = organisation_kept(by.actor, code)
    if organisation is None:
        if choice:
            raise NotFound
        return render(request, "bookings/journal/accounts.html", {"organisation": None}, status=status)
    today = day_of(by.now, organisation.region.time_zone)
    editing = load_editing(organisation, today)
    data: Any = request.POST if choice else None
    present = month_of(by.now, organisation.region.time_zone)
    forms: dict[str, Any] = {
        "begin_form": BeginForm(data if choice == "begin" else None),
        "add_form": AccountForm(data if choice == "add" else None),
        "rule_form": RuleForm(
            data if choice == "rule" else None, editing=editing, initial={"valid_from": present}
        ),
    }
    form = forms[f"{choice}_form"] if choice else None

    def page(status: int = status, **context: Any) -> HttpResponse:
        shown = {
            "organisation": organisation,
            "organisations": list(keeping(by.actor)[:100]),
            "may_account": by.actor.may("account", place_of(organisation)),
            "editing": editing,
            "in_force": [
                (ROLE_LABELS[role], [_shown(row) for row in rows]) for role, rows in editing.in_force
            ],
            "others": [(ROLE_LABELS[row.role], *_shown(row)) for row in editing.others],
            "unassigned": [ROLE_LABELS[role] for role in editing.unassigned],
        }
        return render(
            request, "bookings/journal/accounts.html", shown | forms | given | context, status=status
        )

    def work(by: By, data: dict[str, Any]) -> Any:
        if choice == "begin":
            return charts.chart_begin(by, organisation=organisation.code, **data)
        if choice == "add":
            return charts.account_add(by, organisation=organisation.code, terms=account_terms(data))
        return charts.rule_set(by, organisation=organisation.code, terms=forms["rule_form"].terms())

    if not choice:
        return page()
    return act(
        request,
        page,
        work,
        to=f"{reverse('bookings:money-journal-accounts')}?{urlencode({'organisation': organisation.code})}",
        done=DONE[choice](),
        form=form,
        name=f"{choice}_form",
    )


def _shown(row: AccountRule) -> tuple[AccountRule, str, Any]:
    """Return a rule with the kind of thing that it is limited to, and which."""
    limit, value = limit_of(row)
    thing = getattr(row, limit) if limit in ("instrument", "facility", "source") else value
    return row, str(LIMIT_LABELS[limit]) if limit else "", thing


@writes
def change(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Change the number or the names of an account."""
    row = visible(accounts_for(by_of(request).actor), pk=account_id)
    form = AccountForm(request.POST)
    query = urlencode({"organisation": row.organisation.code})

    def page(**context: Any) -> HttpResponse:
        return bare(accounts)(request, of=row.organisation.code, changed=row, **context)

    return act(
        request,
        page,
        lambda by, data: charts.account_change(by, account_id=account_id, terms=account_terms(data)),
        to=f"{reverse('bookings:money-journal-accounts')}?{query}",
        done=gettext("The account is changed."),
        form=form,
        name="change_form",
    )
