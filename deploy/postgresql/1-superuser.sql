-- Once, as a superuser of PostgreSQL. "choose-one": a password for each role.
CREATE ROLE commons_owner LOGIN PASSWORD 'choose-one';
CREATE ROLE commons_web LOGIN PASSWORD 'choose-one';
CREATE ROLE commons_backup LOGIN PASSWORD 'choose-one';
-- For connections through a pooler, which hands no options on; others set the same themselves.
ALTER ROLE commons_web SET lock_timeout = '10s';
ALTER ROLE commons_web SET idle_in_transaction_session_timeout = '1min';
ALTER ROLE commons_web SET jit = 'off';
-- `migrate` says of whom it waits for how long they have been at it, too.
GRANT pg_read_all_stats TO commons_owner;
CREATE DATABASE commons OWNER commons_owner ENCODING 'UTF8' TEMPLATE template0;
