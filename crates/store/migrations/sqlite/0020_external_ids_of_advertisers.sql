-- The external id of a call is unique for each advertiser, not in the network: two switches may both count from 1.
-- Writes keep it unique, because one transaction writes at a time. SQLite cannot drop the former constraint, so the
-- table is created again with the same columns. The references of other tables hold again at the commit.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE calls_copy AS SELECT * FROM calls;
CREATE TABLE calls_sequence AS SELECT seq FROM sqlite_sequence WHERE name = 'calls';
DROP TABLE calls;
CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    affiliate_id INTEGER REFERENCES parties (id),
    promo_number_id INTEGER,
    external_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    complete_call_id TEXT NOT NULL UNIQUE,
    terms_id INTEGER REFERENCES terms (id),
    caller TEXT,
    start_time INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    turned_away TEXT
) STRICT;
INSERT INTO calls (id, network_id, campaign_id, affiliate_id, promo_number_id, external_id, fingerprint,
    complete_call_id, terms_id, caller, start_time, body, created_at, ended_at, turned_away)
SELECT id, network_id, campaign_id, affiliate_id, promo_number_id, external_id, fingerprint,
    complete_call_id, terms_id, caller, start_time, body, created_at, ended_at, turned_away
FROM calls_copy ORDER BY id;
DROP TABLE calls_copy;
DELETE FROM sqlite_sequence WHERE name = 'calls';
INSERT INTO sqlite_sequence (name, seq) SELECT 'calls', seq FROM calls_sequence;
DROP TABLE calls_sequence;
CREATE INDEX calls_by_external_id ON calls (network_id, external_id);
CREATE INDEX calls_of_callers ON calls (campaign_id, caller, start_time) WHERE caller IS NOT NULL;
CREATE INDEX calls_of_campaigns ON calls (campaign_id, start_time);
CREATE INDEX calls_in_order_of_campaigns ON calls (campaign_id, id);
CREATE INDEX calls_in_order_of_affiliates ON calls (affiliate_id, id) WHERE affiliate_id IS NOT NULL;
CREATE INDEX calls_of_terms ON calls (terms_id) WHERE terms_id IS NOT NULL;
