-- Calls, the ledger, events and the log refer to what was looked up in the same transaction, and that does not go
-- away while they are there. A foreign key looks up each reference of each row by itself, which was half of
-- what it cost to store calls. Here all rows of a statement are looked at together.
DO $$
DECLARE
    it RECORD;
BEGIN
    FOR it IN SELECT conrelid, conname FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND confrelid <> conrelid
        AND (conrelid IN (CAST('calls' AS regclass), CAST('transactions' AS regclass),
                CAST('events' AS regclass), CAST('audit' AS regclass))
            OR conrelid IN (SELECT inhrelid FROM pg_inherits
                WHERE inhparent = CAST('transactions' AS regclass)))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', CAST(it.conrelid AS regclass), it.conname);
    END LOOP;
END $$;

CREATE FUNCTION refuse_strangers(what TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% refer to what is not there', what USING ERRCODE = 'foreign_key_violation';
END $$;

-- Rows may be written to a month's own table. One that is a month's no longer takes none, or they would be
-- nobody's.
CREATE FUNCTION refuse_outside(of OID, whole TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF of <> CAST(whole AS regclass)
        AND NOT EXISTS (SELECT 1 FROM pg_class WHERE oid = of AND relispartition) THEN
        RAISE EXCEPTION '% is no month of %', CAST(of AS regclass), whole;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION keep_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_outside(TG_RELID, 'calls');
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT network_id, campaign_id, affiliate_id, terms_id FROM new_calls) n
        WHERE NOT EXISTS (SELECT 1 FROM networks WHERE id = n.network_id)
        OR NOT EXISTS (SELECT 1 FROM campaigns WHERE id = n.campaign_id)
        OR (n.affiliate_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM parties WHERE id = n.affiliate_id))
        OR (n.terms_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM terms WHERE id = n.terms_id))
    ) THEN
        PERFORM refuse_strangers('calls');
    END IF;
    INSERT INTO call_keys (call_id, network_id, start_time, external_id, complete_call_id)
    SELECT id, network_id, start_time, external_id, complete_call_id FROM new_calls;
    RETURN NULL;
END $$;

CREATE FUNCTION look_at_transactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_outside(TG_RELID, 'transactions');
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT network_id, campaign_id, advertiser_id, affiliate_id
            FROM new_rows) n
        WHERE NOT EXISTS (SELECT 1 FROM networks WHERE id = n.network_id)
        OR NOT EXISTS (SELECT 1 FROM campaigns WHERE id = n.campaign_id)
        OR NOT EXISTS (SELECT 1 FROM parties WHERE id = n.advertiser_id)
        OR (n.affiliate_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM parties WHERE id = n.affiliate_id))
    ) OR EXISTS (
        SELECT 1 FROM new_rows n WHERE NOT EXISTS (SELECT 1 FROM call_keys k
            WHERE k.call_id = n.call_id AND k.start_time = n.start_time)
    ) THEN
        PERFORM refuse_strangers('transactions');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION look_at_networks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT network_id FROM new_rows) n
        WHERE NOT EXISTS (SELECT 1 FROM networks WHERE id = n.network_id)) THEN
        PERFORM refuse_strangers(CAST(TG_TABLE_NAME AS TEXT));
    END IF;
    RETURN NULL;
END $$;

-- What they refer to stays.
CREATE FUNCTION stay_for_calls() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    needed BOOLEAN;
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'parties' THEN
        needed := EXISTS (SELECT 1 FROM calls WHERE affiliate_id = OLD.id)
            OR EXISTS (SELECT 1 FROM transactions WHERE advertiser_id = OLD.id)
            OR EXISTS (SELECT 1 FROM transactions WHERE affiliate_id = OLD.id);
    WHEN 'campaigns' THEN
        needed := EXISTS (SELECT 1 FROM calls WHERE campaign_id = OLD.id)
            OR EXISTS (SELECT 1 FROM transactions WHERE campaign_id = OLD.id);
    WHEN 'terms' THEN
        needed := EXISTS (SELECT 1 FROM calls WHERE campaign_id = OLD.campaign_id AND terms_id = OLD.id);
    ELSE
        needed := EXISTS (SELECT 1 FROM call_keys WHERE network_id = OLD.id)
            OR EXISTS (SELECT 1 FROM events WHERE network_id = OLD.id)
            OR EXISTS (SELECT 1 FROM audit WHERE network_id = OLD.id);
    END CASE;
    IF needed THEN
        RAISE EXCEPTION 'there is what refers to a row of %', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER parties_stay AFTER DELETE ON parties FOR EACH ROW EXECUTE FUNCTION stay_for_calls();
