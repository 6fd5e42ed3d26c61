-- What servers remember of credentials holds for one generation of them: whatever can change it moves the
-- generation on, in the same transaction, whoever does it. No row is generation 0.
CREATE TABLE credential_generations (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL
) STRICT;

CREATE TRIGGER tokens_changed AFTER UPDATE ON tokens BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;
CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;
CREATE TRIGGER networks_changed AFTER UPDATE ON networks BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;
CREATE TRIGGER networks_deleted AFTER DELETE ON networks BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;
