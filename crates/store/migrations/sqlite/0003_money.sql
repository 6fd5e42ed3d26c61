-- A call may be live: then it is over when `ended_at` is set, and only until then is it changed.
-- `turned_away` is why it was not let in.
ALTER TABLE calls ADD COLUMN ended_at INTEGER;
ALTER TABLE calls ADD COLUMN turned_away TEXT;
UPDATE calls SET ended_at = created_at, turned_away = json_extract(body, '$.turned_away');
CREATE INDEX calls_of_campaigns ON calls (campaign_id, start_time);

-- Calls that are under way: where they are, and when they are given up.
CREATE TABLE live_calls (
    call_id INTEGER PRIMARY KEY REFERENCES calls (id),
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    state TEXT NOT NULL,
    deadline INTEGER NOT NULL
) STRICT;
CREATE INDEX live_calls_of_campaigns ON live_calls (campaign_id);
CREATE INDEX live_calls_by_deadline ON live_calls (deadline);

-- What happened to a call, and what was answered: the same event again gets the same answer.
CREATE TABLE call_events (
    call_id INTEGER NOT NULL REFERENCES calls (id),
    sequence INTEGER NOT NULL,
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (call_id, sequence)
) STRICT, WITHOUT ROWID;

-- The ledger. Nothing was kept in it before. Amounts are cents; a correction replaces the row that
-- it corrects, and the `_delta`s are what a row adds to the sum of those before it.
DROP TABLE transactions;
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    call_id INTEGER NOT NULL REFERENCES calls (id),
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    advertiser_id INTEGER NOT NULL REFERENCES parties (id),
    affiliate_id INTEGER REFERENCES parties (id),
    corrects_id INTEGER UNIQUE REFERENCES transactions (id),
    start_time INTEGER NOT NULL,
    payin_currency TEXT,
    payin INTEGER,
    payin_delta INTEGER NOT NULL,
    payout_currency TEXT,
    payout INTEGER,
    payout_delta INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX transactions_of_networks ON transactions (network_id, id);
CREATE INDEX transactions_of_advertisers ON transactions (advertiser_id, id);
CREATE INDEX transactions_of_affiliates ON transactions (affiliate_id, id) WHERE affiliate_id IS NOT NULL;
CREATE INDEX transactions_of_campaigns ON transactions (campaign_id, start_time);
CREATE INDEX transactions_of_calls ON transactions (call_id);
CREATE TRIGGER transactions_stay BEFORE UPDATE ON transactions BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER transactions_are_kept BEFORE DELETE ON transactions BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;

-- Running totals by quarter of an hour since 1970: every zone's days are made of whole ones, so that
-- statistics are right in whatever zone a campaign is, or comes to be.
CREATE TABLE call_quarters (
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    quarter INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, quarter)
) STRICT, WITHOUT ROWID;
INSERT INTO call_quarters (campaign_id, quarter, calls, seconds)
SELECT campaign_id, start_time / 900000, COUNT(*), SUM(COALESCE(json_extract(body, '$.facts.duration'), 0))
FROM calls GROUP BY 1, 2;
DROP TABLE call_days;

-- What a budget's period has come to: calls, or cents of its currency. A row is made, by a recount,
-- when its period is first asked for. Alerts up to `alerted` percent of `amount` were given.
CREATE TABLE budget_totals (
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    kind TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL,
    currency TEXT NOT NULL,
    total INTEGER NOT NULL,
    alerted INTEGER NOT NULL DEFAULT 0,
    amount INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, kind, period_start, period_end, currency)
) STRICT, WITHOUT ROWID;

-- Every status that a campaign or an affiliate campaign had, and from when: a call is let in by what
-- held at its start.
CREATE TABLE statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object TEXT NOT NULL CHECK (object IN ('campaign', 'affiliate_campaign')),
    object_id INTEGER NOT NULL,
    since INTEGER NOT NULL,
    status TEXT NOT NULL
) STRICT;
CREATE INDEX statuses_of_objects ON statuses (object, object_id, since);
INSERT INTO statuses (object, object_id, since, status)
SELECT 'campaign', id, COALESCE((SELECT MIN(went_live_at) FROM terms WHERE campaign_id = campaigns.id), created_at), status
FROM campaigns;
INSERT INTO statuses (object, object_id, since, status)
SELECT 'affiliate_campaign', id, created_at, status FROM affiliate_campaigns;
CREATE TRIGGER campaign_is_new AFTER INSERT ON campaigns BEGIN
    INSERT INTO statuses (object, object_id, since, status) VALUES ('campaign', NEW.id, NEW.created_at, NEW.status);
END;
CREATE TRIGGER campaign_moves AFTER UPDATE OF status ON campaigns WHEN NEW.status <> OLD.status BEGIN
    INSERT INTO statuses (object, object_id, since, status) VALUES ('campaign', NEW.id, NEW.updated_at, NEW.status);
END;
CREATE TRIGGER affiliate_campaign_is_new AFTER INSERT ON affiliate_campaigns BEGIN
    INSERT INTO statuses (object, object_id, since, status) VALUES ('affiliate_campaign', NEW.id, NEW.created_at, NEW.status);
END;
CREATE TRIGGER affiliate_campaign_moves AFTER UPDATE OF status ON affiliate_campaigns WHEN NEW.status <> OLD.status BEGIN
    INSERT INTO statuses (object, object_id, since, status) VALUES ('affiliate_campaign', NEW.id, NEW.updated_at, NEW.status);
END;

-- What happened, for those who listen. `advertiser_id` and `affiliate_id` say whose business it is.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    advertiser_id INTEGER,
    affiliate_id INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_in_order ON events (network_id, id);
CREATE INDEX events_by_age ON events (at);
