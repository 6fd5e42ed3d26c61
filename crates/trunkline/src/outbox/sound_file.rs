//! Sound that is being written to a file: its size, digest and duration.

use ring::digest::{Context, SHA256};
use std::io::{self, Write};
use tempfile::NamedTempFile;
use trunkline_network::StoredSound;

/// Bytes of the head of a file that are kept to find its duration.
const HEAD_BYTES: usize = 512;

/// Tests if a media type, in lower case and without parameters, is one of sounds.
pub(super) fn is_audio(media_type: &str) -> bool {
    let subtype = media_type.strip_prefix("audio/").unwrap_or_default();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte);
    !subtype.is_empty() && subtype.len() <= 100 && subtype.bytes().all(is_token)
}

/// Sound that is being written to a file.
pub(super) struct SoundFile {
    file: NamedTempFile,
    /// Bytes written so far.
    pub(super) bytes: u64,
    head: Vec<u8>,
    digest: Context,
}

impl SoundFile {
    pub(super) fn new(file: NamedTempFile) -> Self {
        Self { file, bytes: 0, head: Vec::new(), digest: Context::new(&SHA256) }
    }

    /// Appends bytes.
    pub(super) fn write(mut self, data: &[u8]) -> io::Result<Self> {
        self.file.write_all(data)?;
        self.digest.update(data);
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend_from_slice(&data[..missing.min(data.len())]);
        self.bytes += data.len() as u64;
        Ok(self)
    }

    /// Returns the description of the sound, and its file.
    pub(super) fn finish(self, media_type: String) -> (StoredSound, NamedTempFile) {
        let Self { file, bytes, head, digest } = self;
        let digest = digest.finish();
        let sha256 = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let seconds = wav_seconds(&head, bytes);
        (StoredSound { media_type, sha256, bytes, seconds }, file)
    }
}

/// Returns the duration of a WAV file in whole seconds, from its head and its size. `None` for other
/// formats.
fn wav_seconds(head: &[u8], bytes: u64) -> Option<u32> {
    if head.get(..4)? != b"RIFF" || head.get(8..12)? != b"WAVE" {
        return None;
    }
    let number = |at: usize| -> Option<u32> {
        let bytes = head.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let mut bytes_per_second = None;
    let mut at = 12;
    loop {
        let length = number(at + 4)?;
        match head.get(at..at + 4)? {
            b"fmt " => bytes_per_second = number(at + 16).filter(|rate| *rate > 0),
            b"data" => {
                // A stream may give no length, or a wrong one.
                let rest = bytes.saturating_sub(at as u64 + 8);
                let seconds = u64::from(length).min(rest) / u64::from(bytes_per_second?);
                return u32::try_from(seconds).ok();
            }
            _ => {}
        }
        // Chunks begin at even positions.
        at = at
            .checked_add(8)?
            .checked_add(usize::try_from(length).ok()?)?
            .checked_add(length as usize % 2)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(rate: u32, data_bytes: u32) -> Vec<u8> {
        let mut head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        head.extend(8_000_u32.to_le_bytes());
        head.extend(rate.to_le_bytes());
        head.extend(b"\x02\0\x10\0data");
        head.extend(data_bytes.to_le_bytes());
        head
    }

    #[test]
    fn duration_of_a_wav_file_is_read_from_its_head() {
        let total = |data: u64| 44 + data;
        assert_eq!(wav_seconds(&wav(16_000, 160_000), total(160_000)), Some(10));
        assert_eq!(wav_seconds(&wav(16_000, u32::MAX), total(32_000)), Some(2));
        assert_eq!(wav_seconds(&wav(0, 160_000), total(160_000)), None);
        assert_eq!(wav_seconds(b"ID3", 1_000), None);
        for end in 0..44 {
            assert_eq!(wav_seconds(&wav(16_000, 160_000)[..end], 44), None, "{end}");
        }
    }

    #[test]
    fn only_sounds_are_audio() {
        for (media_type, expected) in [
            ("audio/mpeg", true),
            ("audio/x-wav", true),
            ("audio/", false),
            ("video/mp4", false),
            ("text/html", false),
            ("audio/mpeg\r\nx: y", false),
            ("", false),
        ] {
            assert_eq!(is_audio(media_type), expected, "{media_type:?}");
        }
    }
}
