"""What the figures mean, as pages, workbooks and tables say it."""

from django.utils.translation import gettext_lazy as _

# Name in the API and in files -> what it is.
MEANINGS = {
    "total_minutes": _("All minutes of the local days, clock changes included, times the units."),
    "productive_minutes": _(
        "Check-in to check-out of sessions, preparation included; the effective hours of the"
        " national network."
    ),
    "unscheduled_down_minutes": _("Closed for a breakdown, and not used."),
    "scheduled_down_minutes": _("Closed for maintenance, calibration or another reason."),
    "engineering_minutes": _("Closed for the owner's own use or for training."),
    "standby_minutes": _("Open, and none of the states above."),
    "no_show_minutes": _("Of standby: booked and not used."),
    "non_scheduled_minutes": _("The rest of the day."),
    "operations_minutes": _("Total less non-scheduled."),
    "uptime_minutes": _("Productive, standby and engineering."),
    "other_organisations_minutes": _("Productive, paid by others than the host."),
    "other_regions_minutes": _("Productive, paid from other regions than the host's."),
    "sessions": _("Sessions that began on these days."),
    "breakdowns": _("Breakdowns that began on these days."),
    "counted": _(
        "Of the day, what counts in the number that was asked for: minutes of the state or of the"
        " payers, breakdowns, or sessions begun."
    ),
    "norm_minutes": _(
        "The norm hours a year of the units offered in that year, by the share of its days."
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
    "openness": _("Of what a region's payers used, the share used in other regions."),
    "region_external_share": _("Of what a region's hosts gave, the share given to other regions."),
    "net": _("Given to other regions less used in them."),
    "reciprocity": _(
        "Of two regions: twice the smaller of the two flows / their sum; 1 is balance."
    ),
    "concentration": _(
        "Herfindahl-Hirschman index over regions: 1 when all instruments are in one."
    ),
    "location_quotient": _(
        "The technique's share among a region's instruments / its share among all; above 1 it is"
        " concentrated there."
    ),
    "refused_minutes": _("Asked for, and refused because nothing was free."),
    "waited_minutes": _("On the waiting list, until it expired or was withdrawn."),
    "searched_minutes": _("Searched for free time, and nothing was found."),
}

# What pages call it.
NAMES = {
    "total_minutes": _("Total"),
    "productive_minutes": _("Productive"),
    "unscheduled_down_minutes": _("Unscheduled down"),
    "scheduled_down_minutes": _("Scheduled down"),
    "engineering_minutes": _("Engineering"),
    "standby_minutes": _("Standby"),
    "no_show_minutes": _("Booked and not used"),
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
    "region_external_share": _("Given to others"),
    "net": _("Net"),
    "reciprocity": _("Reciprocity"),
    "concentration": _("Concentration"),
    "location_quotient": _("Location quotient"),
    "refused_minutes": _("Refused: nothing free"),
    "waited_minutes": _("Waited without success"),
    "searched_minutes": _("Searched without results"),
}
