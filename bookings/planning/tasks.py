"""Jobs, effects and letters of *planning*."""

from accounts.work import Tasks
from bookings.planning.notifications import plans

TASKS = Tasks(letters=(plans.KINDS,))
