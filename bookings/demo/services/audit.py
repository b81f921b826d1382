"""Create a few past bookings that an auditor will notice, and let an auditor handle some of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal
from itertools import pairwise

from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models import Membership
from accounts.selectors.memberships import coordinators_of, holders_of, load_actor
from accounts.services.memberships import membership_start
from accounts.services.seals import trail_seal
from bookings.audit.domain.sampling import Sampling
from bookings.audit.models import AuditException
from bookings.audit.services.audit import exception_move, exceptions_find
from bookings.audit.services.findings import Raised, finding_raise, finding_reply
from bookings.audit.services.sampling import sample_draw
from bookings.demo.services.ledger import Ledger
from bookings.funding.services.grants import GrantChange, grant_change
from bookings.pricing.models import Charge, VoucherGrant
from bookings.record.models import Reservation

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SEED = "demonstration"


def oddities_make(ledger: Ledger, host: str, now: datetime) -> int:
    """Make some bookings of a host suspicious before they are stored, together with their trail; return how
    many."""
    used = _used(ledger, host, now)
    answered = (row for row in used if row.decided_by_id and row.decided_by_id != row.user_id)
    acts: list[tuple[Iterator[Reservation], Callable[[Ledger, Reservation], None]]] = [
        (answered, _answered_by_themselves),
        (used, _requested_late),
        (used, _rules_set_aside),
        (used, _left_checked_in),
        (used, _timed_again),
        ((row for row in used if row.organisation_id != row.host_id), _at_internal_rate),
        (used, _charged_by_hand),
    ]
    count = 0
    for rows, act in acts:
        row = next(rows, None)
        if row is not None:
            act(ledger, row)
            count += 1
    return count


def _used(ledger: Ledger, host: str, now: datetime) -> Iterator[Reservation]:
    """Yield completed bookings of a host from the last weeks after which the unit was free for half a day."""
    sessions = {session.reservation_id for session in ledger.sessions}
    rows = [row for row in ledger.reservations if row.host.code == host]
    starts = sorted((row.instrument_id, row.unit, row.start_at) for row in rows)
    following = dict(pairwise(starts))
    for row in sorted(rows, key=lambda row: (row.start_at, row.unit), reverse=True):
        later = following.get((row.instrument_id, row.unit, row.start_at))
        is_last = later is None or later[:2] != (row.instrument_id, row.unit)
        is_alone = is_last or (later is not None and later[2] > row.end_at + 12 * HOUR)
        is_past = now - 60 * DAY < row.start_at < now - 5 * DAY
        if is_past and is_alone and row.pk in sessions and row.state == "completed":
            yield row


def _retold(ledger: Ledger, row: Reservation, action: str, **changes: object) -> None:
    """Change who did an act on a booking, or when, in the trail to be stored."""
    ledger.changes = [
        replace(change, by=replace(change.by, **changes))  # type: ignore[arg-type]
        if change.target is row and change.action == action
        else change
        for change in ledger.changes
    ]


def _answered_by_themselves(ledger: Ledger, row: Reservation) -> None:
    row.decided_by = row.user
    _retold(ledger, row, "reservation.confirmed", actor=load_actor(row.user))


def _requested_late(ledger: Ledger, row: Reservation) -> None:
    """Let the booking be requested late, after its time had begun."""
    requested, decided, began = (row.start_at + timedelta(minutes=n) for n in (10, 11, 12))
    row.requested_at, row.confirmed_at = requested, decided
    for session in ledger.sessions:
        if session.reservation_id == row.pk:
            session.checked_in_at = began
    for action, at in (("requested", requested), ("confirmed", decided), ("in_use", began)):
        _retold(ledger, row, f"reservation.{action}", now=at)


def _rules_set_aside(ledger: Ledger, row: Reservation) -> None:
    row.overrides = ["too-soon"]


def _left_checked_in(ledger: Ledger, row: Reservation) -> None:
    """Leave the booking checked in overnight, so that the day has more use than opening hours."""
    for session in ledger.sessions:
        if session.reservation_id == row.pk:
            session.checked_out_at = row.end_at + 11 * HOUR
            _retold(ledger, row, "reservation.completed", now=session.checked_out_at)


def _at_internal_rate(ledger: Ledger, row: Reservation) -> None:
    row.price_group = "internal"


def _timed_again(ledger: Ledger, row: Reservation) -> None:
    """Let the host correct the times of use an hour later."""
    session = next(each for each in ledger.sessions if each.reservation_id == row.pk)
    manager = holders_of("manager", row.host_id).first()
    assert row.ended_at is not None and session.checked_out_at is not None
    last = next(change for change in reversed(ledger.changes) if change.target is row)
    row.version += 1
    times = {"checked_in_at": session.checked_in_at, "checked_out_at": session.checked_out_at}
    was = [session.checked_in_at, session.checked_out_at + timedelta(minutes=20)]
    ledger.changes.append(
        replace(
            last,
            by=By(load_actor(manager) if manager else PLATFORM, row.ended_at + HOUR),
            action="reservation.usage",
            before={"state": row.state},
            after={"state": row.state, "version": row.version, **times, "was": was},
            reason="The clock of the instrument was wrong.",
        )
    )


def _charged_by_hand(ledger: Ledger, row: Reservation) -> None:
    """Remove the set-up fee from the charge's stored card, so that the charge no longer follows from its
    inputs."""
    charge = next((each for each in ledger.charges if each.reservation_id == row.pk), None)
    if charge is not None:
        quoted = charge.inputs.get("quote", charge.inputs)
        quoted["card"] = quoted["card"] | {"setup_fee": "0"}


def audit_make(auditor: Actor, host: str, *, now: datetime) -> int:
    """Run the audit's rules and handle some of what they find; return the number of exceptions."""
    _use_up(now)
    _relate(host, now)
    counts = exceptions_find(By(PLATFORM, now)).counts
    exceptions = {row.rule: row for row in AuditException.objects.order_by("happened_at", "pk")}
    for rule, state, reason in (
        ("overrides", "review", ""),
        ("made-after-use", "explained", "The network was down that morning; the log book agrees."),
    ):
        if rule in exceptions:
            exception_move(By(auditor, now), exception_id=exceptions[rule].pk, state=state, reason=reason)
    if "self-approval" in exceptions:
        _raise(auditor, exceptions["self-approval"], now)
    first = now.date().replace(day=1)
    sampling = Sampling("charges", "monetary", _month_before(first), first, 12, SEED, "CNY")
    if Charge.objects.filter(currency="CNY", created_at__lt=now - 35 * DAY).exists():
        sample_draw(By(auditor, now), sampling=sampling)
    trail_seal(now=now)
    return sum(counts.values())


