"""Invite the people listed in a file: all of them, or nobody."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Lower

from accounts.domain import joining as rules
from accounts.domain.errors import FieldProblem, Invalid, Refused, WrongState
from accounts.domain.people import PeopleRefused, PeopleReport, PersonOutcome, PersonRow, Verdict, roles_in
from accounts.domain.roles import By, Place
from accounts.models import Invitation, Membership, Organisation, RoleGrant
from accounts.selectors.joining import sent_since
from accounts.selectors.memberships import WHOLE
from accounts.selectors.users import confirmed_addresses
from accounts.services import invitations
from accounts.services.memberships import lock_user
from accounts.services.users import address_of


@dataclass
class _Row:
    """A row of the file that is being read: its values, and what is wrong with it."""

    line: int
    email: str
    roles: tuple[str, ...]
    place: Organisation | None
    problems: list[FieldProblem]


@transaction.atomic
def people_invite(
    by: By, *, rows: Sequence[PersonRow], organisation: Organisation | None, dry_run: bool
) -> PeopleReport:
    """Invite the people of a file to `organisation`, or each to that of their row, with the rights and limits
    of single invitations. Members and people already invited are skipped, so that the same file has no effect
    the second time. Raise `PeopleRefused` if a row is wrong or there are more than can be sent today; then,
    and in a dry run, nothing is written."""
    codes = {row.organisation.casefold() for row in rows if row.organisation}
    named = Organisation.objects.annotate(folded=Lower("code")).filter(folded__in=codes)
    places = {place.code.casefold(): place for place in named.select_related("region")}
    read = [_read(row, places, organisation) for row in rows]
    if not dry_run:
        lock_user(by.actor.person)
        pks = {row.place.pk for row in read if row.place}
        locked = Organisation.objects.select_for_update(no_key=True).filter(pk__in=pks)
        list(locked.only("pk").order_by("pk"))
        invitations.lock_addresses({row.email for row in read})
    outcomes, expired = _judged(by, read)
    chosen = [
        (row.place, row.email, row.roles)
        for row, outcome in zip(read, outcomes, strict=True)
        if outcome.verdict == Verdict.INVITE and row.place
    ]
    report = PeopleReport(outcomes, _limit(by, [place for place, _, _ in chosen]))
    if dry_run:
        return report
    if report.is_refused:
        raise PeopleRefused(report)
    again = {(email, place.pk) for place, email, _ in chosen}
    for older in expired:
        if (older.email, older.organisation_id) in again:
            invitations.invitation_withdraw(by, invitation_id=older.pk)
    invitations.invitations_put(by, chosen)
    return report


def _read(row: PersonRow, places: Mapping[str, Organisation], organisation: Organisation | None) -> _Row:
    """Return a row of a file of people with the problems that it has by itself, regardless of other rows."""
    if row.problem is not None:
        return _Row(row.line, row.email, (), None, [row.problem])
    problems: list[FieldProblem] = []
    email, roles = row.email.strip().lower(), list[str]()
    try:
        email = address_of(row.email)
    except Invalid as refused:
        problems += refused.problems if email else [FieldProblem("email", "required")]
    try:
        roles = roles_in(row.roles)
    except Invalid as refused:
        problems += refused.problems
    place = places.get(row.organisation.casefold()) if row.organisation else organisation
    if not row.organisation and organisation is None:
        problems.append(FieldProblem("organisation", "required"))
    elif place is None:
        problems.append(FieldProblem("organisation", "unknown-value"))
    elif organisation is not None and place.pk != organisation.pk:
        problems.append(FieldProblem("organisation", "another-organisation"))
    return _Row(row.line, email, tuple(roles), place, problems)


def _judged(by: By, read: Sequence[_Row]) -> tuple[list[PersonOutcome], list[Invitation]]:
    """Return the outcome of each row, and the unanswered invitations that have expired. It takes six
    statements, and one for each organisation to which a coordinator invites."""
    emails = {row.email for row in read}
    own = set(confirmed_addresses(by.actor.person))
    members = set(
        Membership.objects.annotate(address=Lower("user__email"))
        .filter(address__in=emails, ended_at=None)
        .values_list("address", "organisation_id")
    )
    held = set(
        RoleGrant.objects.annotate(address=Lower("user__email"))
        .filter(WHOLE, address__in=emails, revoked_at=None)
        .values_list("address", "organisation_id", "role")
    )
    unanswered = list(Invitation.objects.filter(email__in=emails, accepted_at=None, withdrawn_at=None))
    invited = {(one.email, one.organisation_id): one.roles for one in unanswered if one.expires_at > by.now}
    sent = sent_since(by.now - rules.DAY).filter(mailbox__in={*map(rules.mailbox_of, emails)})
    often = dict(sent.values_list("mailbox").annotate(n=Count("pk")))

    @cache
    def may(place: Organisation, roles: tuple[str, ...]) -> bool:
        return invitations.may_invite(by.actor, place, roles)

    seen: set[tuple[str, UUID]] = set()
    outcomes = []
    for row in read:
        verdict, lacking = Verdict.REFUSED, tuple[str, ...]()
        if not row.problems and row.place:
            key = (row.email, row.place.pk)
            if key in seen:
                row.problems.append(FieldProblem("email", "repeated"))
            elif not may(row.place, row.roles):
                row.problems.append(FieldProblem("organisation", "not-permitted"))
            elif row.email in own:
                row.problems.append(FieldProblem("email", "own-role"))
            elif key in members:
                verdict = Verdict.MEMBER
                lacking = tuple(role for role in row.roles if (*key, role) not in held)
            elif key in invited:
                verdict = Verdict.INVITED
                lacking = tuple(role for role in row.roles if role not in invited[key])
            elif row.place.closed_at is not None:
                row.problems.append(FieldProblem("organisation", "organisation-closed"))
            elif often.get(rules.mailbox_of(row.email), 0) >= rules.MOST_TO_ADDRESS:
                most = {"most": rules.MOST_TO_ADDRESS}
                row.problems.append(FieldProblem("email", "invited-too-often", most))
            else:
                verdict = Verdict.INVITE
                mailbox = rules.mailbox_of(row.email)
                often[mailbox] = often.get(mailbox, 0) + 1
            seen.add(key)
        code = row.place.code if row.place else ""
        outcomes.append(
            PersonOutcome(row.line, row.email, code, row.roles, verdict, lacking, tuple(row.problems))
        )
    return outcomes, [one for one in unanswered if one.expires_at <= by.now]


def _limit(by: By, places: Sequence[Organisation]) -> Refused | None:
    """Return the refusal if more invitations are requested than may be sent today or stay open, otherwise
    None. It takes three statements."""
    most_open, most = rules.limits(is_administrator=by.actor.may("administer", Place(None)))
    counts = Counter(place.pk for place in places)
    recent = Q(created_at__gt=by.now - rules.DAY)
    is_open = Q(accepted_at=None, withdrawn_at=None, expires_at__gt=by.now)
    by_me = Invitation.objects.filter(recent, invited_by_id=by.actor.person).count()
    if by_me + counts.total() > most:
        left = max(0, most - by_me)
        return WrongState("too-many-to-invite-today", wanted=counts.total(), left=left, most=most)
    today, waiting = _sent(counts, recent), _sent(counts, is_open)
    for place in {place.pk: place for place in places}.values():
        new = counts[place.pk]
        left = max(0, most - today.get(place.pk, 0))
        if new > left:
            return WrongState("too-many-to-invite-today", wanted=new, left=left, most=most)
        left = max(0, most_open - waiting.get(place.pk, 0))
        if new > left:
            return WrongState("too-many-to-invite", wanted=new, left=left, most=most_open)
    return None


def _sent(places: Iterable[UUID], which: Q) -> dict[UUID, int]:
    """Return how many invitations that meet the condition `which` each of some organisations has."""
    rows = Invitation.objects.filter(which, organisation__in=list(places))
    return dict(rows.values_list("organisation").annotate(n=Count("pk")))
