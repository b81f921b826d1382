import os, re
import pytest
from django.utils import timezone
from tests.browser import test_scan
from tests.browser.test_scan import *
from tests.architecture.test_permissions import world
from tests.browser.test_scan import grown
from tests.browser import scanning
from tests.browser.test_scan import _clock
del test_every_page
pytestmark=[pytest.mark.django_db]
def test_sql(grown, monkeypatch):
    cast, things = grown
    site = Site(cast.people)
    want = os.environ["WANT"].split(",")
    real = scanning._noting
    seen = []
    def noting(said):
        seen.append(said); return real(said)
    monkeypatch.setattr(scanning, "_noting", noting)
    out = open("/tmp/scan-sql.txt","w")
    for view in views(things):
        if view.name in want or want==["all"]:
            answer = site.see(view, "en")
            if not answer.is_page: continue
            out.write(f"\n==== {answer.statements} {view}\n")
            if want==["all"]: continue
            for sql in seen[-1]:
                if scanning.APART.match(sql): continue
                s=re.sub(r'SELECT .*? FROM', lambda m: 'SELECT '+m.group()[7:60]+' ~ FROM', sql, count=1, flags=re.S)
                out.write("  "+s[:420].replace("\n"," ")+"\n")
