"""The addresses of *provisioning*, as tests/architecture/permission_table.py reads them: nobody is signed in
by a session there. tests/bookings/provisioning/api has what a token opens."""

PAGES = """
GET  scim                            - - - - - - - - - - - - -
GET  scim-part                       - - - - - - - - - - - - -
POST scim-part                       - - - - - - - - - - - - -
"""
ARGUMENTS = {"rest": "users"}


def things(cast):
    return {"users": "Users"}
