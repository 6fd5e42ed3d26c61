//! VerifyLocation node: the caller confirms the location of the calling number, or enters a postal
//! code.

use super::Tracer;
use super::event::{Action, Event};
use super::position::{LocationCheck, NodeState};
use super::run::{IvrRun, UnexpectedEvent};
use crate::call::{Location, ZipCode};
use crate::region::find_state;

/// Number of digits of a zip code.
const ZIP_CODE_DIGITS: u32 = 5;
/// Key that confirms the location.
pub const CONFIRMATION_KEY: char = '1';
/// Key that ends the input.
const FINISH_KEY: char = '#';
/// Number of unanswered or wrongly answered questions after which the call
/// continues with the first child.
const MAX_SILENCES: u8 = 2;

impl<'a, T: Tracer> IvrRun<'a, T> {
    /// Returns true if the location was neither reported nor verified during the call. By the
    /// earlier rules ([`crate::call::CallFacts::derived_locations`]) only an unknown region was
    /// asked for.
    pub(super) fn needs_location_check(&self) -> bool {
        let facts = self.context.facts;
        if facts.derived_locations.is_none() {
            return self.evaluation_context(None).region().is_none();
        }
        let position = &self.position;
        !(facts.reports_location() || position.zip.is_some() || position.location_confirmed)
    }

    /// Asks for the location.
    pub(super) fn start_location_check(&mut self, prompt: &'a str) {
        if self.context.facts.derived_locations.is_none() {
            self.play(prompt);
            return self.wait_for_keys(NodeState::ZipCodeEntry, ZIP_CODE_DIGITS, None);
        }
        let has_guess = self.evaluation_context(None).region().is_some();
        self.ask_location(LocationCheck { has_guess, silences: 0 });
    }

    fn ask_location(&mut self, check: LocationCheck) {
        let prompt = self.node.map_or("", |node| node.kind.prompt());
        if prompt.trim().is_empty() {
            let guess = self
                .context
                .facts
                .caller_location(self.location)
                .region
                .filter(|_| check.has_guess);
            self.tracer.on_action(|| Action::Say(default_question(guess)));
        } else {
            self.play(prompt);
        }
        let finish = check.has_guess.then_some(FINISH_KEY);
        self.wait_for_keys(NodeState::LocationCheck(check), ZIP_CODE_DIGITS, finish);
    }

    /// Handles an answer. After a confirmation or an assigned postal code the call continues with the
    /// first child; anything else counts as a silence.
    pub(super) fn handle_location_answer(
        &mut self,
        check: LocationCheck,
        event: &Event,
    ) -> Result<(), UnexpectedEvent> {
        let mut buffer = [0; 4];
        let input = match event {
            Event::Silence => "",
            Event::Key(key) => key.encode_utf8(&mut buffer),
            Event::Zip(input) | Event::Digits(input) => {
                let input = input.trim();
                input.strip_suffix(FINISH_KEY).unwrap_or(input)
            }
            _ => return Err(UnexpectedEvent),
        };
        if check.has_guess && input.parse() == Ok(CONFIRMATION_KEY) {
            self.position.location_confirmed = true;
            self.enter_child(0);
        } else if let Some((zip, location)) = assigned_zip_code(input) {
            self.location = Some(location);
            self.position.zip = Some(zip);
            self.enter_child(0);
        } else if check.silences + 1 < MAX_SILENCES {
            self.ask_location(LocationCheck { silences: check.silences + 1, ..check });
        } else {
            self.enter_child(0);
        }
        Ok(())
    }

    /// Handles a zip code by the earlier rules: a valid code is stored, an invalid one is ignored, and
    /// the call continues with the first child in both cases.
    pub(super) fn handle_early_zip_code(&mut self, code: &str) {
        if let Some(zip) = ZipCode::parse(code) {
            self.location = zip.location();
            self.position.zip = Some(zip);
        }
        self.enter_child(0);
    }
}

/// Returns the question of a node without a prompt. `guess` is the region to confirm.
fn default_question(guess: Option<&str>) -> String {
    let Some(region) = guess else { return "Please enter your zip code.".to_owned() };
    let name = find_state(region).map_or(region, |state| state.name);
    format!(
        "You seem to call from {name}. If that is right, press {CONFIRMATION_KEY} and the pound key. \
         Otherwise, enter your zip code."
    )
}

/// Parses a postal code that is assigned to a place.
fn assigned_zip_code(text: &str) -> Option<(ZipCode, Location)> {
    let zip = ZipCode::parse(text)?;
    let location = zip.location()?;
    Some((zip, location))
}
