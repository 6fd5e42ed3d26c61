-- Calls are facts, appended. What was paid for one is derived, and kept with the id of the terms that
-- priced it; a correction is another row.

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
    UNIQUE (network_id, external_id)
) STRICT;
CREATE INDEX calls_of_callers ON calls (campaign_id, caller, start_time) WHERE caller IS NOT NULL;

CREATE TABLE transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    call_id INTEGER NOT NULL REFERENCES calls (id),
    advertiser_id INTEGER NOT NULL REFERENCES parties (id),
    affiliate_id INTEGER REFERENCES parties (id),
    start_time INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX transactions_of_networks ON transactions (network_id, id);
CREATE INDEX transactions_of_advertisers ON transactions (advertiser_id, id);
CREATE INDEX transactions_of_affiliates ON transactions (affiliate_id, id) WHERE affiliate_id IS NOT NULL;
CREATE TRIGGER transactions_stay BEFORE UPDATE ON transactions BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER transactions_are_kept BEFORE DELETE ON transactions BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;

-- Running totals by day of the campaign's zone, so that statistics are one read of 30 rows.
CREATE TABLE call_days (
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, day)
) STRICT, WITHOUT ROWID;
