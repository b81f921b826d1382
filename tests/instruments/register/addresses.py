"""The addresses of *register*, as tests/architecture/permission_table.py reads them."""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"instrument_id": "instrument", "facility_id": "facility"}