def _month_before(first: date) -> date:
    return (first - DAY).replace(day=1)


def _raise(auditor: Actor, row: AuditException, now: datetime) -> None:
    """Raise a finding that the organisation has answered."""
    finding = finding_raise(
        By(auditor, now),
        raised=Raised(
            "medium",
            "A request was approved by the person who asked",
            "The request and its approval bear the same name. Two people should be involved.",
            exception_id=row.pk,
        ),
    )
    manager = holders_of("manager", row.organisation_id).first()
    if manager is not None:
        finding_reply(
            By(load_actor(manager), now),
            finding_id=finding.pk,
            reply="A second manager decides on requests of managers from now on.",
        )


def _use_up(now: datetime) -> None:
    """Reduce a voucher grant so that its payer has used nearly all of it."""
    grant = (
        VoucherGrant.objects.filter(held__gt=0, suspended_at=None)
        .select_related("programme__region")
        .order_by("code")
        .first()
    )
    if grant is None:
        return
    coordinator = coordinators_of([grant.programme.region_id]).first()
    used = grant.held + grant.redeemed
    amount = (used / Decimal("0.97")).quantize(Decimal(1), ROUND_UP)
    if coordinator is not None and amount < grant.amount:
        grant_change(By(load_actor(coordinator), now), grant_id=grant.pk, change=GrantChange(amount=amount))


def _relate(host: str, now: datetime) -> None:
    """Make a manager of the host a member of one of its payers as well."""
    booked = (
        Reservation.objects.filter(host__code=host, state="completed", decided_by__isnull=False)
        .exclude(organisation__code=host)
        .select_related("decided_by", "organisation")
        .order_by("-start_at", "pk")
        .first()
    )
    if booked is None or booked.decided_by is None:
        return
    if not Membership.objects.filter(user=booked.decided_by, organisation=booked.organisation).exists():
        membership_start(
            By(PLATFORM, booked.requested_at - 30 * DAY),
            user=booked.decided_by,
            organisation=booked.organisation,
        )
