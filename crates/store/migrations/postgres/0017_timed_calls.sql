-- Number of calls with a known duration: the mean duration is over these.
ALTER TABLE call_quarters ADD COLUMN timed_calls BIGINT NOT NULL DEFAULT 0;
UPDATE call_quarters q SET timed_calls = n.timed_calls FROM (
    SELECT c.campaign_id, c.start_time / 900000 AS quarter, COUNT(*) AS timed_calls FROM calls c
    WHERE c.ended_at IS NOT NULL
    AND (CAST(COALESCE((
        SELECT CAST(t.body AS json) #>> '{correction,heard}' FROM transactions t
        WHERE t.call_id = c.id AND t.start_time = c.start_time ORDER BY t.id DESC LIMIT 1
    ), c.body) AS json) #>> '{facts,duration}') IS NOT NULL
    GROUP BY 1, 2
) n WHERE n.campaign_id = q.campaign_id AND n.quarter = q.quarter;
