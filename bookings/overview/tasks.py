"""Jobs, effects and letters of *overview*."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from accounts.domain.jobs import CALLS, EFFECTS, LETTERS, SIGN_IN
from accounts.selectors.jobs import effects_due
from accounts.work import Job, Tasks, waiting
from bookings.overview.services.effects import effects_carry_out, mails_carry_out

TASKS = Tasks(
    jobs=(
        Job(
            "carry_out_effects", "carry out effects", _("Inbox, charges, freed slots, hours to recompute"),
            60.0, partial(effects_carry_out, lane=EFFECTS, seconds=10), goes_on=True,
            due=waiting(lambda now: effects_due(now, EFFECTS), "due_at"),
        ),
        Job(
            "deliver_messages", "deliver messages", _("Mails"), 60.0, mails_carry_out, goes_on=True,
            due=waiting(lambda now: effects_due(now, SIGN_IN, LETTERS), "due_at"),
        ),
        # Addresses of others fail one by one, so the next one may still answer.
        Job(
            "make_calls", "make calls", _("Calls to external addresses"), 60.0,
            partial(effects_carry_out, lane=CALLS, seconds=40), goes_on=True,
            due=waiting(lambda now: effects_due(now, CALLS), "due_at"),
        ),
    )
)  # fmt: skip
