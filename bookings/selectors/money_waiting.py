"""What of money waits for somebody: the rows behind each number, and how many there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    Count,
    DateField,
    DecimalField,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, TruncDate

from accounts.domain.roles import Actor
from bookings.domain.charges import ORIGINAL
from bookings.models import (
    Agreement,
    AgreementMember,
    AuditFinding,
    Charge,
    ClosedMonth,
    Correction,
    FundingSource,
    PaymentNotice,
    Reservation,
    Settlement,
    Statement,
    VoucherGrant,
)
from bookings.selectors.agreements import agreements_for
from bookings.selectors.audit import findings_for
from bookings.selectors.charges import charges_for
from bookings.selectors.funding_sources import sources_for
from bookings.selectors.programmes import grants_for
from bookings.selectors.sessions import sessions_to_complete
from bookings.selectors.settlements import settlements_for
from bookings.selectors.statements import OWED, notices_for, statements_for

# From this part of a budget on it is nearly used up.
NEARLY = Decimal("0.9")


def charges_to_check(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Those the actor may still dispute: their own and those their organisation pays."""
    ours = Q(organisation__in=actor.organisations_where("manage-charges"))
    return charges_for(actor).filter(
        ours | Q(reservation__user_id=actor.person),
        kind__in=ORIGINAL,
        state=Charge.State.OPEN,
        open_until__gt=now,
    )


