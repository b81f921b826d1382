"""Lists in which a person keeps instruments."""

MOST_LISTS = 50  # of a person
MOST_ENTRIES = 200  # of a list
LONGEST_NAME, LONGEST_NOTE = 100, 1000
