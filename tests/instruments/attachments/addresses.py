"""The addresses of *attachments*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  instruments:attachments         - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:attachments         - 403 403 403 403 400 403 403 403 403 403 403 403
POST instruments:attachment-change   - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:attachment-delete   - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:file              200 200 200 200 200 200 200 200 200 200 200 200 200
"""
API = """
GET    api-attachments             200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-attachments               - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-attachment              200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-attachment                - 403 403 403 403 200 403 403 403 403 403 403 403
DELETE api-attachment                - 403 403 403 403 204 403 403 403 403 403 403 403
"""
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"attachment_id": "attachment", "size": "size"}
PAGE_BODIES = {"instruments:attachment-change": {"title": "test"}}
API_BODIES = {("PATCH", "api-attachment"): {"title": "test"}}