def charges_to_answer(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Disputed ones the actor has to answer for the host: not those on which a correction is
    proposed already; nobody answers for their own."""
    return _hosted(actor).filter(
        ~Exists(Correction.objects.filter(charge=OuterRef("pk"), state="proposed")),
        ~Q(disputes__state="open", disputes__opened_by_id=actor.person),
        state=Charge.State.DISPUTED,
    )


def charges_to_agree(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Those on which somebody else of the host's proposed a correction."""
    proposed = Correction.objects.filter(charge=OuterRef("pk"), state="proposed")
    return _hosted(actor).filter(Exists(proposed.exclude(proposed_by_id=actor.person)))


def _hosted(actor: Actor) -> QuerySet[Charge]:
    own = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
    return charges_for(actor).filter(~own, host__in=actor.organisations_where("manage-charges"))


def charges_to_bill(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Final ones of hosts whose books the actor keeps, whose month is not closed yet."""
    closed = ClosedMonth.objects.filter(host=OuterRef("host"), month=OuterRef("month"))
    return charges_for(actor).filter(
        ~Exists(closed), host__in=actor.organisations_where("account"), month__isnull=False
    )


def statements_to_pay(actor: Actor, now: datetime) -> QuerySet[Statement]:
    """Unpaid ones of the organisations whose books the actor keeps."""
    return statements_for(actor).filter(OWED, payer__in=actor.organisations_where("account"))


def statements_owed(actor: Actor, now: datetime) -> QuerySet[Statement]:
    """Unpaid ones that others owe the organisations whose books the actor keeps."""
    ours = actor.organisations_where("account")
    return statements_for(actor).filter(OWED, ~Q(payer__in=ours), host__in=ours)


def notices_to_match(actor: Actor, now: datetime) -> QuerySet[PaymentNotice]:
    """What payers say they have paid to the organisations whose books the actor keeps."""
    return notices_for(actor).filter(
        state=PaymentNotice.State.REPORTED,
        statement__host__in=actor.organisations_where("account"),
    )


def settlements_to_confirm(actor: Actor, now: datetime) -> QuerySet[Settlement]:
    """Those on which the actor's word is still wanted, for a side whose word is missing."""
    above = list(actor.regions_where("coordinate"))
    asked = Q()
    for side in ("first", "second"):
        asked |= Q(**{f"{side}__lineage__overlap": above, f"{side}_confirmed_at": None})
    # A word that is missing is unknown, not another person's.
    return (
        settlements_for(actor)
        .filter(asked)
        .filter(
            Q(first_confirmed_by=None) | ~Q(first_confirmed_by_id=actor.person),
            Q(second_confirmed_by=None) | ~Q(second_confirmed_by_id=actor.person),
        )
    )


def agreements_to_sign(actor: Actor, now: datetime) -> QuerySet[Agreement]:
    """Proposals that a region of the actor's has not signed yet."""
    mine = AgreementMember.objects.filter(
        agreement=OuterRef("pk"),
        region__lineage__overlap=list(actor.regions_where("coordinate")),
        signed_at=None,
    )
    return agreements_for(actor).filter(Exists(mine), signed_at=None, ended_by=None)


def grants_nearly_used(actor: Actor, now: datetime) -> QuerySet[VoucherGrant]:
    """Of those that can be used, the ones of which little is left; not auditors'."""
    ours = Q(organisation__in=actor.organisations_where("manage-charges"))
    above = list(actor.regions_where("coordinate"))
    if above:
        ours |= Q(programme__region__lineage__overlap=above)
    return grants_for(actor).filter(
        ours,
        amount__gt=0,
        suspended_at=None,
        programme__suspended_at=None,
        valid_until__gt=now.date(),
        held__gte=F("amount") * NEARLY - F("redeemed"),
    )


def sources_nearly_used(actor: Actor, now: datetime) -> QuerySet[FundingSource]:
    """Of those that can be charged, the ones of which little is left; not auditors'."""
    ours = Q(organisation__in=actor.organisations_where("account")) | Q(owner_id=actor.person)
    return sources_for(actor).filter(
        ours,
        Q(valid_until=None) | Q(valid_until__gt=now.date()),
        budget__gt=0,
        suspended_at=None,
        held__gte=F("budget") * NEARLY - F("spent"),
    )


def findings_to_answer(actor: Actor, now: datetime) -> QuerySet[AuditFinding]:
    """Those of auditors that organisations of the actor's have to answer."""
    ours = actor.organisations_where("manage-charges")
    return findings_for(actor).filter(organisation__in=ours, state=AuditFinding.State.OPEN)


def sessions_waiting(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Bookings that cannot be charged before somebody says when they were used."""
    return sessions_to_complete(actor)


# How many of what each list is asked for by `waits`


@dataclass(frozen=True)
class Waiting:
    """So many of something wait. `sums` by currency, of what has one; `due` the first day."""

    what: str
    number: int
    sums: tuple[tuple[str, Decimal], ...] = ()
    due: date | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of thing: who has any, its rows, a column that is the same for all of them where
    they have no currency, what is owed and until when: `due` is a day, `until` a moment."""

    has: Callable[[Actor], bool]
    rows: Callable[[Actor, datetime], QuerySet[Any]]
    group: str = "currency"
    amount: Any = None
    due: str = ""
    until: str = ""


def may(*capabilities: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.organisations_where(one) for one in capabilities)


def _coordinates(actor: Actor) -> bool:
    return bool(actor.regions_where("coordinate"))


def anybody(actor: Actor) -> bool:
    return actor.user_id is not None


STILL = F("payable") - F("paid")
# In the order of their urgency.
KINDS: dict[str, Kind] = {
    "findings": Kind(may("manage-charges"), findings_to_answer, "state", due="due_date"),
    "answer": Kind(may("manage-charges"), charges_to_answer, amount="payable"),
    "agree": Kind(may("manage-charges"), charges_to_agree, amount="payable"),
    "sign": Kind(_coordinates, agreements_to_sign, "signed_at", due="valid_from"),
    "confirm": Kind(_coordinates, settlements_to_confirm, "state", due="due_date"),
    "complete": Kind(anybody, sessions_waiting, "state"),
    "notices": Kind(may("account"), notices_to_match, amount="amount"),
    "pay": Kind(may("account"), statements_to_pay, amount=STILL, due="due_date"),
    "check": Kind(anybody, charges_to_check, amount="payable", until="open_until"),
    "owed": Kind(may("account"), statements_owed, amount=STILL, due="due_date"),
    "bill": Kind(may("account"), charges_to_bill, amount="payable"),
    "grants": Kind(
        lambda actor: _coordinates(actor) or may("manage-charges")(actor),
        grants_nearly_used,
        "suspended_at",
    ),
    "sources": Kind(anybody, sources_nearly_used, "suspended_at"),
}


# What nobody has to do anything about today.
TO_WATCH = frozenset({"owed", "bill", "grants", "sources"})


def load_waiting(actor: Actor, now: datetime, kinds: Mapping[str, Kind] = KINDS) -> list[Waiting]:
    """What waits for somebody, in the order of the kinds, which is that of their urgency; nothing
    is left out but noughts. One statement."""
    parts = [
        _counted(what, kind, kind.rows(actor, now))
        for what, kind in kinds.items()
        if kind.has(actor)
    ]
    first, *others = parts
    found: dict[str, list[Any]] = {}
    for row in first.union(*others, all=True) if others else first:
        found.setdefault(row[0], []).append(row[1:])
    return [
        Waiting(
            what,
            sum(number for _, number, _, _ in rows),
            tuple(sorted((currency, total) for currency, _, total, _ in rows if currency)),
            min((due for *_, due in rows if due is not None), default=None),
        )
        for what in kinds
        if (rows := found.get(what))
    ]


def _counted(what: str, kind: Kind, rows: QuerySet[Any]) -> QuerySet[Any]:
    money: DecimalField[Any, Any] = DecimalField(max_digits=20, decimal_places=3)
    has_currency = kind.group == "currency"
    columns = {
        "its_kind": Value(what, output_field=TextField()),
        "its_currency": Cast(
            F("currency") if has_currency else Value(""), output_field=TextField()
        ),
        "its_number": Count("pk", distinct=True),
        "its_sum": Cast(Sum(kind.amount) if kind.amount else Value(None), money),
        # A moment lies on the reader's day.
        "its_due": TruncDate(Min(kind.until))
        if kind.until
        else Cast(Min(kind.due) if kind.due else Value(None), DateField()),
    }
    grouped: QuerySet[Any] = rows.order_by().values(kind.group).annotate(**columns)
    counted: QuerySet[Any] = grouped.values_list(*columns)
    return counted
