-- Recordings of calls: the URL as it was reported, and what is known of the sound that was fetched from it. The sound
-- is a file of the server. due_at is the next attempt to fetch it, or to delete the file of a deleted one.
CREATE TABLE recordings (
    call_id BIGINT PRIMARY KEY REFERENCES call_keys (call_id),
    network_id BIGINT NOT NULL REFERENCES networks (id),
    complete_call_id TEXT COLLATE "C" NOT NULL,
    start_time BIGINT NOT NULL,
    url TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'available', 'failed', 'deleted')),
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT,
    media_type TEXT,
    sha256 TEXT,
    bytes BIGINT,
    seconds BIGINT
);
CREATE INDEX recordings_due ON recordings (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX recordings_kept ON recordings (network_id, start_time) WHERE state = 'available';

-- Key that signs the links to a network's recordings, in hexadecimal digits.
CREATE TABLE recording_link_keys (
    network_id BIGINT PRIMARY KEY REFERENCES networks (id),
    link_key TEXT NOT NULL
);
