-- Once, as a superuser of PostgreSQL. "choose-one": a password for each role.
CREATE ROLE commons_owner LOGIN PASSWORD 'choose-one';
CREATE ROLE commons_web LOGIN PASSWORD 'choose-one';
CREATE ROLE commons_backup LOGIN PASSWORD 'choose-one';
CREATE DATABASE commons OWNER commons_owner ENCODING 'UTF8' TEMPLATE template0;
