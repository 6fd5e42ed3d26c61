-- Renames trigger functions to verb and object, and triggers to <table>_<effect>. They do what they did;
-- only the texts of their errors are new. Triggers refer to their functions by OID, so renaming a function
-- does not affect them; functions called in a body are called by name, so those bodies are replaced.

-- Functions whose bodies call none of the others.
ALTER FUNCTION refuse_change() RENAME TO reject_append_only_change;
ALTER FUNCTION credentials_changed() RENAME TO advance_credential_generation;
ALTER FUNCTION drop_keys() RENAME TO delete_call_keys;
ALTER FUNCTION remember_statuses() RENAME TO record_statuses;

ALTER FUNCTION refuse_other_keys() RENAME TO reject_call_key_update;
CREATE OR REPLACE FUNCTION reject_call_key_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the key columns of a call cannot be updated';
END $$;

DROP FUNCTION refuse_strangers(TEXT);
CREATE FUNCTION raise_foreign_key_violation(table_name TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % refers to a row that does not exist', table_name
        USING ERRCODE = 'foreign_key_violation';
END $$;

-- Rows may be inserted into a partition directly. Inserts into a detached partition are rejected: such rows
-- would be invisible through the parent table.
DROP FUNCTION refuse_outside(OID, TEXT);
CREATE FUNCTION reject_detached_partition(relation OID, parent TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF relation <> CAST(parent AS regclass)
        AND NOT EXISTS (SELECT 1 FROM pg_class WHERE oid = relation AND relispartition) THEN
        RAISE EXCEPTION '% is not a partition of %', CAST(relation AS regclass), parent;
    END IF;
END $$;

ALTER FUNCTION keep_keys() RENAME TO insert_call_keys;
CREATE OR REPLACE FUNCTION insert_call_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reject_detached_partition(TG_RELID, 'calls');
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT network_id, campaign_id, affiliate_id, terms_id FROM new_calls) n
        WHERE NOT EXISTS (SELECT 1 FROM networks WHERE id = n.network_id)
        OR NOT EXISTS (SELECT 1 FROM campaigns WHERE id = n.campaign_id)
        OR (n.affiliate_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM parties WHERE id = n.affiliate_id))
        OR (n.terms_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM terms WHERE id = n.terms_id))
    ) THEN
        PERFORM raise_foreign_key_violation('calls');
    END IF;
    INSERT INTO call_keys (call_id, network_id, start_time, external_id, complete_call_id)
    SELECT id, network_id, start_time, external_id, complete_call_id FROM new_calls;
    RETURN NULL;
END $$;

ALTER FUNCTION look_at_transactions() RENAME TO check_transaction_references;
CREATE OR REPLACE FUNCTION check_transaction_references() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reject_detached_partition(TG_RELID, 'transactions');
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
        PERFORM raise_foreign_key_violation('transactions');
    END IF;
    RETURN NULL;
END $$;

ALTER FUNCTION look_at_networks() RENAME TO check_network_references;
CREATE OR REPLACE FUNCTION check_network_references() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT network_id FROM new_rows) n
        WHERE NOT EXISTS (SELECT 1 FROM networks WHERE id = n.network_id)) THEN
        PERFORM raise_foreign_key_violation(CAST(TG_TABLE_NAME AS TEXT));
    END IF;
    RETURN NULL;
END $$;

ALTER FUNCTION stay_for_calls() RENAME TO restrict_delete_referenced_by_calls;
CREATE OR REPLACE FUNCTION restrict_delete_referenced_by_calls() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_referenced BOOLEAN;
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'parties' THEN
        is_referenced := EXISTS (SELECT 1 FROM calls WHERE affiliate_id = OLD.id)
            OR EXISTS (SELECT 1 FROM transactions WHERE advertiser_id = OLD.id)
            OR EXISTS (SELECT 1 FROM transactions WHERE affiliate_id = OLD.id);
    WHEN 'campaigns' THEN
        is_referenced := EXISTS (SELECT 1 FROM calls WHERE campaign_id = OLD.id)
            OR EXISTS (SELECT 1 FROM transactions WHERE campaign_id = OLD.id);
    WHEN 'terms' THEN
        is_referenced := EXISTS (
            SELECT 1 FROM calls WHERE campaign_id = OLD.campaign_id AND terms_id = OLD.id);
    ELSE
        is_referenced := EXISTS (SELECT 1 FROM call_keys WHERE network_id = OLD.id)
            OR EXISTS (SELECT 1 FROM events WHERE network_id = OLD.id)
            OR EXISTS (SELECT 1 FROM audit WHERE network_id = OLD.id);
    END CASE;
    IF is_referenced THEN
        RAISE EXCEPTION 'a row of % is still referred to', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

