"""The definitions of figures, as pages, workbooks and tables print them."""

from django.utils.translation import gettext_lazy as _

# The name in the API and in files, and its definition.
MEANINGS = {
    "total_minutes": _(
        "All minutes of the local days, including clock changes, multiplied by the number of units."
    ),
    "productive_minutes": _(
        "Check-in to check-out of sessions, preparation included; the effective hours of the"
        " national network."
    ),
    "unscheduled_down_minutes": _("Closed for a breakdown, and not used."),
    "scheduled_down_minutes": _("Closed for maintenance, calibration or another reason."),
    "engineering_minutes": _("Closed for the owner's own use or for training."),
    "standby_minutes": _("Open, and none of the states above."),
    "no_show_minutes": _("The part of standby that was booked but not used."),
    "kept_unused_minutes": _(
        "The part of standby that was reserved beyond the use, buffers included; held by a booking until it"
        " was cancelled; or guaranteed to an organisation that left it unused, once its window is over."
    ),
    "not_open_minutes": _(
        "The part of standby that was open to the host’s own people only, by the booking policy or because"
        " others had no price."
    ),
    "lead_time_minutes": _(
        "The part of standby that a cancellation freed less than the notice before, so that nobody could book"
        " it any more."
    ),
    "no_operator_minutes": _(
        "The part of standby requested with an operator or with samples sent in, and rejected or left"
        " unanswered."
    ),
    "refused_minutes_of_standby": _(
        "The part of standby that was requested, and refused by a rule, rejected, or left unanswered."
    ),
    "not_asked_minutes": _("The rest of standby: nobody asked for it."),
    "non_scheduled_minutes": _("The rest of the day."),
    "operations_minutes": _("Total less non-scheduled."),
    "uptime_minutes": _("Productive, standby and engineering."),
    "other_organisations_minutes": _("Productive, paid by organisations other than the host."),
    "other_regions_minutes": _("Productive, paid from regions other than the host's."),
    "sessions": _("Sessions that began on these days."),
    "breakdowns": _("Breakdowns that began on these days."),
    "counted": _(
        "The part of the day that counts towards the number you opened: minutes in the state or "
        "used by the payers, breakdowns, or sessions begun."
    ),
    "norm_minutes": _(
        "The norm hours a year × days on offer / days of the year, for each unit. Days before an"
        " instrument was in service, after it was retired and days not yet over do not count."
    ),
    "availability": _("Uptime / operations."),
    "operational_utilisation": _("Productive / operations."),
    "total_utilisation": _("Productive / total."),
    "norm_utilisation": _("Productive / norm; may exceed 100 %."),
    "external_share": _("Productive of other organisations / productive; 0 when there is none."),
    "cross_region_share": _("Productive of other regions / productive."),
    "mtbf_hours": _("Productive hours for each breakdown."),
    "mttr_hours": _("Unscheduled-down hours for each breakdown."),
    "cancelled_late": _("Cancelled by the payer's side less than 24 hours before the start."),
    "lead_hours": _("From the request to the start of a booking, the median."),
    "openness": _("The share of use by a region's payers that took place in other regions."),
    "region_external_share": _("The share of use provided by a region's hosts that went to other regions."),
    "net": _("Use provided to other regions minus use in them."),
    "reciprocity": _("For two regions: twice the smaller flow / the sum of both; 1 means balanced."),
    "concentration": _("Herfindahl-Hirschman index over regions: 1 when all instruments are in one."),
    "location_quotient": _(
        "The technique's share among a region's instruments / its share among all; above 1 it is"
        " concentrated there."
    ),
    "refused_minutes": _("Asked for, and refused because nothing was free."),
    "waited_minutes": _("On the waiting list, until it expired or was withdrawn."),
    "searched_minutes": _("Searched for free time, and nothing was found."),
}

# The names on pages.
NAMES = {
    "total_minutes": _("Total"),
    "productive_minutes": _("Productive"),
    "unscheduled_down_minutes": _("Unscheduled down"),
    "scheduled_down_minutes": _("Scheduled down"),
    "engineering_minutes": _("Engineering"),
    "standby_minutes": _("Standby"),
    "no_show_minutes": _("Booked and not used"),
    "kept_unused_minutes": _("Kept and unused"),
    "not_open_minutes": _("Not open to others"),
    "lead_time_minutes": _("Freed too late"),
    "no_operator_minutes": _("No operator"),
    "refused_minutes_of_standby": _("Asked for and refused"),
    "not_asked_minutes": _("Not asked for"),
    "non_scheduled_minutes": _("Not scheduled"),
    "operations_minutes": _("Operations time"),
    "uptime_minutes": _("Uptime"),
    "other_organisations_minutes": _("By other organisations"),
    "other_regions_minutes": _("By other regions"),
    "sessions": _("Sessions"),
    "breakdowns": _("Breakdowns"),
    "counted": _("Period"),
    "norm_minutes": _("Norm"),
    "availability": _("Availability"),
    "operational_utilisation": _("Utilisation of open time"),
    "total_utilisation": _("Utilisation of total time"),
    "norm_utilisation": _("Share of the norm"),
    "external_share": _("Other organisations"),
    "cross_region_share": _("Other regions"),
    "mtbf_hours": _("Mean time between breakdowns"),
    "mttr_hours": _("Mean time to repair"),
    "cancelled_late": _("Cancelled late"),
    "lead_hours": _("Booked ahead"),
    "openness": _("Openness"),
    "region_external_share": _("Provided to others"),
    "net": _("Net"),
    "reciprocity": _("Reciprocity"),
    "concentration": _("Concentration"),
    "location_quotient": _("Location quotient"),
    "refused_minutes": _("Refused: nothing free"),
    "waited_minutes": _("Waited without success"),
    "searched_minutes": _("Searched without results"),
}
