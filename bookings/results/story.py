"""Results in the demonstration: some that can be collected, also by a link, and some that are overdue."""

import hashlib
from datetime import timedelta

from accounts.domain.roles import By
from bookings.record.models import Reservation
from bookings.results.services.collecting import delivery_begin, delivery_note, link_make
from bookings.results.services.handoffs import hand_off_make, hand_off_release, hand_off_seal, overdue_tell
from bookings.results.services.retention import keep_ask
from bookings.results.services.uploads import upload_begin, upload_write
from bookings.world import World

DAY = timedelta(days=1)
FILES = {
    "README.txt": "Three sweeps of the sample, baseline subtracted.\n三次扫描，已扣除基线。\n",
    "sweeps/sweep-1.csv": "angle,counts\n" + "".join(f"{n},{n * n % 97}\n" for n in range(200)),
    "谱图/汇总.csv": "样品,峰位,半高宽\nA-1,28.44,0.12\nA-2,28.47,0.15\n",
}


def tell(world: World) -> str:
    """Deliver the results of a booking of a few days ago, and leave those of an older one overdue."""
    places, now = world.places, world.now
    manager = places.people["manager@demo.test"]
    researcher = places.people["researcher@demo.test"].actor
    assert manager.organisation is not None
    ended = Reservation.objects.filter(
        host_id=manager.organisation.pk, user_id=researcher.person, state="completed"
    ).order_by("-end_at")
    fresh = ended.filter(end_at__lt=now - DAY).first()
    old = ended.filter(end_at__lt=now - 9 * DAY).first()
    if fresh is None or old is None or fresh == old:
        return "0 hand-offs of results"
    by = By(manager.actor, fresh.end_at + timedelta(hours=2))
    late = hand_off_make(By(manager.actor, old.end_at), reservation_id=old.pk)
    hand_off = hand_off_make(by, reservation_id=fresh.pk)
    for path, text in FILES.items():
        content = text.encode()
        row = upload_begin(
            by,
            hand_off_id=hand_off.pk,
            path=path,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        upload_write(by, file_id=row.pk, at=0, data=content)
    hand_off_seal(by, hand_off_id=hand_off.pk)
    hand_off_release(by, hand_off_id=hand_off.pk, note="Baseline subtracted; raw data on request.")
    link_make(
        by,
        hand_off_id=hand_off.pk,
        label="Dr. Meier, Optics Ltd.",
        expires_at=now + timedelta(days=14),
        uses=3,
    )
    own = By(researcher, by.now + timedelta(hours=3))
    first = hand_off.files.order_by("path")[0]
    receipt = delivery_begin(own, hand_off=hand_off, path=first.path, size=first.size)
    delivery_note(receipt_id=receipt.pk, start=0, end=first.size, now=own.now)
    keep_ask(own, hand_off_id=hand_off.pk, days=30, reason="The paper is under review.")
    overdue_tell(now=late.due_at)
    return "2 hand-offs of results"
