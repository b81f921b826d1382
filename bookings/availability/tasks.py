"""Jobs, effects and letters of *availability*."""

from accounts.work import Tasks
from bookings.availability.notifications import kept_hours

TASKS = Tasks(letters=(kept_hours.KINDS,))
