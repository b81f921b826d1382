"""Bookings from the first to their charges, in steps of which the statements can be recorded
(tests/system/recording.py)."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from accounts.domain.jobs import EFFECTS
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Charge, Reservation
from bookings.overview.services.effects import effects_carry_out
from bookings.reserving.services.reservations import reservations_lapse
from bookings.usage.services.usage import overruns_tell, usage_settle
from instruments.register.models import Instrument
from tests.factories import api as programs
from tests.factories.api import Answer, Clock, Program
from tests.factories.cast import NOW, Cast, at
from tests.system.recording import all_rows, served, step

clock, program = programs.clock, programs.program  # fixtures


def wish(instrument: Instrument, start: str, end: str, organisation: str = "fudan") -> Any:
    return {
        "instrument": str(instrument.pk),
        "start": f"2026-03-06T{start}:00+08:00",
        "end": f"2026-03-06T{end}:00+08:00",
        "organisation": organisation,
        "service_mode": "self",
    }


def test_bookings_to_their_charges(cast: Cast, program: Callable[..., Program], clock: Clock) -> None:
    other = cast.instrument(name="Cryo-EM", name_zh="冷冻电镜")
    third = cast.instrument(name="SEM", name_zh="扫描电镜", policy={"approval": "cross-region"})
    wang, sun, zhao, gao = (program(name) for name in ("wang", "sun", "zhao", "gao"))
    web = Client()
    web.force_login(cast.people["wang"])
    effects_carry_out(now=NOW)
    hours_roll_up(since=None, until=None, now=NOW)
    served["rows"] = all_rows()
    why = {"purpose": {"code": "research", "text": "钙钛矿"}}

    def ok(answer: Answer, status: int = 200) -> Any:
        assert answer.status == status, answer.body
        return answer.body

    def book(person: Program, body: Any, key: str, status: int = 201) -> Any:
        return ok(person.post("reservations/", body | why, idempotency_key=key), status)

    with step("book"):
        one = book(wang, wish(cast.microscope, "10:00", "12:00"), "k1")
    with step("book elsewhere"):
        book(sun, wish(other, "10:00", "12:00", "ustc"), "k2")
    with step("book what needs approval"):
        asked = book(wang, wish(third, "14:00", "15:00"), "k3")
    with step("refused: taken"):
        book(sun, wish(cast.microscope, "11:00", "13:00", "ustc"), "k4", 409)
    with step("hold"):
        held = ok(wang.post("holds/", wish(other, "13:00", "14:00")), 201)
    with step("complete the hold"):
        book(wang, wish(other, "13:00", "14:00") | {"hold": held["id"]}, "k5")
    with step("approve"):
        ok(zhao.post(f"reservations/{asked['id']}/approve/", {}))
    with step("read"):
        day = "from=2026-03-06T00:00:00Z&until=2026-03-07T00:00:00Z&minutes=120"
        here = f"instruments/{cast.microscope.pk}/"
        for path in (f"reservations/{one['id']}/", "reservations/", "instruments/?q=电镜", here):
            ok(wang.get(path))
        ok(wang.get(f"{here}availability/?{day}"))
        ok(wang.post("quotes/", wish(cast.microscope, "16:00", "17:00")))
    with step("pages"):
        for path in ("/", f"/instruments/{cast.microscope.pk}/", "/bookings/", "/money/charges/"):
            assert web.get(path, follow=True).status_code == 200
    with step("cancel"):
        ok(wang.post(f"reservations/{asked['id']}/cancel/", {"reason": "changed"}))
    with step("workers: what bookings have queued"):
        effects_carry_out(now=NOW)
    clock.now = at("2026-03-06 10:00")
    with step("check in"):
        ok(wang.post(f"reservations/{one['id']}/check-in/", {}))
    clock.now = at("2026-03-06 12:00")
    with step("check out"):
        ok(wang.post(f"reservations/{one['id']}/check-out/", {"samples": 3, "rating": 5}))
    clock.now = at("2026-03-06 12:30")
    with step("workers: what is over"):
        usage_settle(now=clock.now)
        reservations_lapse(now=clock.now)
        overruns_tell(now=clock.now)
    with step("workers: charges"):
        effects_carry_out(now=clock.now, lane=EFFECTS)
    with step("workers: hours"):
        hours_roll_up(since=None, until=None, now=clock.now)
    with step("read money"):
        ok(gao.get("charges/"))
        ok(wang.get("charges/"))
    with step("book once more"):
        book(wang, wish(cast.microscope, "18:00", "19:00"), "k6")
    served["now"] = clock.now.isoformat()
    assert (Reservation.objects.count(), Charge.objects.count()) == (5, 2)
