"""Jobs. Each reads the clock and makes one call; running one twice changes nothing."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

from celery import shared_task
from celery.exceptions import Ignore
from django.utils import timezone

from accounts.domain.jobs import CALLS, EFFECTS, LETTERS, SIGN_IN
from accounts.domain.roles import PLATFORM, By
from accounts.selectors.verification import trail_found_right
from accounts.services.jobs import alone
from accounts.services.messages import mail_may_leave
from accounts.services.seals import seals_tell, trail_seal
from bookings.audit.services.audit import exceptions_find
from bookings.audit.services.bundles import bundles_work
from bookings.audit.services.findings import findings_remind
from bookings.board.services.alarms import alarms_review
from bookings.board.services.enquiries import enquiries_settle
from bookings.browsing.services.searches import searches_tell
from bookings.charging.services.charges import charges_finalise
from bookings.charging.services.melting import fees_melt
from bookings.hours.services.hours import hours_roll_up
from bookings.messaging.services.feeds import calendar_read
from bookings.needs.services.batches import batch_places_settle, batches_place
from bookings.needs.services.suggestions import hosts_review, suggestions_tell
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.services.waiting import wishes_look, wishes_settle
from bookings.privacy.services.retention import records_remove
from bookings.questions.services.questions import answer_files_expire
from bookings.reserving.services.reservations import reservations_lapse
from bookings.results.services.handoffs import overdue_tell
from bookings.results.services.retention import results_purge, results_warn
from bookings.results.services.uploads import files_check, uploads_expire
from bookings.reviews.services.follow_ups import cases_follow_up
from bookings.samples.services.samples import samples_remind
from bookings.settlement.services.statements import statements_draw_due, statements_remind
from bookings.statistics.services.exports import exports_work
from bookings.usage.services.counters import counters_review
from bookings.usage.services.ratings import ratings_review
from bookings.usage.services.usage import overruns_tell, usage_settle
from instruments.services.enrolments import enrolments_end
from instruments.services.hosts import moves_carry_out
from instruments.services.opening import calendar_extend
from instruments.services.publishing import stale_records_tell
from instruments.services.search import register_file, words_gather
from instruments.services.training import certificates_remind


def _job(name: str, service: Callable[..., Any], *, is_single: bool = False) -> Any:
    """A task that calls a service with the time. `is_single`: for one that works over everything
    at once; a second worker passes over it while a first is at it."""

    @shared_task(name=f"bookings.tasks.{name}")
    def run() -> None:
        with alone(name) if is_single else nullcontext(True) as is_mine:
            if not is_mine:
                raise Ignore
            service(now=timezone.now())

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
def read_calendars() -> None:
    """One after the other, as harvests."""
    began = time.monotonic()
    while time.monotonic() - began < 45 and calendar_read(now=timezone.now()):
        pass


@shared_task
def verify_trail() -> None:
    """What is wrong is an error of the job: operators and auditors see it."""
    trail_found_right()


lapse_reservations = _job("lapse_reservations", reservations_lapse)
complete_reservations = _job("complete_reservations", usage_settle)
review_counters = _job("review_counters", counters_review)
tell_of_overruns = _job("tell_of_overruns", overruns_tell, is_single=True)
finalise_charges = _job("finalise_charges", charges_finalise)
melt_fees = _job("melt_fees", fees_melt)
settle_waiting = _job("settle_waiting", wishes_settle)
look_for_waiting = _job("look_for_waiting", wishes_look)
end_enrolments = _job("end_enrolments", enrolments_end)
# An organisation belongs to its new region from a day of that region's zone on.
carry_out_moves = _job("carry_out_moves", moves_carry_out)
roll_up_hours = _job("roll_up_hours", partial(hours_roll_up, since=None, until=None))
write_exports = _job("write_exports", exports_work)
# Hourly: the first of a month begins at another hour in each zone.
draw_statements = _job("draw_statements", statements_draw_due)
remind_of_statements = _job("remind_of_statements", statements_remind, is_single=True)
remind_of_certificates = _job("remind_of_certificates", certificates_remind, is_single=True)
# Daily: a record can become stale on any day, and each host hears of it once a month.
tell_of_stale_records = _job("tell_of_stale_records", stale_records_tell, is_single=True)
extend_calendar = _job("extend_calendar", calendar_extend)
remove_records = _job("remove_records", records_remove)
# What a host or the vocabulary is called may have changed.
file_register = _job("file_register", lambda now: register_file(), is_single=True)
gather_words = _job("gather_words", lambda now: words_gather(), is_single=True)
tell_of_searches = _job("tell_of_searches", searches_tell)
settle_enquiries = _job("settle_enquiries", enquiries_settle)
place_batches = _job("place_batches", batches_place)
settle_batches = _job("settle_batches", batch_places_settle)
tell_of_matches = _job("tell_of_matches", suggestions_tell, is_single=True)
review_ratings = _job("review_ratings", ratings_review, is_single=True)
review_alarms = _job("review_alarms", alarms_review, is_single=True)
review_hosts = _job("review_hosts", hosts_review, is_single=True)
# One worker reads at a time: the others are there for what people wait for.
check_results = _job("check_results", files_check, is_single=True)
expire_uploads = _job("expire_uploads", uploads_expire)
expire_answer_files = _job("expire_answer_files", answer_files_expire)
tell_of_results = _job("tell_of_results", overdue_tell)
warn_of_results = _job("warn_of_results", results_warn)
purge_results = _job("purge_results", results_purge)
seal_trail = _job("seal_trail", trail_seal, is_single=True)
write_bundles = _job("write_bundles", bundles_work)
find_exceptions = _job(
    "find_exceptions", lambda now: exceptions_find(By(PLATFORM, now)), is_single=True
)
follow_up_purchases = _job("follow_up_purchases", cases_follow_up, is_single=True)
remind_of_samples = _job("remind_of_samples", samples_remind, is_single=True)
remind_of_findings = _job("remind_of_findings", findings_remind)
tell_of_seals = _job("tell_of_seals", seals_tell, is_single=True)
