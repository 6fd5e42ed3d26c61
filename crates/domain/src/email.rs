//! Validation of e-mail addresses.

/// Maximum length of an address, in characters (RFC 5321, 4.5.3.1.3, without the angle brackets of
/// a path).
const MAX_ADDRESS_CHARS: usize = 254;
/// Maximum length of the local part, in characters (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART_CHARS: usize = 64;

/// Returns true if a text is an `addr-spec` of RFC 2822, 3.4.1: `local@domain`, at most 254
/// characters, of which at most 64 are before the `@`.
///
/// The local part is a dot-atom or a quoted string. The domain is a dot-atom (of one label or more)
/// or a domain literal in brackets. Comments, white space outside quotes, obsolete forms and control
/// characters are not accepted: they occur in practice only by mistake, and control characters
/// allow header injection.
pub fn is_addr_spec(text: &str) -> bool {
    if text.len() > MAX_ADDRESS_CHARS || !text.is_ascii() {
        return false;
    }
    let Some((local, domain)) = split_address(text) else {
        return false;
    };
    let is_local_valid = is_dot_atom(local) || is_quoted_string(local);
    let is_domain_valid = is_dot_atom(domain) || is_domain_literal(domain);
    local.len() <= MAX_LOCAL_PART_CHARS && is_local_valid && is_domain_valid
}

/// Splits an address at the first `@` outside quotes.
fn split_address(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    let is_separator = |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            other => return other == '@' && !quoted,
        }
        false
    };
    text.split_once(is_separator)
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_quoted_string(text: &str) -> bool {
    let Some(content) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut bytes = content.bytes();
    while let Some(byte) = bytes.next() {
        let is_valid = match byte {
            b'\\' => bytes.next().is_some_and(is_printable),
            b'"' => false,
            other => is_printable(other),
        };
        if !is_valid {
            return false;
        }
    }
    true
}

fn is_domain_literal(text: &str) -> bool {
    let content = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    content.is_some_and(|content| {
        let is_dtext = |byte: u8| byte.is_ascii_graphic() && !b"[]\\".contains(&byte);
        !content.is_empty() && content.bytes().all(is_dtext)
    })
}

/// Returns true for a visible character, a space and a tab.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addr_spec_grammar_is_enforced() {
        for text in [
            "user@example.com",
            "first.last+tag@mail.example.co.uk",
            "o'brien@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "user@localhost",
            "user@[192.0.2.1]",
            "user@[IPv6:2001:db8::1]",
            "user@[at:a@b]",
            r#""first last"@example.com"#,
            r#""a@b"@example.com"#,
            r#""quote \" and \\"@example.com"#,
            r#"""@example.com"#,
            r#""\"@"@[x:"@"]"#,
            "1@2",
        ] {
            assert!(is_addr_spec(text), "{text}");
        }
        for text in [
            "",
            "@",
            "user",
            "user@",
            "@example.com",
            "[email protected]",
            "a@b@example.com",
            ".user@example.com",
            "user.@example.com",
            "us..er@example.com",
            "user@example..com",
            "user@.example.com",
            "user@example.com.",
            "us er@example.com",
            " user@example.com",
            "user@example.com ",
            "user@example.com\n",
            "user@exam ple.com",
            "user(comment)@example.com",
            "User <user@example.com>",
            "a@example.com,b@example.com",
            "a@example.com;b@example.com",
            r#""user@example.com"#,
            r#"""user"@example.com"#,
            r#""user\"@example.com"#,
            r#""us"er@example.com"#,
            "\"us\ner\"@example.com",
            "\"us\\\ner\"@example.com",
            "\"us\0er\"@example.com",
            "\"@example.com",
            "user@[]",
            "user@[192.0.2.1",
            "user@[192 0]",
            "user@[a]b]",
            "user@[a[b]",
            "user@exämple.com",
            "üser@example.com",
        ] {
            assert!(!is_addr_spec(text), "{text:?}");
        }
    }

    #[test]
    fn length_limits_are_enforced() {
        let local = |count: usize| format!("{}@example.com", "a".repeat(count));
        assert!(is_addr_spec(&local(64)) && !is_addr_spec(&local(65)));
        let whole = |count: usize| format!("a@{}", "b".repeat(count - 2));
        assert!(is_addr_spec(&whole(254)) && !is_addr_spec(&whole(255)));
    }

    proptest! {
        #[test]
        fn dot_atoms_are_accepted(
            local in "[a-z0-9+_-]{1,10}(\\.[a-z0-9]{1,10}){0,3}",
            domain in "[a-z0-9-]{1,10}(\\.[a-z0-9]{1,10}){0,3}",
        ) {
            let address = format!("{local}@{domain}");
            prop_assert!(is_addr_spec(&address));
        }

        #[test]
        fn validation_never_panics(text in "\\PC{0,40}|[\"\\\\@a.\\[\\]]{0,12}") {
            is_addr_spec(&text);
        }
    }
}
