-- When a credential that asks for much will have its whole allowance again, in nanoseconds from 1970:
-- what it asked all servers for together. `credential` is `token:<id>` or `user:<id>`. Rows are
-- written over and over: there is room on their pages for that.
CREATE TABLE rate_limits (
    credential TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
) WITH (fillfactor = 50);
