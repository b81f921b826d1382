"""Workers that look for due harvests at the same moment."""

import pytest

from accounts.domain.roles import By
from instruments.exchange.domain.harvests import Plan
from instruments.exchange.models import Fetching, Import
from instruments.exchange.services.harvests import harvest_add, harvest_fetch, harvest_work
from tests.factories.cast import NOW
from tests.factories.web import Web

pytestmark = pytest.mark.concurrency


def test_each_is_fetched_once_by_whichever_worker(real_cast, race, settings):
    settings.CALLS_LOOPBACK = True
    zhao = real_cast.actor("zhao")
    with Web() as web:
        made = []
        for name in ("/1", "/2"):
            web.answers[name] = (200, {}, b"id,name\n1,SEM\n")
            plan = Plan(name, web.at(name), "table")
            made.append(harvest_add(By(zhao, NOW), organisation_id=real_cast.ustc.pk, plan=plan))
        asking = [lambda h=h: harvest_fetch(By(zhao, NOW), harvest_id=h.pk) and None for h in made]
        race([*[lambda: harvest_work(now=NOW)] * 4, *asking])
        while harvest_work(now=NOW):
            pass
        # Asked for once more after it was done, one is fetched again, and is unchanged.
        assert Import.objects.count() == 2
        assert len(web.asked) == Fetching.objects.count() <= 4
        assert Fetching.objects.filter(outcome="fetched").count() == 2
        assert not Fetching.objects.filter(outcome="failed").exists()
