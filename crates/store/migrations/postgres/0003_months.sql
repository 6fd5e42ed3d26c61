-- Calls and the ledger, in a partition for each calendar month (UTC) of when calls started. What came
-- before 2010 is in one partition, what comes from 2040 on in another, so that no one's odd times make
-- partitions without end. A month is made by whoever writes its first call.

-- What tells calls apart, whatever their months: these are unique, and a call's month is found by them.
CREATE TABLE call_keys (
    call_id BIGINT PRIMARY KEY,
    network_id BIGINT NOT NULL,
    start_time BIGINT NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    complete_call_id TEXT COLLATE "C" NOT NULL UNIQUE,
    UNIQUE (network_id, external_id)
);

-- The first millisecond of a moment's partition, and the first after it.
CREATE FUNCTION month_start(moment BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment < 1262304000000 THEN -9223372036854775808
        WHEN moment >= 2208988800000 THEN 2208988800000
        ELSE CAST(EXTRACT(EPOCH FROM date_trunc('month',
            to_timestamp(moment / 1000) AT TIME ZONE 'UTC')) AS BIGINT) * 1000 END
$$;
CREATE FUNCTION month_end(moment BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment < 1262304000000 THEN 1262304000000
        WHEN moment >= 2208988800000 THEN 9223372036854775807
        ELSE CAST(EXTRACT(EPOCH FROM date_trunc('month',
            to_timestamp(moment / 1000) AT TIME ZONE 'UTC') + INTERVAL '1 month') AS BIGINT) * 1000 END
$$;

-- What a moment's partitions are called, behind calls_ and transactions_.
CREATE FUNCTION month_name(moment BIGINT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment < 1262304000000 THEN 'before_2010'
        WHEN moment >= 2208988800000 THEN 'from_2040'
        ELSE to_char(to_timestamp(moment / 1000) AT TIME ZONE 'UTC', 'YYYY_MM') END
$$;

-- Makes the partitions of a moment's month, unless they are there: from when on they hold calls, before
-- when, and whether they are new. A table that is made by itself and attached leaves readers alone. What
-- refers to calls and to the ledger's rows by id alone does so within the month.
CREATE FUNCTION make_month(moment BIGINT, OUT since BIGINT, OUT before BIGINT, OUT made BOOLEAN)
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
        PRIMARY KEY (id), FOREIGN KEY (call_id) REFERENCES %2$I (id),
        FOREIGN KEY (corrects_id) REFERENCES %1$I (id))', 'transactions_' || month, 'calls_' || month);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (corrects_id) WHERE corrects_id IS NOT NULL',
        'corrections_' || month, 'transactions_' || month);
    EXECUTE format('ALTER TABLE transactions ATTACH PARTITION %I FOR VALUES %s',
        'transactions_' || month, bounds);
END $$;

-- Everything moves, with its ids, to tables with the same columns, indexes and references.
DO $$
DECLARE
    it TEXT;
    last BIGINT;
    called BOOLEAN;
    again TEXT[] := ARRAY[]::TEXT[];
BEGIN
    ALTER TABLE live_calls DROP CONSTRAINT live_calls_call_id_fkey;
    ALTER TABLE call_events DROP CONSTRAINT call_events_call_id_fkey;
    FOREACH it IN ARRAY ARRAY['calls', 'transactions'] LOOP
        again := again || ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index
            WHERE indrelid = CAST(it AS regclass) AND NOT indisunique ORDER BY indexrelid);
        again := again || ARRAY(SELECT format('ALTER TABLE %I ADD %s', it, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE conrelid = CAST(it AS regclass) AND contype = 'f'
            AND confrelid NOT IN (CAST('calls' AS regclass), CAST('transactions' AS regclass))
            ORDER BY oid);
    END LOOP;
    FOREACH it IN ARRAY ARRAY['calls', 'transactions'] LOOP
        EXECUTE format('SELECT last_value, is_called FROM %I', it || '_id_seq') INTO last, called;
        EXECUTE format('ALTER TABLE %I ALTER id DROP IDENTITY', it);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', it, it || '_whole');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
            PARTITION BY RANGE (start_time)', it, it || '_whole');
        EXECUTE format('ALTER TABLE %I ALTER id ADD GENERATED BY DEFAULT AS IDENTITY', it);
        PERFORM setval(CAST(it || '_id_seq' AS regclass), last, called);
    END LOOP;
    PERFORM make_month(moment) FROM (
        SELECT DISTINCT month_start(start_time) AS moment FROM calls_whole) months;
    INSERT INTO calls SELECT * FROM calls_whole ORDER BY id;
    INSERT INTO call_keys SELECT id, network_id, start_time, external_id, complete_call_id
        FROM calls_whole ORDER BY id;
    INSERT INTO transactions SELECT * FROM transactions_whole ORDER BY id;
    DROP TABLE transactions_whole;
    DROP TABLE calls_whole;
    FOREACH it IN ARRAY again LOOP
        EXECUTE it;
    END LOOP;
    ALTER TABLE live_calls ADD FOREIGN KEY (call_id) REFERENCES call_keys (call_id);
    ALTER TABLE call_events ADD FOREIGN KEY (call_id) REFERENCES call_keys (call_id);
END $$;

CREATE TRIGGER transactions_stay BEFORE UPDATE OR DELETE ON transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Keys come and go with calls, and never change.
CREATE FUNCTION keep_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO call_keys (call_id, network_id, start_time, external_id, complete_call_id)
    SELECT id, network_id, start_time, external_id, complete_call_id FROM new_calls;
    RETURN NULL;
END $$;
CREATE FUNCTION drop_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM call_keys USING old_calls WHERE call_keys.call_id = old_calls.id;
    RETURN NULL;
END $$;
CREATE FUNCTION refuse_other_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a call is known by stays';
END $$;
CREATE TRIGGER calls_come AFTER INSERT ON calls REFERENCING NEW TABLE AS new_calls
    FOR EACH STATEMENT EXECUTE FUNCTION keep_keys();
CREATE TRIGGER calls_go AFTER DELETE ON calls REFERENCING OLD TABLE AS old_calls
    FOR EACH STATEMENT EXECUTE FUNCTION drop_keys();
CREATE TRIGGER calls_keep_their_keys
    BEFORE UPDATE OF id, network_id, start_time, external_id, complete_call_id ON calls
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_other_keys();
