-- Number of calls with a known duration: the mean duration is over these.
ALTER TABLE call_quarters ADD COLUMN timed_calls INTEGER NOT NULL DEFAULT 0;
UPDATE call_quarters SET timed_calls = (
    SELECT COUNT(*) FROM calls c WHERE c.campaign_id = call_quarters.campaign_id
    AND c.start_time >= call_quarters.quarter * 900000 AND c.start_time < (call_quarters.quarter + 1) * 900000
    AND c.ended_at IS NOT NULL
    AND json_extract(COALESCE((
        SELECT json_extract(t.body, '$.correction.heard') FROM transactions t WHERE t.call_id = c.id
        ORDER BY t.id DESC LIMIT 1
    ), c.body), '$.facts.duration') IS NOT NULL
);
