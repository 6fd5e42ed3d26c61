//! Condition that is timed, and the calls that it is evaluated for.

use trunkline_domain::call::{CallFacts, EvaluationContext, IvrFacts};
use trunkline_domain::campaign::Terms;
use trunkline_domain::condition::{Condition, Facts, Key, MenuInput, ParseError, TextFact};

/// Condition of `docs/conditions.md`.
pub(super) const TEXT: &str =
    "duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat";

/// Number of calls.
pub(super) const CALLS: usize = 8;

/// Call, and the expected value of the condition.
#[derive(Debug)]
pub(super) struct Call {
    facts: CallFacts,
    pressed: [Key; 2],
    pub(super) plain: Plain,
    pub(super) expected: bool,
}

/// Facts of a call in primitive types.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain {
    pub(super) duration: u32,
    pub(super) region: &'static str,
    pub(super) keys: [u8; 2],
    pub(super) repeat: bool,
}

/// Precomputed values of the condition's terms; only the comparison of the duration is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers {
    pub(super) duration: u32,
    pub(super) west_coast: bool,
    pub(super) pressed: bool,
    pub(super) repeat: bool,
}

impl Plain {
    pub(super) fn answers(self) -> Answers {
        let Self { duration, region, keys, repeat } = self;
        let west_coast = ["CA", "OR", "WA"].contains(&region);
        Answers { duration, west_coast, pressed: keys == [1, 2], repeat }
    }
}

impl Facts for Answers {
    fn duration(&self) -> Option<u32> {
        Some(self.duration)
    }
    fn connect_duration(&self) -> Option<u32> {
        None
    }
    fn repeat(&self) -> Option<bool> {
        Some(self.repeat)
    }
    fn mobile(&self) -> Option<bool> {
        None
    }
    fn landline(&self) -> Option<bool> {
        None
    }
    fn sms_sent(&self) -> Option<bool> {
        None
    }
    fn during_hours(&self) -> Option<bool> {
        None
    }
    fn in_region(&self, _: Option<&str>) -> Option<bool> {
        Some(self.west_coast)
    }
    fn pressed(&self, level: u8) -> Option<MenuInput> {
        let key = if self.pressed { level + 1 } else { 9 };
        Some(MenuInput::Key(Key::Digit(key)))
    }
    fn text(&self, _: &TextFact) -> Option<Option<&str>> {
        None
    }
}

impl Call {
    fn new(
        duration: u32,
        region: &'static str,
        keys: [u8; 2],
        repeat: bool,
        expected: bool,
    ) -> Self {
        let facts = CallFacts {
            duration: Some(duration),
            country: Some("US".to_owned()),
            region: Some(region.to_owned()),
            repeat: Some(repeat),
            ..CallFacts::default()
        };
        let plain = Plain { duration, region, keys, repeat };
        Self { facts, pressed: keys.map(Key::Digit), plain, expected }
    }

    pub(super) fn known<'a>(&'a self, terms: &'a Terms) -> EvaluationContext<'a> {
        let way =
            IvrFacts { pressed_keys: &self.pressed, connected: Some(true), ..IvrFacts::default() };
        EvaluationContext { facts: &self.facts, terms, ivr_facts: way }
    }
}

pub(super) fn condition() -> Result<Condition, ParseError> {
    Condition::parse(TEXT)
}

/// Calls of each kind: region matches, keys match, too short, repeat caller, nothing matches. Their number
/// is a power of two, so that selecting the next call is cheap.
pub(super) fn calls() -> [Call; CALLS] {
    [
        Call::new(120, "CA", [1, 1], false, true),
        Call::new(120, "NY", [1, 2], false, true),
        Call::new(60, "WA", [1, 2], false, false),
        Call::new(120, "WA", [2, 2], true, false),
        Call::new(120, "TX", [2, 2], false, false),
        Call::new(300, "OR", [3, 1], false, true),
        Call::new(120, "NJ", [1, 2], false, true),
        Call::new(20, "CA", [1, 1], false, false),
    ]
}
