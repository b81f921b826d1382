"""Show bank transactions on pages: why a match is proposed, and which transactions paid a statement."""

from typing import Any

from django import template

from accounts.selectors.memberships import place_of
from bookings.bank.forms.bank import CreditForm
from bookings.bank.messages import NOTES, REASONS
from bookings.bank.selectors.bank import credit_of, matches_on, uses_on
from bookings.record.domain.money import format_amount
from bookings.settlement.models import Statement

register = template.Library()


@register.filter
def reason_words(code: str) -> str:
    """Return why a match is proposed, in words."""
    return str(REASONS[code])


@register.filter
def note_words(code: str) -> str:
    """Return what else there is to know about a proposal, in words."""
    return str(NOTES[code])


@register.inclusion_tag("bookings/bank/on_statement.html", takes_context=True)
def bank_of(context: Any, statement: Statement) -> dict[str, Any]:
    """Return the bank transactions that paid a statement, for who may see them, and the credit of its payer
    with a form that uses it."""
    actor = context["actor"]
    keeps = actor.may("account", place_of(statement.host))
    sees = keeps or actor.may("audit", place_of(statement.host))
    is_payer = actor.may("account", place_of(statement.payer))
    if not (sees or is_payer):
        return {"is_shown": False}
    credit = credit_of(statement.host_id, statement.payer_id, statement.currency)
    still = statement.payable - statement.paid
    uses = uses_on(statement)
    may_use = keeps and credit > 0 and still > 0 and statement.state != Statement.State.VOIDED
    amount = format_amount(min(credit, still), statement.currency) if may_use else ""
    initial = {"amount": amount, "version": statement.version}
    matches = matches_on(statement) if sees else []
    return {
        "is_shown": bool(matches or uses or credit),
        "request": context["request"],
        "statement": statement,
        "matches": matches,
        "uses": uses,
        "keeps": keeps,
        "is_payer": is_payer and not keeps,
        "credit": credit,
        "may_use": may_use,
        "form": context.get("credit_form") or CreditForm(initial=initial),
        "csrf_token": context.get("csrf_token"),
    }