-- Statement triggers of a partition, for statements that name the partition: the triggers of the parent do
-- not fire for those.
DROP FUNCTION watch_month(TEXT);
CREATE FUNCTION create_partition_triggers(month TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER calls_insert_keys AFTER INSERT ON %I REFERENCING NEW TABLE AS new_calls
        FOR EACH STATEMENT EXECUTE FUNCTION insert_call_keys()', 'calls_' || month);
    EXECUTE format('CREATE TRIGGER calls_delete_keys AFTER DELETE ON %I REFERENCING OLD TABLE AS old_calls
        FOR EACH STATEMENT EXECUTE FUNCTION delete_call_keys()', 'calls_' || month);
    EXECUTE format('CREATE TRIGGER calls_reject_key_update
        BEFORE UPDATE OF id, network_id, start_time, external_id, complete_call_id ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION reject_call_key_update()', 'calls_' || month);
    EXECUTE format('CREATE TRIGGER transactions_check_references AFTER INSERT ON %I
        REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION check_transaction_references()', 'transactions_' || month);
END $$;

-- Creates the partitions of calls and transactions for the month of a moment, unless they exist. Returns
-- their bounds, and whether they are new. A table is created by itself and then attached, which does not
-- block readers.
CREATE FUNCTION ensure_partition(
    moment BIGINT, OUT starts_at BIGINT, OUT ends_before BIGINT, OUT created BOOLEAN
) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    month TEXT := month_name(moment);
    bounds TEXT;
BEGIN
    starts_at := month_start(moment);
    ends_before := month_end(moment);
    created := NOT EXISTS (
        SELECT 1 FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = CAST('calls' AS regclass) AND relname = 'calls_' || month
    );
    IF NOT created THEN
        RETURN;
    END IF;
    bounds := format('FROM (%s) TO (%s)',
        CASE month WHEN 'before_2010' THEN 'MINVALUE' ELSE CAST(starts_at AS TEXT) END,
        CASE month WHEN 'from_2040' THEN 'MAXVALUE' ELSE CAST(ends_before AS TEXT) END);
    EXECUTE format('CREATE TABLE %1$I (LIKE calls INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
        PRIMARY KEY (id))', 'calls_' || month);
    EXECUTE format('ALTER TABLE calls ATTACH PARTITION %I FOR VALUES %s', 'calls_' || month, bounds);
    EXECUTE format('CREATE TABLE %1$I (LIKE transactions INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
        PRIMARY KEY (id), FOREIGN KEY (corrects_id) REFERENCES %1$I (id))', 'transactions_' || month);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (corrects_id) WHERE corrects_id IS NOT NULL',
        'corrections_' || month, 'transactions_' || month);
    EXECUTE format('ALTER TABLE transactions ATTACH PARTITION %I FOR VALUES %s',
        'transactions_' || month, bounds);
    PERFORM create_partition_triggers(month);
END $$;

-- Kept for servers of the previous version that are still running while others are upgraded.
CREATE OR REPLACE FUNCTION make_month(moment BIGINT, OUT since BIGINT, OUT before BIGINT, OUT made BOOLEAN)
LANGUAGE sql AS $$
    SELECT starts_at, ends_before, created FROM ensure_partition(moment)
$$;

-- Triggers of every table with one of the functions, also of detached partitions. From PostgreSQL 15 on,
-- renaming the row trigger of a partitioned table renames those of its partitions as well; before, these
-- keep their names and are renamed by the second pass.
DO $$
DECLARE
    names JSON := '{
        "audit_stays": "audit_reject_change",
        "transactions_stay": "transactions_reject_change",
        "campaign_is_new": "campaigns_record_status_on_insert",
        "campaign_moves": "campaigns_record_status_on_update",
        "affiliate_campaign_is_new": "affiliate_campaigns_record_status_on_insert",
        "affiliate_campaign_moves": "affiliate_campaigns_record_status_on_update",
        "tokens_changed": "tokens_advance_generation",
        "networks_changed": "networks_advance_generation",
        "calls_come": "calls_insert_keys",
        "calls_go": "calls_delete_keys",
        "calls_keep_their_keys": "calls_reject_key_update",
        "transactions_come": "transactions_check_references",
        "events_come": "events_check_references",
        "audit_come": "audit_check_references",
        "parties_stay": "parties_restrict_delete",
        "campaigns_stay": "campaigns_restrict_delete",
        "terms_stay": "terms_restrict_delete",
        "networks_stay": "networks_restrict_delete"
    }';
    functions OID[] := ARRAY[
        CAST('reject_append_only_change()' AS regprocedure),
        CAST('advance_credential_generation()' AS regprocedure),
        CAST('insert_call_keys()' AS regprocedure),
        CAST('delete_call_keys()' AS regprocedure),
        CAST('reject_call_key_update()' AS regprocedure),
        CAST('check_transaction_references()' AS regprocedure),
        CAST('check_network_references()' AS regprocedure),
        CAST('restrict_delete_referenced_by_calls()' AS regprocedure),
        CAST('record_statuses()' AS regprocedure)];
    with_parent BOOLEAN;
    renamed RECORD;
BEGIN
    FOREACH with_parent IN ARRAY ARRAY[FALSE, TRUE] LOOP
        FOR renamed IN SELECT tgrelid, tgname, names ->> CAST(tgname AS TEXT) AS new_name FROM pg_trigger
            WHERE tgfoid = ANY (functions) AND (tgparentid <> 0) = with_parent
            AND names ->> CAST(tgname AS TEXT) IS NOT NULL
            ORDER BY tgrelid, tgname
        LOOP
            EXECUTE format('ALTER TRIGGER %I ON %s RENAME TO %I',
                renamed.tgname, CAST(renamed.tgrelid AS regclass), renamed.new_name);
        END LOOP;
    END LOOP;
END $$;
