-- Day on which a token was last used, as YYYY-MM-DD in the time zone of its network. A table of its own, because a change
-- of `tokens` outdates the cached credentials of all servers.
CREATE TABLE token_uses (
    token_id BIGINT PRIMARY KEY REFERENCES tokens (id) ON DELETE CASCADE,
    day TEXT NOT NULL
);
