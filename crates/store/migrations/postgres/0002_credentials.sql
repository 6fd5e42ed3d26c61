-- What servers remember of credentials holds for one generation of them: whatever can change it moves the
-- generation on, in the same transaction, whoever does it. No row is generation 0.
CREATE TABLE credential_generations (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL
);

CREATE FUNCTION credentials_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO credential_generations AS known (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = known.generation + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER tokens_changed AFTER UPDATE OR DELETE ON tokens
FOR EACH ROW EXECUTE FUNCTION credentials_changed();
CREATE TRIGGER networks_changed AFTER UPDATE OR DELETE ON networks
FOR EACH ROW EXECUTE FUNCTION credentials_changed();
