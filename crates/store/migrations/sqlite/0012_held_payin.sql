-- A live call holds the most that its terms can pay until it ends, so that an enforced budget of the payin is
-- never exceeded.
ALTER TABLE live_calls ADD COLUMN start_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live_calls ADD COLUMN held_currency TEXT;
ALTER TABLE live_calls ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

UPDATE live_calls SET start_time = (SELECT c.start_time FROM calls c WHERE c.id = live_calls.call_id);
UPDATE live_calls SET
    held_currency = (
        SELECT t.body ->> '$.advertiser_payin.policies[0].currency'
        FROM calls c JOIN terms t ON t.id = c.terms_id WHERE c.id = live_calls.call_id),
    held = COALESCE((
        SELECT SUM(CAST(ROUND(CAST(p.value ->> '$.amount' AS REAL) * 100) AS INTEGER))
        FROM calls c JOIN terms t ON t.id = c.terms_id,
            json_each(t.body, '$.advertiser_payin.policies') p
        WHERE c.id = live_calls.call_id), 0);
