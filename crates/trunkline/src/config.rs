//! What a server is told: flags win over environment over `trunkline.toml`.
