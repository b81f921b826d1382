"""Jobs. Each reads the clock and makes one call; running one twice changes nothing."""

import time
from collections.abc import Callable
from functools import wraps

from celery import shared_task
from celery.exceptions import Ignore
from django.utils import timezone

from accounts.domain.jobs import CALLS, EFFECTS, LETTERS, SIGN_IN
from accounts.selectors.verification import trail_found_right
from accounts.services.jobs import alone
from accounts.services.messages import mail_may_leave
from accounts.services.seals import seals_tell, trail_seal
from bookings.audit.services.audit import exceptions_find
from bookings.audit.services.bundles import bundles_work
from bookings.audit.services.findings import findings_remind
from bookings.catalogue.services.searches import searches_tell
from bookings.charging.services.charges import charges_finalise
from bookings.charging.services.melting import fees_melt
from bookings.hours.services.exports import exports_work
from bookings.hours.services.hours import hours_roll_up
from bookings.messaging.services.feeds import calendar_read
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.services.waiting import wishes_look, wishes_settle
from bookings.privacy.services.retention import records_remove
from bookings.reserving.services.reservations import reservations_lapse
from bookings.settlement.services.statements import statements_draw_due, statements_remind
from bookings.usage.services.usage import overruns_tell, usage_settle
from instruments.services.enrolments import enrolments_end
from instruments.services.hosts import moves_carry_out
from instruments.services.opening import calendar_extend
from instruments.services.publishing import stale_records_tell
from instruments.services.search import register_file, words_gather
from instruments.services.training import certificates_remind


def one_at_a_time(job: Callable[[], None]) -> Callable[[], None]:
    """For jobs over everything at once: a second worker passes over what the first is at."""

    @wraps(job)
    def run() -> None:
        with alone(job.__name__) as is_mine:
            if not is_mine:
                raise Ignore
            job()

    return run


@shared_task
def carry_out_effects() -> None:
    _work_off(EFFECTS)


@shared_task
def deliver_messages() -> None:
    if mail_may_leave():
        _work_off(SIGN_IN, LETTERS)


@shared_task
def make_calls() -> None:
    _work_off(CALLS)


def _work_off(*lanes: str) -> None:
    """Until nothing is done any more (all done, or the mail server is gone), or the timetable
    is about to ask again. Addresses of others fail one by one: the next may answer."""
    began, seconds = time.monotonic(), 40 if CALLS in lanes else 10
    while time.monotonic() - began < 45:
        done = [effects_carry_out(now=timezone.now(), lane=x, seconds=seconds) for x in lanes]
        if not any(done):
            break


@shared_task
def lapse_reservations() -> None:
    reservations_lapse(now=timezone.now())


@shared_task
def complete_reservations() -> None:
    usage_settle(now=timezone.now())


@shared_task
@one_at_a_time
def tell_of_overruns() -> None:
    overruns_tell(now=timezone.now())


@shared_task
def finalise_charges() -> None:
    charges_finalise(now=timezone.now())


@shared_task
def melt_fees() -> None:
    fees_melt(now=timezone.now())


@shared_task
def settle_waiting() -> None:
    wishes_settle(now=timezone.now())


@shared_task
def end_enrolments() -> None:
    enrolments_end(now=timezone.now())


@shared_task
def carry_out_moves() -> None:
    """An organisation belongs to its new region from a day of that region's zone on."""
    moves_carry_out(now=timezone.now())


@shared_task
def look_for_waiting() -> None:
    wishes_look(now=timezone.now())


@shared_task
def roll_up_hours() -> None:
    hours_roll_up(since=None, until=None, now=timezone.now())


@shared_task
def write_exports() -> None:
    exports_work(now=timezone.now())


@shared_task
def draw_statements() -> None:
    """Hourly: the first of a month begins at another hour in each zone."""
    statements_draw_due(now=timezone.now())


@shared_task
@one_at_a_time
def remind_of_statements() -> None:
    statements_remind(now=timezone.now())


@shared_task
@one_at_a_time
def remind_of_certificates() -> None:
    certificates_remind(now=timezone.now())


@shared_task
@one_at_a_time
def tell_of_stale_records() -> None:
    """Daily: a record can become stale on any day, and each host hears of it once a month."""
    stale_records_tell(now=timezone.now())


@shared_task
def extend_calendar() -> None:
    calendar_extend(now=timezone.now())


@shared_task
def remove_records() -> None:
    """What has been kept as long as it is to be."""
    records_remove(now=timezone.now())


@shared_task
@one_at_a_time
def file_register() -> None:
    """What a host or the vocabulary is called may have changed."""
    register_file()


@shared_task
@one_at_a_time
def gather_words() -> None:
    words_gather()


@shared_task
def tell_of_searches() -> None:
    searches_tell(now=timezone.now())


# Calendars of people


@shared_task
def read_calendars() -> None:
    """One after the other, as harvests."""
    began = time.monotonic()
    while time.monotonic() - began < 45 and calendar_read(now=timezone.now()):
        pass


# The trail and the auditors' desk


@shared_task
@one_at_a_time
def seal_trail() -> None:
    trail_seal(now=timezone.now())


@shared_task
def verify_trail() -> None:
    """What is wrong is an error of the job: operators and auditors see it."""
    trail_found_right()


@shared_task
def write_bundles() -> None:
    bundles_work(now=timezone.now())


@shared_task
@one_at_a_time
def find_exceptions() -> None:
    exceptions_find(now=timezone.now())


@shared_task
def remind_of_findings() -> None:
    findings_remind(now=timezone.now())


@shared_task
@one_at_a_time
def tell_of_seals() -> None:
    seals_tell(now=timezone.now())
