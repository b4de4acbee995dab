-- What made version 2 of version 1.
ALTER TABLE lease_record ADD COLUMN ended_at INTEGER GENERATED ALWAYS AS (json_extract(body, '$.ended.at')) VIRTUAL;
DROP INDEX lease_record_user;
CREATE INDEX lease_record_ended ON lease_record (ended_at, id);
CREATE INDEX lease_record_user_ended ON lease_record (user, ended_at, id);
