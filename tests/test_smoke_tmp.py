from tests.factories.cast import *
from bookings.services.reservations import *
from bookings.services.usage import *
from bookings.services.closures import *
import pytest
from bookings.models import *
def test_all(cast, django_assert_num_queries, monkeypatch):
    from django.test.utils import CaptureQueriesContext
    from django.db import connection
    a=cast.actor("wang")
    with CaptureQueriesContext(connection) as c:
        r=reserve(cast,"2026-03-06 10:00","2026-03-06 12:00")
    for q in c.captured_queries: print(q['sql'][:150])
    assert r.state=="confirmed"
    print(r.quotes.get().result)
    with pytest.raises(RulesRefuse) as e:
        reserve(cast,"2026-03-06 11:00","2026-03-06 13:00", who="sun")
    print(e.value.refusals)
    assert UnmetDemand.objects.count()==1
    t=at("2026-03-06 09:50")
    s=reservation_check_in(actor=a,reservation_id=r.pk,now=t)
    reservation_check_out(actor=a,reservation_id=r.pk,now=at("2026-03-06 11:20"))
    print(Occupancy.objects.get().span)
    from bookings.services.charges import charge_make
    print(charge_make(reservation_id=r.pk,now=t).result)
