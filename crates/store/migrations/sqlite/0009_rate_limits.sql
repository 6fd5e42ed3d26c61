-- When a credential that asks for much will have its whole allowance again, in nanoseconds from 1970:
-- what it asked all servers for together. `credential` is `token:<id>` or `user:<id>`.
CREATE TABLE rate_limits (
    credential TEXT NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) WITHOUT ROWID;
