"""The manifest of *board*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import EMPTIED, FOR_HOST, FOR_PLATFORM, Area, Personal, Record
from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.domain.roles import MANAGER, RESEARCHER, Actor
from accounts.menu import FACILITY, PLANNING, Below, MenuEntry, Waits, has, may_for_some, signed_in
from bookings.board.messages import ACTS, REFUSALS
from bookings.board.models import AlarmThreshold, Bid, Enquiry, IdleAlarm
from bookings.board.selectors.alarms import alarms_for, alarms_to_answer
from bookings.board.selectors.enquiries import enquiries_to_answer, enquiries_to_decide
from bookings.board.selectors.events import BID, ENQUIRY, of_bid, of_enquiry
from bookings.board.services.enquiries import enquiries_forget


def _answers_alarms(actor: Actor) -> bool:
    return may_for_some("manage-instruments")(actor) or has("coordinator")(actor)


def _sees_alarms(actor: Actor) -> bool:
    return _answers_alarms(actor) or has("auditor")(actor)


AREA = Area(
    "bookings.board",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "bookings:open-enquiries", _("Enquiries to answer"), "mail", FACILITY, 60,
            may_for_some("manage-instruments"),
        ),
        MenuEntry(
            "bookings:alarms", _("Alarms"), "bell", PLANNING, 40, _sees_alarms,
        ),
        MenuEntry("bookings:clusters", _("Clusters of enquiries"), "list", PLANNING, 50, has("coordinator")),
    ),
    below=(
        Below(
            "bookings:needs",
            "enquiries enquiry enquiry-new enquiry-accept enquiry-close enquiry-withdraw bid bid-decline",
        ),
        Below("bookings:open-enquiries", "bids bid enquiry-answer bid-amend bid-withdraw open-enquiry-*"),
        Below("bookings:alarms", "alarm alarm-*"),
    ),
    waits=(
        Waits(
            "bids", 25, "bookings:enquiries",
            ngettext_lazy("enquiry with bids to decide on", "enquiries with bids to decide on"),
            _("Hosts hold times for you: accept one before the bids lapse."),
            signed_in, enquiries_to_decide,
            query="?waits=bids", entry="bookings:needs", group="state",
            until="decide_by",
        ),
        Waits(
            "enquiries", 45, "bookings:open-enquiries",
            ngettext_lazy("enquiry to answer", "enquiries to answer"),
            _("Somebody is looking for what your instruments can do: bid before the enquiry closes."),
            may_for_some("manage-instruments"), enquiries_to_answer,
            query="?waits=enquiries", entry="bookings:open-enquiries", group="state", until="closes_at",
        ),
        Waits(
            "alarms", 60, "bookings:alarms", ngettext_lazy("alarm to answer", "alarms to answer"),
            _("Alarms not answered within two months go to the region."),
            _answers_alarms, alarms_to_answer,
            query="?waits=alarms", entry="bookings:alarms", group="state",
        ),
    ),
    records=(
        # Not the names of the people: a bidding host does not know them yet.
        Record(Enquiry, "techniques__0", at="created_at"),
        Record(Bid, "instrument__name", "instrument__name_zh", "created_at"),
        Record(
            IdleAlarm, "instrument__name", "instrument__name_zh", "raised_at",
            acts="alarm", page="bookings:alarm", seen=alarms_for,
        ),
        Record(AlarmThreshold, acts="threshold"),
    ),
    acts=ACTS,
    events=(
        HookEvent(
            "enquiry.made", _("an enquiry is sent to hosts"), 192, ("enquiry.made",), of_enquiry, ENQUIRY,
        ),
        HookEvent(
            "enquiry.unmet", _("an enquiry closes without an award"), 194,
            ("enquiry.unmet",),
            of_enquiry, ENQUIRY,
        ),
        HookEvent(
            "bid.changed", _("a bid is made, changed, withdrawn, accepted, declined or lapses"), 196,
            ("bid.made", "bid.amended", "bid.withdrawn", "bid.accepted", "bid.declined", "bid.lapsed"),
            of_bid, BID,
        ),
    ),
    topics=(
        Topic(
            "enquiry", _("Enquiries and bids"),
            _("enquiries your instruments could answer, bids for yours"), 150, stays_in_inbox=True,
            roles=frozenset({RESEARCHER, MANAGER}),
        ),
    ),
    personal=(
        Personal(
            "enquiries", Enquiry, {"user": EMPTIED},
            "id need_id is_confidential techniques sample minutes earliest latest closes_at state "
            "reason reservation_id created_at payer=organisation__code",
        ),
        Personal(
            "bids", Bid, {"user": EMPTIED},
            "id conditions text valid_until state created_at instrument=instrument__name",
        ),
    ),
    official={
        "bookings.AlarmThreshold.entered_by": FOR_PLATFORM,
        "bookings.IdleAlarm.answered_by": FOR_HOST,
    },
    forgets=(enquiries_forget,),
)  # fmt: skip
