"""The demonstration's book-keeping: finance has chosen a chart of accounts and closed the journals of the
months whose statements are drawn up."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.journal.domain.journal import SIDES
from bookings.journal.domain.presets import CHINESE, EUROPEAN
from bookings.journal.services.charts import RuleTerms, chart_begin, rule_set
from bookings.journal.services.journal import journal_close
from bookings.record.domain.months import month_before, month_of, months_between
from bookings.world import World

HOUR = timedelta(hours=1)
MONTHS = 4  # that are closed at most


def end(world: World) -> str:
    """Choose a chart for each organisation that has finance people, give the tax of 6 % a code, and close its
    last months in their order, up to the first that cannot be closed yet."""
    closed, kept = 0, set()
    for person in world.places.people.values():
        organisation = person.organisation
        if "finance" not in person.roles or organisation is None or organisation.pk in kept:
            continue
        kept.add(organisation.pk)
        by = By(person.actor, world.now - 2 * HOUR)
        is_chinese = organisation.region.currency == "CNY"
        preset, tax = (CHINESE, "210101") if is_chinese else (EUROPEAN, "1776")
        chart_begin(by, organisation=organisation.code, preset=preset)
        present = month_of(by.now, organisation.region.time_zone)
        first = month_before(present, MONTHS)
        rule_set(
            by,
            organisation=organisation.code,
            terms=RuleTerms("output_tax", first, tax, tax_percent=Decimal(6), tax_code="6"),
        )
        for side in SIDES:
            with suppress(Refused):
                for month in months_between(first, month_before(present)):
                    journal_close(by, organisation=organisation.code, side=side, month=month)
                    closed += 1
    return f"{len(kept)} charts of accounts, {closed} closed months"
