"""A purchase case on one page."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext
from reportlab.lib.units import mm
from reportlab.platypus import KeepInFrame, Spacer, Table

from accounts.letters.words import named, site_name
from bookings.planning.selectors.register import load_figures
from bookings.record.adapters import printed
from bookings.record.adapters.typeface import font_register
from bookings.reviews.models import PurchaseCase

HEIGHT = 255 * mm  # of the page between its margins: what is longer is made smaller


def case_pdf(case: PurchaseCase, grounds: Sequence[str]) -> bytes:
    """Return a case as PDF, one A4 page in the current language: the planned purchase, the figures of its
    comparison, the decision with its grounds (in words), and the digest of the evidence."""
    font_register()
    comparison = getattr(case, "comparison", None)
    facts = [(gettext("State"), str(case.get_state_display()))]
    if case.submitted_at:
        facts.append((gettext("Submitted"), printed.day(case.submitted_at)))
    techniques = " · ".join(named(technique) for technique in case.techniques.all())
    story = [
        *printed.top(case.name, named(case.organisation), facts),
        _rows(
            [
                (gettext("Class of instrument"), techniques),
                (gettext("Price"), f"{case.currency} {printed.money(case.price, case.currency)}"),
                (gettext("Years of use"), str(case.years)),
                (gettext("Hours needed a year"), f"{case.hours:,}"),
                (gettext("Where it will stand"), case.place),
                (gettext("Review scheme"), f"{named(case.scheme)} ({case.scheme.version})"),
                (gettext("Reason"), case.reason),
            ]
        ),
        Spacer(1, 5 * mm),
        *_evidence(case),
        *_decision(case, grounds),
    ]
    digest = comparison.digest if comparison else ""
    foot = f"{site_name()} · SHA-256 {digest}" if digest else site_name()
    fitted = KeepInFrame(printed.WIDTH, HEIGHT, story, mode="shrink")
    return printed.build(case.name, foot, named(case.organisation), [fitted])


def _evidence(case: PurchaseCase) -> list[Any]:
    figures = load_figures(case)
    if not figures:
        return []

    def hours(name: str) -> str:
        return "–" if figures[name] is None else f"{figures[name]:,}"

    return [
        printed.text(gettext("Comparison"), 11, textColor=printed.ACCENT),
        _rows(
            [
                (gettext("Instruments compared"), str(figures["compared"])),
                (gettext("of which suitable"), str(figures["fitting"])),
                (gettext("Mean effective hours"), hours("mean_hours")),
                (gettext("Spare hours"), hours("spare_hours")),
                (gettext("Unmet demand, hours"), hours("unmet_hours")),
                (gettext("Hours promised by hosts"), hours("promised_hours")),
                (gettext("Break-even, hours a year"), hours("break_even_hours")),
            ]
        ),
        Spacer(1, 5 * mm),
    ]


def _decision(case: PurchaseCase, grounds: Sequence[str]) -> list[Any]:
    if not case.decision or case.decided_at is None:
        return []
    rows = [
        (gettext("Decision"), str(PurchaseCase.State(case.decision).label)),
        (
            gettext("Date"),
            printed.day(case.decided_at.astimezone(ZoneInfo(case.organisation.region.time_zone))),
        ),
        (gettext("Grounds"), "\n".join(grounds)),
        (gettext("Reason"), case.decision_reason),
    ]
    if case.conditions:
        rows.append((gettext("Conditions"), case.conditions))
    return [printed.text(gettext("Decision"), 11, textColor=printed.ACCENT), _rows(rows)]


def _rows(rows: list[tuple[str, str]]) -> Table:
    return Table(
        [[printed.head(label), printed.text(value)] for label, value in rows if value],
        colWidths=[48 * mm, printed.WIDTH - 48 * mm],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, printed.LINE),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ],
    )
