"""The page of invoice details; none of them is public."""

import json

from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.services.organisations import invoice_details_set
from tests.accounts.pages import page_of
from tests.accounts.services.test_invoice_details import DETAILS
from tests.factories.cast import NOW


def test_finance_reads_and_changes_them(client, cast):
    client.force_login(cast.gao)
    address = f"/organisations/{cast.ustc.pk}/invoice-details/"
    page_of(client.get(address))
    sent = DETAILS | {"version": cast.ustc.version}
    assert client.post(address, sent)["Location"] == address
    page = page_of(client.get(address))
    assert "12100000485001086E" in page and "was last changed on" in page
    assert "wrong-version" in page_of(client.post(address, sent | {"tax_number": "9"}), 412)
    turned = sent | {"bank_account": "1\u202e2", "version": ""}
    page = page_of(client.post(address, turned), 400)
    assert "More about the account: This contains a character that cannot be stored." in page
    page_of(client.post(address, sent | {"invoice_email": "nobody"}), 400)
    row = Organisation.objects.get(pk=cast.ustc.pk)
    assert (row.tax_number, row.bank_account) == (DETAILS["tax_number"], DETAILS["bank_account"])


def test_no_public_answer_has_them(client, cast):
    invoice_details_set(By(cast.actor("gao"), NOW), organisation_id=cast.ustc.pk, details=DETAILS)
    client.force_login(cast.wang)
    for address in ("/api/v1/organisations/", f"/api/v1/organisations/{cast.ustc.pk}/"):
        text = json.dumps(client.get(address).json())
        assert "1764" not in text and "12100000485001086E" not in text
