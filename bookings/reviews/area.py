"""The manifest of *reviews*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import EMPTIED, FOR_PLATFORM, KEPT, Area, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import COORDINATOR, MANAGER, Actor
from accounts.menu import PLANNING, Below, MenuEntry, Waits, has, may_for_some, signed_in
from accounts.selectors.choosing import meeting
from bookings.reviews.messages import ACTS, REFUSALS
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase, ReviewScheme
from bookings.reviews.selectors.cases import cases_to_decide, experts_met, opinions_to_give, pledges_to_answer
from bookings.reviews.services.opinions import interests_forget


def _reads_reviews(actor: Actor) -> bool:
    manages = may_for_some("manage-instruments")(actor)
    return manages or has("coordinator", "auditor", "administrator")(actor)


AREA = Area(
    "bookings.reviews",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "bookings:reviews", _("Purchase reviews"), "scale", PLANNING, 30,
            _reads_reviews,
        ),
    ),
    below=(Below("bookings:reviews", "review review-*"),),
    waits=(
        Waits(
            "pledges", 80, "bookings:reviews",
            ngettext_lazy("host's answer about hours", "hosts' answers about hours"),
            _("Somebody would use your instrument instead of buying one."),
            may_for_some("manage-instruments"), lambda actor, now: pledges_to_answer(actor),
            entry="bookings:reviews", group="answer", due="due_on",
        ),
        Waits(
            "reviews", 90, "bookings:reviews",
            ngettext_lazy("purchase case to review", "purchase cases to review"),
            _("Hosts and experts are asked, then you decide."),
            has("coordinator"), lambda actor, now: cases_to_decide(actor),
            query="?waits=reviews", entry="bookings:reviews", group="state", due="due_on",
        ),
        Waits(
            "opinions", 100, "bookings:reviews", ngettext_lazy("opinion to give", "opinions to give"),
            _("Declare first whether you have an interest in the case."),
            signed_in, lambda actor, now: opinions_to_give(actor), entry="bookings:reviews", group="barred",
        ),
    ),
    records=(
        Record(ReviewScheme, "name", "name_zh", acts="review-scheme"),
        Record(PurchaseCase, "name", at="created_at", acts="purchase-case"),
        Record(HostPledge, "instrument__name", "instrument__name_zh", "asked_at", acts="host-pledge"),
        Record(CaseExpert, "case__name", at="asked_at", acts="case-expert"),
    ),
    acts=ACTS,
    topics=(
        # It is a decision about the reader's money, or somebody waits for their answer.
        Topic(
            "review", _("Purchase reviews"),
            _("purchases to advise on, answer or decide, and their outcomes"),
            170, stays_in_inbox=True,
            roles=frozenset({MANAGER, COORDINATOR}),
        ),
    ),
    personal=(
        Personal(
            "purchase_cases", PurchaseCase, {"user": KEPT},
            "id name reason price currency hours state created_at applicant=organisation__code",
        ),
        Personal(
            "opinions", CaseExpert, {"user": EMPTIED},
            "id asked_at interest barred advice grounds text given_at case=case__name",
            order="asked_at",
        ),
        Personal(
            "host_answers", HostPledge, {"answered_by": KEPT},
            "id answer hours from_date reason note answered_at instrument=instrument__name",
            order="answered_at",
        ),
    ),
    official={
        "bookings.CaseStep.user": FOR_PLATFORM,
        "bookings.PurchaseCase.decided_by": FOR_PLATFORM,
    },
    forgets=(interests_forget,),
    joins=((meeting, experts_met),),
)  # fmt: skip
