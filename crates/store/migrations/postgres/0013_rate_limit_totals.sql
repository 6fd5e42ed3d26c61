-- A row is the total that a credential consumed on all servers, in nanoseconds of its rate limit. It was a point in
-- time, which depended on the clock of the server that wrote it. A server of an older version cannot write its
-- reports any more, and decides by its own buckets.
DELETE FROM rate_limits;
ALTER TABLE rate_limits RENAME COLUMN until TO consumed;
