"""Tags that show a need with what was made and booked for it, and a booking with the need it is for."""

from typing import Any

from django import template

from accounts.views.pages import by_of
from bookings.board.selectors.steps import load_steps, need_behind

register = template.Library()


@register.inclusion_tag("bookings/board/steps.html", takes_context=True)
def steps(context: dict[str, Any], need: Any) -> dict[str, Any]:
    """Show the enquiries made of a need, their bids, the times kept and what was booked, as far as the reader
    may see them: `{% steps need %}`."""
    by = by_of(context["request"])
    return {"steps": load_steps(by.actor, need, by.now)}


@register.simple_tag(takes_context=True)
def need_of(context: dict[str, Any], reservation: Any) -> Any:
    """Return the need for which a time was kept or booked, if the reader may see it:
    `{% need_of reservation as need %}`."""
    return need_behind(by_of(context["request"]).actor, reservation)
