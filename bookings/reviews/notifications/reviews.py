"""Messages about purchase cases: to applicants, hosts, experts and coordinators."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import coordinators_of, holders_of
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase


@dataclass(frozen=True)
class About:
    """A case, with the part of it that a message is about."""

    case: PurchaseCase
    pledge: HostPledge | None = None
    expert: CaseExpert | None = None


def _load(row: OutboxMessage, now: datetime) -> About | None:
    """Load the case, pledge or expert that an outbox row is about; None if it is gone."""
    pledge = expert = None
    if "pledge" in row.payload:
        rows = HostPledge.objects.select_related("instrument", "host")
        pledge = rows.filter(pk=row.payload["pledge"]).first()
    elif "expert" in row.payload:
        expert = CaseExpert.objects.select_related("user").filter(pk=row.payload["expert"]).first()
    about = pledge or expert
    pk = str(row.payload.get("case") or (about.case_id if about else UUID(int=0)))
    cases = PurchaseCase.objects.select_related("organisation__region", "user")
    case = cases.filter(pk=pk).first()
    return About(case, pledge, expert) if case else None


def _coordinators(about: About) -> Iterable[User]:
    return coordinators_of(about.case.organisation.region.lineage)


def _applicants(about: About) -> list[User]:
    people = [about.case.user, *holders_of("manager", about.case.organisation_id)]
    return list(dict.fromkeys(people))


def _hosts(about: About) -> list[User]:
    """Return the managers of all instruments whose hosts have not answered the request to pledge hours."""
    rows = about.case.pledges.filter(answer="").select_related("instrument").order_by("host_id", "id")
    people = (person for row in rows for person in holders_of("manager", row.host_id, row.instrument))
    return list(dict.fromkeys(people))


def _everybody(about: About) -> list[User]:
    return list(dict.fromkeys([*_applicants(about), *_coordinators(about)]))


def _expert(about: About) -> list[User]:
    return [about.expert.user] if about.expert else []


def _content(about: About, row: OutboxMessage, now: datetime) -> Content:
    case, link = about.case, reverse("bookings:review", args=[about.case.pk])
    if row.kind == "review.hosts-asked":
        link = reverse("bookings:reviews")
    elif about.expert is not None:
        link = reverse("bookings:review-opinion", args=[about.expert.pk])
    words = {
        "case": case.name,
        "applicant": case.organisation,
        "decision": case.get_state_display(),
        "host": about.pledge.host if about.pledge else "",
    }
    return Content(case.pk, link, words, {"case": case, "pledge": about.pledge})


_kind = partial(Kind, topic="review", load=_load, content=_content, template="bookings/reviews/mail/review")
KINDS = table(
    _kind(
        "review.submitted",
        _("Purchase case submitted: {case}"),
        _("{applicant} wants to buy an instrument and asks for a review."),
        readers=_coordinators,
    ),
    _kind(
        "review.hosts-asked",
        _("Can you offer hours instead? {case}"),
        _(
            "{applicant} wants to buy an instrument. Please say whether you can promise hours on "
            "one of yours instead. If you do not reply, “no answer” is recorded."
        ),
        readers=_hosts,
    ),
    _kind(
        "review.answered",
        _("A host has answered: {case}"),
        _("{host} has answered the request for hours in this purchase case."),
        readers=_coordinators,
    ),
    _kind(
        "review.expert-asked",
        _("Your opinion is requested: {case}"),
        _("Declare first whether you have an interest in the case, then say what you think."),
        readers=_expert,
    ),
    _kind(
        "review.decided",
        _("Decided: {case}"),
        _("Your purchase case is decided: {decision}."),
        readers=_applicants,
    ),
    _kind(
        "review.appealed",
        _("Appeal: {case}"),
        _("{applicant} has appealed against the decision; the case is under review again."),
        readers=_coordinators,
    ),
    _kind(
        "review.followed-up",
        _("Followed up: {case}"),
        _("The follow-up period is over. See how many of the promised hours were used."),
        readers=_everybody,
    ),
)
