-- `at` is the network's time, which a sandbox may set; `stored_at` is the system's, by which events are
-- kept for so long.
ALTER TABLE events ADD COLUMN stored_at INTEGER NOT NULL DEFAULT 0;
UPDATE events SET stored_at = CASE
    WHEN (SELECT sandbox FROM networks WHERE id = events.network_id) = 1
    THEN CAST(strftime('%s', 'now') AS INTEGER) * 1000 ELSE at END;
DROP INDEX events_by_age;
CREATE INDEX events_by_age ON events (stored_at);
