//! Caller ids: phone numbers, and texts of callers who are not known.

use super::PhoneNumber;

/// Caller id as a telephony system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerId {
    /// Phone number of the caller.
    Number(PhoneNumber),
    /// Text that is no phone number of a caller: `anonymous`, a short code, a keypad word. The
    /// caller is not known.
    Text(String),
}

impl CallerId {
    /// Parses a caller id. Returns `None` if the text is blank, which is a withheld number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let number = PhoneNumber::parse(text).filter(|number| !number.is_placeholder());
        Some(number.map_or_else(|| Self::Text(text.to_owned()), Self::Number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_callers_are_parsed() {
        for (text, e164) in [
            ("8057089876", "+18057089876"),
            ("tel:+1-805-708-9876", "+18057089876"),
            ("00442071838750", "+442071838750"),
            // Ten digits of New Jersey that resemble the keypad word of UNKNOWN.
            ("8566696687", "+18566696687"),
        ] {
            let number = PhoneNumber::parse(e164).unwrap();
            assert_eq!(CallerId::parse(text), Some(CallerId::Number(number)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_callers_who_are_not_known() {
        for text in [
            "anonymous",
            "Restricted",
            "unavailable",
            "unknown",
            "private",
            "blocked",
            "withheld",
            "sip:anonymous@anonymous.invalid",
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
            "266696687",
            "+266696687",
            "+1266696687",
            "7378742833",
            "+7378742833",
            "+17378742833",
            "8656696",
            "+8656696",
            "+18656696",
            "2562533",
            "+12562533",
            "86282452253",
            "+86282452253",
            "+186282452253",
            "7748248",
            "+17748248",
            "0000000000",
            "5555555555",
            "911",
            "32665",
            "5550123",
            "+",
            "-",
            "?",
        ] {
            assert_eq!(CallerId::parse(text), Some(CallerId::Text(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn blank_text_is_a_withheld_number() {
        assert_eq!(CallerId::parse(""), None);
        assert_eq!(CallerId::parse(" \n"), None);
    }
}
