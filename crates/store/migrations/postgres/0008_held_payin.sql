-- A live call holds the most that its terms can pay until it ends, so that an enforced budget of the payin is
-- never exceeded.
ALTER TABLE live_calls ADD COLUMN start_time BIGINT NOT NULL DEFAULT 0;
ALTER TABLE live_calls ADD COLUMN held_currency TEXT;
ALTER TABLE live_calls ADD COLUMN held BIGINT NOT NULL DEFAULT 0;

UPDATE live_calls l SET start_time = y.start_time FROM call_keys y WHERE y.call_id = l.call_id;
UPDATE live_calls l SET
    held_currency = CAST(t.body AS JSON) #>> '{advertiser_payin,policies,0,currency}',
    held = COALESCE((
        SELECT SUM(CAST(ROUND(CAST(p.value ->> 'amount' AS NUMERIC) * 100) AS BIGINT))
        FROM json_array_elements(
            CASE json_typeof(CAST(t.body AS JSON) #> '{advertiser_payin,policies}')
            WHEN 'array' THEN CAST(t.body AS JSON) #> '{advertiser_payin,policies}'
            ELSE CAST('[]' AS JSON) END) p), 0)
FROM calls c JOIN terms t ON t.id = c.terms_id
WHERE c.id = l.call_id AND c.start_time = l.start_time;
