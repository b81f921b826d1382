"""Create an administrator's bad night: mails that a server refused, a job that failed and one whose worker
hung, and a person who is locked out of an account with a second factor."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings

from accounts import work
from accounts.domain.jobs import LETTERS, MOST_ATTEMPTS
from accounts.letters.kinds import letters_of
from accounts.models import OutboxMessage, User
from accounts.services.jobs import run_begin, run_end
from accounts.services.messages import messages_give
from accounts.services.users import sign_in_blocked, sign_in_changed
from bookings.record.models import Reservation
from bookings.world import Person, Places

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Of each of two people what their mail server said, and how many mails came back.
BOUNCED = ((552, "5.2.2 Mailbox full", 2), (550, "5.1.1 No such user here", 1))
TRIED_FOR = timedelta(hours=29)  # the longest that twelve attempts take
# An entry of the timetable, when it began by the clock of the jobs, how long it was at work, and
# what went wrong; of one that hung nobody knows.
RUNS = (
    ("file the register", (3, 15), timedelta(seconds=41), "OSError: [Errno 28] No space left on device"),
    ("ratings", (3, 55), None, ""),
)
LOCKED_OUT = "qiu.lan@demo.test"


def night_make(places: Places, *, now: datetime) -> int:
    """Create the failures of the bad night; return how many things went wrong."""
    count = _bounce(now)
    for entry, (hour, minute), length, error in RUNS:
        began = _last(hour, minute, now)
        run = run_begin(entry, began)
        if length is not None:
            run_end(run, outcome="failed", error=error, now=began + length)
    _lock_out(places.people[LOCKED_OUT], now)
    return count + len(RUNS) + 1


def _last(hour: int, minute: int, now: datetime) -> datetime:
    """Return the last moment, at least two hours ago, at which the timetable's clock showed this time."""
    local = (now - 2 * HOUR).astimezone(ZoneInfo(settings.CELERY_TIMEZONE))
    moment = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return moment if moment <= local else moment - DAY


def _bounce(now: datetime) -> int:
    """Write the messages to some people whose upcoming bookings were confirmed long enough ago, and let their
    mails be refused until they are given up; return how many."""
    rows = OutboxMessage.objects.filter(done_at=None, kind="mail.confirmed", created_at__lt=now - TRIED_FOR)
    told = {row.payload["reservation"]: row for row in rows}
    coming = Reservation.objects.filter(pk__in=told, start_at__gt=now + DAY)
    by_person: dict[User, list[OutboxMessage]] = {}
    for one in coming.select_related("user").order_by("user__email", "-requested_at", "pk"):
        by_person.setdefault(one.user, []).append(told[str(one.pk)])
    count = 0
    for (user, theirs), (code, said, most) in zip(by_person.items(), BOUNCED, strict=False):
        refused = f"SMTPRecipientsRefused: {{'{user.email}': ({code}, b'{said}')}}"
        count += sum(_given_up(row, refused) for row in theirs[:most])
    return count


def _given_up(row: OutboxMessage, error: str) -> int:
    """Carry out an outbox row that writes messages, and give up their mails with an error; return how many
    mails there were."""
    written = letters_of(row, row.created_at, work.letters())
    (row.outcome,) = messages_give([(row, written)], now=row.created_at)
    row.done_at = row.created_at
    row.save(update_fields=["outcome", "done_at"])
    letters = OutboxMessage.objects.filter(
        lane=LETTERS, kind="letter.send", done_at=None, created_at=row.created_at
    )
    for letter in letters:
        letter.attempts, letter.outcome, letter.last_error = MOST_ATTEMPTS, "failed", error
        letter.tried_at = letter.done_at = row.created_at + TRIED_FOR
        letter.save(update_fields=["attempts", "outcome", "last_error", "tried_at", "done_at"])
    return len(letters)


def _lock_out(person: Person, now: datetime) -> None:
    """Give a person an authenticator app that was lost with their telephone, and block their sign-in after
    too many attempts. Nobody knows the secret."""
    added = now - 90 * DAY
    totp.TOTP.activate(person.user, totp.generate_totp_secret())
    Authenticator.objects.filter(user=person.user).update(created_at=added)
    sign_in_changed(user=person.user, action="user.factor-add", now=added, after={"type": "totp"})
    sign_in_blocked(user=person.user, now=now - 3 * HOUR)
