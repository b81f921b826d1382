from tests.factories.cast import at
from accounts.api.shapes import rfc3339

def test_line(cast, program):
    wang=program("wang")
    a=wang.post("reservations/",{"instrument":str(cast.microscope.pk),"start":"2026-03-06T10:00:00+08:00","end":"2026-03-06T12:00:00+08:00","service_mode":"self","purpose":{"code":"research"}})
    print(a)
    assert a.status==201
    for p in ("regions/","organisations/","organisations/?mine=1","techniques/","facilities/","instruments/","reservations/","charges/","trail/entries/",f"instruments/{cast.microscope.pk}/",f"instruments/{cast.microscope.pk}/pidinst/",f"instruments/{cast.microscope.pk}/availability/",f"instruments/{cast.microscope.pk}/closures/",f"instruments/{cast.microscope.pk}/policy/",f"instruments/{cast.microscope.pk}/opening-hours/",f"instruments/{cast.microscope.pk}/rate-cards/","statistics/hours/?from=2026-01-01&until=2026-03-01&by=month", "nonsense/", "schema/","docs/"):
        a=wang.get(p); print(p,a.status, str(a.body)[:600]); 
    assert 0
