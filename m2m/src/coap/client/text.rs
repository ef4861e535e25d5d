//! Text of peers, made fit to be shown.

use std::borrow::Cow;

/// Nothing in it moves the cursor or changes colours.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(printable("a\u{1b}[2J\u{85}é\n"), "a\\u{1b}[2J\\u{85}é\\n");
        assert!(matches!(printable("plain é"), Cow::Borrowed(_)));
    }
}
