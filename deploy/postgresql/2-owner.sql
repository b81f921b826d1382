-- After the first migration, as commons_owner in the database commons: the web owns no table and
-- cannot change the trail; the backup only reads. What later migrations add is granted by itself.
GRANT USAGE ON SCHEMA public TO commons_web, commons_backup;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO commons_web;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO commons_web;
REVOKE UPDATE, DELETE ON accounts_trailentry, accounts_seal, accounts_sealedentry
    FROM commons_web;
REVOKE UPDATE ON accounts_trailtext FROM commons_web;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO commons_backup;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO commons_backup;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO commons_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO commons_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO commons_backup;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON SEQUENCES TO commons_backup;
