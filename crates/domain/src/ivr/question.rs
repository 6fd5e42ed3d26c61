//! YesOrNo and NumberQuestion: the caller answers a question, and confirms the answer if asked to.
//!
//! | state | event | next |
//! |---|---|---|
//! | `YesOrNo` | key 1, key 2 | confirmation, or the child of the answer |
//! | `NumberQuestion` | valid digits | confirmation, or the child |
//! | both | another key, invalid digits, silence | the question again; the failover child after the third |
//! | `Confirmation` | key 1 | the child of the answer |
//! | `Confirmation` | key 2 | the question again; no attempt is used up |
//! | `Confirmation` | another key, silence | the confirmation again; the failover child after the third |

use super::event::Event;
use super::position::{Attempts, NodeState};
use super::run::{IvrRun, UnexpectedEvent};
use super::{NodeKind, QuestionOptions, QuestionType, Tracer};
use crate::condition::Key;
use std::borrow::Cow;

/// Number of attempts at a question: wrong keys, invalid answers and timeouts. After the last one the
/// call continues at the failover child, or ends if there is none.
pub const MAX_QUESTION_ATTEMPTS: u8 = 3;
/// Key that confirms an answer.
pub const CONFIRMATION_KEY: char = '1';
/// Key that asks the question again.
const REPEAT_KEY: char = '2';
/// Key that ends the input of digits.
const FINISH_KEY: char = '#';
/// Text played after an invalid answer.
const ERROR_PROMPT: &str = "Sorry, that is not a valid answer.";

impl<'a, T: Tracer> IvrRun<'a, T> {
    /// Waits for the answer to the question of the current node.
    pub(super) fn wait_for_answer(&mut self, attempts: Attempts) {
        match self.node.map(|node| &node.kind) {
            Some(NodeKind::NumberQuestion { number_question_type, .. }) => {
                let keys = number_question_type.unwrap_or(QuestionType::Digits).max_keys();
                let state = NodeState::NumberQuestion(attempts);
                self.wait_for_keys(state, keys, Some(FINISH_KEY));
            }
            _ => self.wait_for_key(NodeState::YesOrNo(attempts)),
        }
    }

    /// Handles an answer, valid or not.
    pub(super) fn handle_answer(
        &mut self,
        attempts: Attempts,
        event: &Event,
    ) -> Result<(), UnexpectedEvent> {
        let input = self.read_answer(event)?;
        if input.is_empty() {
            self.handle_failed_answer(attempts.add_failure(Key::None));
            return Ok(());
        }
        match self.validate_answer(&input) {
            None => self.handle_failed_answer(attempts.add_failure(Key::Wrong)),
            Some(answer) if self.question_options().confirm_response_enabled == Some(true) => {
                self.position.unconfirmed_answer = Some(answer);
                self.ask_for_confirmation(attempts);
            }
            Some(answer) => self.accept_answer(answer),
        }
        Ok(())
    }

    /// Returns the input of an event without the finishing key; empty is a timeout.
    fn read_answer<'e>(&self, event: &'e Event) -> Result<Cow<'e, str>, UnexpectedEvent> {
        let takes_digits = matches!(self.position.state, NodeState::NumberQuestion(_));
        match event {
            Event::Silence => Ok(Cow::Borrowed("")),
            Event::Key(FINISH_KEY) if takes_digits => Ok(Cow::Borrowed("")),
            Event::Key(key) => Ok(Cow::Owned(key.to_string())),
            Event::Digits(digits) if takes_digits => {
                let digits = digits.trim();
                Ok(Cow::Borrowed(digits.strip_suffix(FINISH_KEY).unwrap_or(digits)))
            }
            _ => Err(UnexpectedEvent),
        }
    }

    /// Returns the answer in its normalized form; `None` if it is invalid.
    fn validate_answer(&self, input: &str) -> Option<String> {
        match &self.node?.kind {
            NodeKind::NumberQuestion { number_question_type, .. } => {
                number_question_type.unwrap_or(QuestionType::Digits).normalize_answer(input)
            }
            _ => matches!(input, "1" | "2").then(|| input.to_owned()),
        }
    }

    fn question_options(&self) -> &'a QuestionOptions {
        const NONE: &QuestionOptions = &QuestionOptions::NONE;
        match self.node.map(|node| &node.kind) {
            Some(NodeKind::YesOrNo { options, .. } | NodeKind::NumberQuestion { options, .. }) => {
                options
            }
            _ => NONE,
        }
    }

    fn ask_for_confirmation(&mut self, attempts: Attempts) {
        let answer = self.position.unconfirmed_answer.as_deref().unwrap_or_default();
        let answer = match self.node.map(|node| &node.kind) {
            Some(NodeKind::YesOrNo { .. }) if answer == "1" => "yes",
            Some(NodeKind::YesOrNo { .. }) => "no",
            _ => answer,
        };
        let question = format!(
            "Your answer is {answer}. If that is right, press {CONFIRMATION_KEY}. To answer again, \
             press {REPEAT_KEY}."
        );
        self.play(&question);
        self.wait_for_key(NodeState::Confirmation(attempts));
    }

    /// Handles the answer to the request for a confirmation.
    pub(super) fn handle_confirmation(
        &mut self,
        attempts: Attempts,
        event: &Event,
    ) -> Result<(), UnexpectedEvent> {
        match event {
            Event::Key(CONFIRMATION_KEY) => {
                let answer = self.position.unconfirmed_answer.take().unwrap_or_default();
                self.accept_answer(answer);
            }
            Event::Key(REPEAT_KEY) => {
                self.position.unconfirmed_answer = None;
                self.repeat_question(attempts);
            }
            Event::Key(_) | Event::Silence => {
                let key = if *event == Event::Silence { Key::None } else { Key::Wrong };
                let attempts = attempts.add_failure(key);
                if attempts.failed < MAX_QUESTION_ATTEMPTS {
                    self.ask_for_confirmation(attempts);
                } else {
                    self.handle_failed_answer(attempts);
                }
            }
            _ => return Err(UnexpectedEvent),
        }
        Ok(())
    }

    /// Asks the question again after a failed attempt. After the last one enters the failover child, or
    /// ends the call if there is none.
    fn handle_failed_answer(&mut self, attempts: Attempts) {
        if attempts.failed < MAX_QUESTION_ATTEMPTS {
            let options = self.question_options();
            if options.error_prompt_disabled != Some(true) {
                self.play(options.custom_error_prompt_text.as_deref().unwrap_or(ERROR_PROMPT));
            }
            return self.repeat_question(attempts);
        }
        self.position.unconfirmed_answer = None;
        let key = attempts.final_key();
        if matches!(self.node.map(|node| &node.kind), Some(NodeKind::YesOrNo { .. })) {
            self.record_menu_key(key);
        }
        self.enter_failover_child(key);
    }

    fn repeat_question(&mut self, attempts: Attempts) {
        self.play(self.node.map_or("", |node| node.kind.prompt()));
        self.wait_for_answer(attempts);
    }

    /// Records an answer and enters its child.
    fn accept_answer(&mut self, answer: String) {
        let key = match self.node.map(|node| &node.kind) {
            Some(NodeKind::NumberQuestion { caller_response_custom_data_partner_name, .. }) => {
                self.tracer.on_digits(&answer);
                if let Some(name) = caller_response_custom_data_partner_name {
                    self.position.answers.push((name.clone(), answer));
                }
                Key::Digit(1)
            }
            _ => {
                let key = Key::Digit(if answer == "2" { 2 } else { 1 });
                self.record_menu_key(key);
                key
            }
        };
        self.enter_failover_child(key);
    }
}
