"""A person takes their data with them, or goes for good."""

from datetime import datetime

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.models import User
from accounts.permissions import actor_of
from accounts.services.erasure import account_close
from bookings.board.services.enquiries import enquiries_forget
from bookings.browsing.models import InstrumentList, SavedSearch
from bookings.catalogue.models import BusyCalendar
from bookings.conversation.services.comments import comments_forget
from bookings.funding.models import FundingSource
from bookings.messaging.models import CalendarFeed
from bookings.needs.models import Need, Suggestion
from bookings.plans.selectors.waiting import open_wishes
from bookings.plans.services.waiting import wish_withdraw
from bookings.privacy.selectors.leaving import bookings_ahead
from bookings.privacy.selectors.persons import Row, load_obstacles, load_person
from bookings.privacy.services.leaving import bookings_drop
from bookings.questions.services.questions import answer_files_forget
from bookings.results.models import CollectLink
from bookings.reviews.models import CaseExpert
from bookings.samples.services.samples import samples_forget
from bookings.usage.services.faults import faults_forget
from instruments.locks import lock_instruments
from instruments.services.capabilities import questions_drop
from instruments.services.enrolments import enrolments_drop


@transaction.atomic
def person_export(*, user: User, now: datetime) -> dict[str, list[Row]]:
    """Return all tables about a person; the trail says that they have them."""
    tables = load_person(user)
    trail.record(
        By(actor_of(user), now),
        "user.export",
        user,
        after={"rows": sum(len(rows) for rows in tables.values())},
    )
    return tables


@transaction.atomic
def person_close(*, user: User, now: datetime, by_platform: bool = False, reason: str = "") -> int:
    """Close the account for good: bookings ahead are cancelled, each by its rules, wishes are
    withdrawn, saved searches and lists deleted, and a job then forgets who it was
    (`accounts/services/erasure.py`); the number of bookings cancelled. Bookings that took place,
    charges, the ledger and the trail stay as they are, under a pseudonym.

    `WrongState` while a booking is under way, a charge of theirs is not final, or nobody else
    could decide for an organisation or the platform.
    """
    own = By(actor_of(user), now)
    for obstacle in load_obstacles(user, now):
        raise WrongState(obstacle.code, **obstacle.numbers)
    ahead = bookings_ahead(user.pk, now)
    wishes = open_wishes(now).filter(user=user)
    # Instruments are locked before people, and withdrawing a wish locks its person.
    lock_instruments({*ahead.values_list("instrument_id", flat=True)})
    for pk in list(wishes.order_by("pk").values_list("pk", flat=True)):
        wish_withdraw(own, wish_id=pk)
    cancelled = bookings_drop(own, ahead=ahead, reason="")
    enquiries_forget(own)
    enrolments_drop(own, user_id=user.pk)
    questions_drop(user_id=user.pk)
    comments_forget(own, user=user)
    faults_forget(user_id=user.pk)
    answer_files_forget(user_id=user.pk)
    SavedSearch.objects.filter(user=user).delete()
    Need.objects.filter(user=user).delete()
    Suggestion.objects.filter(user=user).delete()
    samples_forget(user=user)
    CaseExpert.objects.filter(user=user).update(interest="")
    InstrumentList.objects.filter(user=user).delete()
    CalendarFeed.objects.filter(user=user).delete()
    BusyCalendar.objects.filter(user=user).delete()
    CollectLink.objects.filter(created_by=user, revoked_at=None).update(revoked_at=now)
    for source in FundingSource.objects.filter(users=user):
        source.users.remove(user)
    by = None if by_platform else own.actor
    account_close(actor=own.actor, by=by, reason=reason, now=now)
    return cancelled
