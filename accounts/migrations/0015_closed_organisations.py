from django.db import migrations

# Nothing new comes to an organisation that was closed, whoever writes it. The services ask first;
# this also holds for who asked just before it was closed: closing takes the organisation's row
# FOR UPDATE, which the lock here waits for and then reads it as it became.
OPEN = """
CREATE FUNCTION organisation_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed timestamptz;
BEGIN
    SELECT closed_at INTO closed FROM accounts_organisation
    WHERE id = NEW.organisation_id FOR KEY SHARE;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'the organisation % is closed', NEW.organisation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_open';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_of_open BEFORE INSERT ON accounts_membership
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER rolegrant_of_open BEFORE INSERT ON accounts_rolegrant
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER invitation_of_open BEFORE INSERT ON accounts_invitation
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER joinrequest_of_open BEFORE INSERT ON accounts_joinrequest
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
"""
OPEN_REMOVE = """
DROP TRIGGER membership_of_open ON accounts_membership;
DROP TRIGGER rolegrant_of_open ON accounts_rolegrant;
DROP TRIGGER invitation_of_open ON accounts_invitation;
DROP TRIGGER joinrequest_of_open ON accounts_joinrequest;
DROP FUNCTION organisation_open();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_bank_account_changed_at")]
    operations = [migrations.RunSQL(OPEN, OPEN_REMOVE)]
