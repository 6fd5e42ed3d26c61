//! Secrets of credentials: generation and hashing. Only hashes are stored.

use sha2::{Digest, Sha256};

/// 32 random bytes. The calling code draws them, because only the binary has a random source.
pub type Entropy = [u8; 32];

/// Returns the text of a new secret: a prefix and hexadecimal digits.
pub(crate) fn generate_secret(prefix: &str, entropy: &Entropy) -> String {
    let digits = entropy.iter().map(|byte| format!("{byte:02x}"));
    format!("{prefix}{}", digits.collect::<String>())
}

/// Hashes a secret for storage and lookup (SHA-256). Secrets are 256 random bits, so a fast hash is
/// enough, and the time of a lookup by hash reveals nothing about stored secrets.
pub(crate) fn hash_secret(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
