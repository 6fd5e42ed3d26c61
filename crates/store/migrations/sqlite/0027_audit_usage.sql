-- Bytes of the audit log that the credentials of a tenant wrote in its current day. A write that exceeds the
-- limit violates the constraint, so the check needs no query.
CREATE TABLE audit_usage (
    network_id INTEGER NOT NULL REFERENCES networks (id),
    -- `network`, `advertiser:<id>` or `affiliate:<id>`.
    tenant TEXT NOT NULL,
    -- End of the day, at the network's midnight, in milliseconds.
    ends_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    max_bytes INTEGER NOT NULL,
    PRIMARY KEY (network_id, tenant),
    CONSTRAINT audit_usage_limit CHECK (bytes <= max_bytes)
) STRICT, WITHOUT ROWID;
