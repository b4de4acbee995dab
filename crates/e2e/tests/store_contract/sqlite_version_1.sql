-- A store as the first version made it, without its records.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE host (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, engine_id TEXT NOT NULL,
    version INTEGER NOT NULL, contact TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX host_name ON host (name);
CREATE UNIQUE INDEX host_engine ON host (engine_id);

CREATE TABLE cluster (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, slot INTEGER NOT NULL,
    phase TEXT NOT NULL, version INTEGER NOT NULL, flavor TEXT NOT NULL,
    user TEXT, nth INTEGER, idem_key TEXT,
    offer_flavor TEXT, offer_r REAL, offer_until INTEGER, proven_at INTEGER,
    life TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX cluster_slot ON cluster (host, slot);
CREATE UNIQUE INDEX cluster_nth ON cluster (user, nth) WHERE user IS NOT NULL;
CREATE UNIQUE INDEX cluster_key ON cluster (user, idem_key) WHERE idem_key IS NOT NULL;
CREATE INDEX cluster_offer ON cluster (offer_flavor, offer_r, offer_until) WHERE offer_flavor IS NOT NULL;
CREATE INDEX cluster_kind ON cluster (host, flavor, phase);

CREATE TABLE lease_record (id TEXT PRIMARY KEY, user TEXT NOT NULL, idem_key TEXT, body TEXT NOT NULL);
CREATE INDEX lease_record_user ON lease_record (user);
CREATE INDEX lease_record_key ON lease_record (user, idem_key) WHERE idem_key IS NOT NULL;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at INTEGER NOT NULL,
    host TEXT, cluster TEXT, body TEXT NOT NULL
);
CREATE UNIQUE INDEX event_id ON event (id);
CREATE INDEX event_at ON event (at, seq);
CREATE INDEX event_host ON event (host, at, seq) WHERE host IS NOT NULL;
CREATE INDEX event_cluster ON event (cluster, at, seq) WHERE cluster IS NOT NULL;

CREATE TABLE change_log (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL);

CREATE TABLE operator (id TEXT PRIMARY KEY, username TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX operator_username ON operator (username);
CREATE TABLE session (id TEXT PRIMARY KEY, ends_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX session_ends ON session (ends_at);

CREATE TABLE lock (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, address TEXT NOT NULL, term INTEGER NOT NULL, until INTEGER NOT NULL
);
