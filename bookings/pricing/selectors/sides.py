"""Say on which side of a payment the reader's organisations are; what they owe and are owed is never added up
together."""

from typing import Any

from django.db.models import Case, F, Q, Value, When

from accounts.domain.roles import Actor

OWING, OWED = "owing", "owed"
CREDIT_OWED, CREDIT_OWING = "credit_owed", "credit_owing"  # what hosts have to pay out
INTERNAL, OTHERS = "internal", ""


def side_of(actor: Actor, payer: str, *, with_credits: bool = False) -> Case:
    """Return an expression for the side of a row, by its `payer` and its host: owed by organisations whose
    money the actor reads, or owed to them; `internal` if payer and host are one; empty if it concerns
    neither. A row between two of them counts as owed by them. `with_credits`: a negative sum is a credit, on
    the other side and listed apart."""
    ours = actor.organisations_where("read-money")
    ours_pay, ours_host = Q(**{f"{payer}__in": ours}), Q(host__in=ours)
    credits: list[Any] = (
        [
            When(ours_pay, payable__lt=0, then=Value(CREDIT_OWED)),
            When(ours_host & ~ours_pay, payable__lt=0, then=Value(CREDIT_OWING)),
        ]
        if with_credits
        else []
    )
    return Case(
        When(**{payer: F("host")}, then=Value(INTERNAL)),
        *credits,
        When(ours_pay, then=Value(OWING)),
        When(ours_host, then=Value(OWED)),
        default=Value(OTHERS),
    )
