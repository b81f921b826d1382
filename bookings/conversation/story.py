"""The demonstration's conversations: a question that waits for its answer, and another time that a host
proposes."""

from datetime import timedelta

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.conversation.services.comments import comment_write
from bookings.conversation.services.proposals import proposal_make
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import upcoming
from bookings.world import World

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WHO, HOST = "researcher@demo.test", "manager@demo.test"


def begin(world: World) -> str:
    """Write comments about bookings that the researcher has on the manager's instruments."""
    person, manager, now = world.places.people[WHO], world.places.people[HOST], world.now
    rows = [
        row
        for row in upcoming(person.actor, now).order_by("start_at", "id")
        if row.state in {"requested", "confirmed"} and row.start_at > now + DAY
    ]
    hosted = [row for row in rows if row.host == manager.organisation]
    count = 0
    if hosted:
        _ask(hosted[0], By(person.actor, now - 2 * HOUR))
        count += 1
    for row in hosted[1:] or hosted:
        if _propose(row, By(manager.actor, now - HOUR)):
            count += row != hosted[0]
            break
    return f"{count} conversations"


def _ask(row: Reservation, by: By) -> None:
    text = (
        "样品是 3 mm 的铜网，需要自带样品杆吗？\n"
        "Our samples are on 3 mm copper grids (https://example.org/grids)."
        " Do you have a holder, or should we bring ours?"
    )
    comment_write(by, kind="reservation", subject_id=row.pk, text=text)


def _propose(row: Reservation, by: By) -> bool:
    """Propose the first hour of the following days that the rules allow; return whether there was one."""
    for hours in sorted(range(24, 8 * 24), key=lambda hours: hours % 24):  # the same hour first
        period = Period(row.start_at + hours * HOUR, row.end_at + hours * HOUR)
        text = "当天要更换灯丝，可以改到这个时间吗？ / The filament is due that day: would this do?"
        try:
            proposal_make(by, reservation_id=row.pk, period=period, text=text)
        except Refused:
            continue
        return True
    return False
