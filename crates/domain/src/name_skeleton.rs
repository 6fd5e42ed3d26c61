//! Skeletons of names: names with equal skeletons look alike.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// Maximum number of characters of a skeleton, which bounds the size of an index entry.
const MAX_SKELETON_CHARS: usize = 250;

/// Returns the skeleton of a name. It does not change with the normalization form, the case, the width of
/// characters, the amount of white space, invisible characters, and characters that look like others
/// (UTS 39). `i`, `l`, `1` and `I` are one character.
///
/// Confusable characters are replaced before the case is folded, because a capital and its small letter
/// resemble different letters (`В` and `в`), and after it, for the folded letters.
pub fn name_skeleton(name: &str) -> String {
    let compatible: String = name.nfkc().collect();
    let folded = skeleton(&compatible).collect::<String>().to_uppercase().to_lowercase();
    let replaced: String = skeleton(&folded)
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'i' => 'l',
            blank if is_blank(blank) => ' ',
            other => other,
        })
        .collect();
    let words: Vec<&str> = replaced.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_SKELETON_CHARS).collect()
}

/// Returns true for white space and for characters that are rendered as a blank. Invisible characters of
/// no width, and the Hangul fillers, are removed by [`skeleton`].
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn look_alikes_have_equal_skeletons() {
        for (name, look_alike) in [
            ("Café Olé", "Cafe\u{301} Ole\u{301}"),
            ("Surf Oz", "Surf Oz "),
            ("Surf Oz", " Surf Oz"),
            ("Surf Oz", "Surf  Oz"),
            ("Surf Oz", "Surf\u{a0}Oz"),
            ("Surf Oz", "Surf\u{2003}Oz"),
            ("Surf Oz", "Surf\tOz"),
            ("Surf Oz", "Surf\u{2800}Oz"),
            ("Surf Oz", "Surf\u{200b} Oz"),
            ("Surf Oz", "Su\u{200d}rf Oz"),
            ("Surf Oz", "\u{feff}Surf Oz"),
            ("Surf Oz", "Surf\u{2060} Oz\u{fe0f}"),
            ("Surf Oz", "Su\u{ad}rf Oz"),
            ("Surf Oz", "\u{202e}Surf Oz\u{202c}"),
            ("Surf Oz", "Ｓｕｒｆ Ｏｚ"),
            ("Surf Oz", "SURF  OZ"),
            ("Surf Oz", "Surf 0z"),
            ("Surf Oz", "Surf \u{41e}z"),
            ("Bank", "\u{412}ank"),
            ("Paypal", "\u{420}aypal"),
            ("Paypal", "P\u{430}yp\u{430}l"),
            ("Paypal", "PayPaI"),
            ("Paypal", "Paypa1"),
            ("MAIL", "mail "),
            ("Straße", "STRASSE"),
            ("Modern", "Modem"),
            ("ﬁrst", "FIRST"),
            ("In-Call", "In\u{2010}Call"),
        ] {
            assert_eq!(name_skeleton(name), name_skeleton(look_alike), "{name} and {look_alike:?}");
        }
    }

    #[test]
    fn different_names_have_different_skeletons() {
        let names = [
            "Surf Oz",
            "Surf",
            "Oz Surf",
            "SurfOz",
            "Surf Oz 2",
            "Surf Oz 3",
            "Cafe",
            "Café",
            "中文",
            "日本",
        ];
        let skeletons: std::collections::HashSet<_> = names.map(name_skeleton).into();
        assert_eq!(skeletons.len(), names.len());
    }

    proptest! {
        #[test]
        fn skeleton_ignores_case_and_normalization_form(name in "\\PC{0,30}") {
            let expected = name_skeleton(&name);
            prop_assert_eq!(&name_skeleton(&name.nfd().collect::<String>()), &expected);
            prop_assert_eq!(&name_skeleton(&name.nfc().collect::<String>()), &expected);
            prop_assert!(expected.chars().count() <= MAX_SKELETON_CHARS);
        }
    }
}
