"""How a facility receives samples by post: the body of the request, and the form made from it."""

from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Shape, Text, Whole
from bookings.samples.domain.samples import MOST_DAYS, USUAL_DAYS
from instruments.reading.forms.shapes import form_of


class ReceivingBody(Shape):
    recipient = Text(120, label=_("Recipient"), style={"help": _("A person or an office.")})
    address = Text(300, label=_("Postal address"))
    phone = Text(60, label=_("Telephone"), default="", allow_blank=True)
    hours = Text(
        200,
        label=_("Deliveries are accepted"),
        default="",
        allow_blank=True,
        style={"help": _("For example: Monday to Friday, 9 to 16 o’clock.")},
    )
    not_accepted = Text(
        1000,
        label=_("Not accepted by post"),
        default="",
        allow_blank=True,
        style={"rows": 3, "help": _("For example: radioactive or live samples, dry ice.")},
    )
    packing = Text(
        1000,
        label=_("How to pack"),
        default="",
        allow_blank=True,
        style={"rows": 3, "help": _("For example: in a sealed vessel, with the label inside the parcel.")},
    )
    lead_days = Whole(
        min_value=0,
        max_value=MOST_DAYS,
        required=False,
        allow_null=True,
        label=_("Days from posting until work can begin"),
        help_text=f"Times are proposed after these. Null: {USUAL_DAYS}.",
        style={"help": _("Times for samples sent in are proposed after these. Empty: three days.")},
    )


ReceivingForm = form_of(ReceivingBody)