CREATE TRIGGER campaigns_stay AFTER DELETE ON campaigns FOR EACH ROW EXECUTE FUNCTION stay_for_calls();
CREATE TRIGGER terms_stay AFTER DELETE ON terms FOR EACH ROW EXECUTE FUNCTION stay_for_calls();
CREATE TRIGGER networks_stay AFTER DELETE ON networks FOR EACH ROW EXECUTE FUNCTION stay_for_calls();

CREATE TRIGGER transactions_come AFTER INSERT ON transactions REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION look_at_transactions();
CREATE TRIGGER events_come AFTER INSERT ON events REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION look_at_networks();
CREATE TRIGGER audit_come AFTER INSERT ON audit REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION look_at_networks();

-- Statuses of all rows of a statement are remembered together, too.
CREATE FUNCTION remember_statuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO statuses (object, object_id, since, status)
        SELECT TG_ARGV[0], id, created_at, status FROM new_rows ORDER BY id;
    ELSE
        INSERT INTO statuses (object, object_id, since, status)
        SELECT TG_ARGV[0], n.id, n.updated_at, n.status FROM new_rows n JOIN old_rows o ON o.id = n.id
        WHERE n.status <> o.status ORDER BY n.id;
    END IF;
    RETURN NULL;
END $$;
DO $$
DECLARE
    of TEXT;
BEGIN
    FOREACH of IN ARRAY ARRAY['campaign', 'affiliate_campaign'] LOOP
        EXECUTE format('DROP TRIGGER %I ON %I', of || '_is_new', of || 's');
        EXECUTE format('DROP TRIGGER %I ON %I', of || '_moves', of || 's');
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION remember_statuses(%L)', of || '_is_new', of || 's', of);
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION remember_statuses(%L)', of || '_moves', of || 's', of);
    END LOOP;
END $$;
DROP FUNCTION remember_status();

-- A statement that names a month's table has the triggers of that alone.
CREATE FUNCTION watch_month(month TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER calls_come AFTER INSERT ON %I REFERENCING NEW TABLE AS new_calls
        FOR EACH STATEMENT EXECUTE FUNCTION keep_keys()', 'calls_' || month);
    EXECUTE format('CREATE TRIGGER calls_go AFTER DELETE ON %I REFERENCING OLD TABLE AS old_calls
        FOR EACH STATEMENT EXECUTE FUNCTION drop_keys()', 'calls_' || month);
    EXECUTE format('CREATE TRIGGER calls_keep_their_keys
        BEFORE UPDATE OF id, network_id, start_time, external_id, complete_call_id ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_other_keys()', 'calls_' || month);
    EXECUTE format('CREATE TRIGGER transactions_come AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION look_at_transactions()', 'transactions_' || month);
END $$;
SELECT watch_month(substr(relname, 7)) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = CAST('calls' AS regclass);

CREATE OR REPLACE FUNCTION make_month(moment BIGINT, OUT since BIGINT, OUT before BIGINT, OUT made BOOLEAN)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    month TEXT := month_name(moment);
    bounds TEXT;
BEGIN
    since := month_start(moment);
    before := month_end(moment);
    made := NOT EXISTS (
        SELECT 1 FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = CAST('calls' AS regclass) AND relname = 'calls_' || month
    );
    IF NOT made THEN
        RETURN;
    END IF;
    bounds := format('FROM (%s) TO (%s)',
        CASE month WHEN 'before_2010' THEN 'MINVALUE' ELSE CAST(since AS TEXT) END,
        CASE month WHEN 'from_2040' THEN 'MAXVALUE' ELSE CAST(before AS TEXT) END);
    EXECUTE format('CREATE TABLE %1$I (LIKE calls INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
        PRIMARY KEY (id))', 'calls_' || month);
    EXECUTE format('ALTER TABLE calls ATTACH PARTITION %I FOR VALUES %s', 'calls_' || month, bounds);
    EXECUTE format('CREATE TABLE %1$I (LIKE transactions INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
        PRIMARY KEY (id), FOREIGN KEY (corrects_id) REFERENCES %1$I (id))', 'transactions_' || month);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (corrects_id) WHERE corrects_id IS NOT NULL',
        'corrections_' || month, 'transactions_' || month);
    EXECUTE format('ALTER TABLE transactions ATTACH PARTITION %I FOR VALUES %s',
        'transactions_' || month, bounds);
    PERFORM watch_month(month);
END $$;

-- A month of somebody's ledger is a partition, and the indexes in the order of ids have the time in them.
DROP INDEX transactions_of_advertisers_by_time;
DROP INDEX transactions_of_affiliates_by_time;
-- Terms are a campaign's: its calls are found by the time they were live.
DROP INDEX calls_of_terms;

-- Whether somebody has called is asked in words that only this index fits: while a month was small, others
-- looked as good, and plans outlive that.
DROP INDEX calls_of_callers;
CREATE INDEX calls_of_callers ON calls (caller, (campaign_id + 0), start_time) WHERE caller IS NOT NULL;
