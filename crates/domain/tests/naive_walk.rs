//! Comparison of the step function with a second walk, on generated trees and call histories.
//!
//! [`Interpreter`] is written from the description of the nodes alone, as a recursive function that consumes the
//! events of a call, and shares no code with the step function. It knows menus, questions, confirmations,
//! failover children, Failovers, groups in order, and routes.
//!
//! A run compares [`DEFAULT_CASES`] calls; `TRUNKLINE_EVALUATOR_CASES` sets another number.

use jiff::Timestamp;
use trunkline_domain::call::CallFacts;
use trunkline_domain::campaign::Terms;
use trunkline_domain::ivr::run::{Action, Event, IvrContext, NodeState, advance, start};
use trunkline_domain::ivr::{
    IvrNode, IvrTree, KeypressFailover, NodeKind, QuestionOptions, QuestionType, RingDestination,
    RingOptions,
};

const DEFAULT_CASES: u64 = 5_000;
const CHANNEL: &str = "8005550121, 8005550122";

#[derive(Debug, Clone)]
enum Node {
    End,
    Connect(String, Option<String>),
    Menu(Vec<Node>, Failovers),
    AnyKey(Box<Node>, Box<Node>),
    YesOrNo(bool, Box<Node>, Box<Node>, Failovers),
    Zip(bool, Box<Node>, Failovers),
    Group(Vec<String>, usize, Option<Box<Node>>),
    Route(bool, Box<Node>),
}

/// Children for a wrong key and for no key.
#[derive(Debug, Clone, Default)]
struct Failovers {
    wrong: Option<Box<Node>>,
    none: Option<Box<Node>>,
}

/// Seeded source of cases (SplitMix64).
struct Source(u64);

impl Source {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn number(&mut self) -> String {
        format!("80055501{:02}", self.below(20))
    }

    fn node(&mut self, depth: u64) -> Node {
        let child = |source: &mut Self| Box::new(source.node(depth + 1));
        match self.below(if depth > 4 { 3 } else { 12 }) {
            0 => Node::End,
            1 => Node::Connect(self.number(), None),
            2 => Node::Connect(self.number(), Some(self.number())),
            3 | 4 => {
                let count = 1 + self.below(3);
                let children = (0..count).map(|_| self.node(depth + 1)).collect();
                Node::Menu(children, self.failovers(depth))
            }
            5 => Node::AnyKey(child(self), child(self)),
            6 | 7 => {
                let confirms = self.below(2) == 0;
                Node::YesOrNo(confirms, child(self), child(self), self.failovers(depth))
            }
            8 | 9 => Node::Zip(self.below(2) == 0, child(self), self.failovers(depth)),
            10 => {
                let count = 1 + self.below(4);
                let numbers = (0..count).map(|_| self.number()).collect();
                let at_once = 1 + self.below(3) as usize;
                let nobody = (self.below(2) == 0).then(|| child(self));
                Node::Group(numbers, at_once, nobody)
            }
            _ => Node::Route(self.below(2) == 0, child(self)),
        }
    }

    fn failovers(&mut self, depth: u64) -> Failovers {
        let mut child = || (self.below(3) == 0).then(|| Box::new(self.node(depth + 2)));
        Failovers { wrong: child(), none: child() }
    }

    fn event(&mut self) -> Event {
        match self.below(24) {
            0..=4 => Event::Key('1'),
            5..=7 => Event::Key('2'),
            8 => Event::Key('3'),
            9 => Event::Key('#'),
            10..=12 => Event::Silence,
            13 | 14 => Event::Digits("93101".to_owned()),
            15 => Event::Digits("10001#".to_owned()),
            16 => Event::Digits("12".to_owned()),
            17 => Event::Connected,
            18 => Event::ConnectedTo(self.number()),
            19 | 20 => Event::Busy,
            21 => Event::NoAnswer,
            22 => Event::Failed,
            _ if self.below(8) == 0 => Event::HungUp,
            _ => Event::Silence,
        }
    }
}

/// Course of a call, in words.
#[derive(Debug, Default, PartialEq, Eq)]
struct Course {
    actions: Vec<String>,
    pressed: String,
    rejected: usize,
    connected_to: Option<String>,
    ended: bool,
}

/// End of a call: the caller hung up, or no event is left.
struct Over;

struct Interpreter<'a> {
    events: std::slice::Iter<'a, Event>,
    course: Course,
    channel: Vec<String>,
}

impl Interpreter<'_> {
    fn act(&mut self, action: impl Into<String>) {
        self.course.actions.push(action.into());
    }

    /// Takes the next event that the node knows; the others are rejected.
    fn take(&mut self, knows: impl Fn(&Event) -> bool) -> Result<Event, Over> {
        loop {
            let Some(event) = self.events.next() else { return Err(Over) };
            if *event == Event::HungUp {
                self.course.ended = true;
                return Err(Over);
            }
            if knows(event) {
                return Ok(event.clone());
            }
            self.course.rejected += 1;
        }
    }

    fn take_key(&mut self) -> Result<Option<char>, Over> {
        match self.take(|event| matches!(event, Event::Key(_) | Event::Silence))? {
            Event::Key(key) => Ok(Some(key)),
            _ => Ok(None),
        }
    }

    fn hang_up(&mut self) {
        self.act("hangup");
        self.course.ended = true;
    }

    fn go_on(&mut self, next: Option<&Node>) -> Result<(), Over> {
        match next {
            Some(node) => self.visit(node),
            None => {
                self.hang_up();
                Ok(())
            }
        }
    }

    fn fail_over(&mut self, failovers: &Failovers, any_wrong: bool) -> Result<(), Over> {
        let next = if any_wrong { &failovers.wrong } else { &failovers.none };
        self.go_on(next.as_deref())
    }

    fn visit(&mut self, node: &Node) -> Result<(), Over> {
        match node {
            Node::End => {
                self.hang_up();
                Ok(())
            }
            Node::Connect(number, failover) => {
                let legs = [Some(number), failover.as_ref()];
                for leg in legs.into_iter().flatten() {
                    if self.ring(std::slice::from_ref(leg))? {
                        return Ok(());
                    }
                }
                self.hang_up();
                Ok(())
            }
            Node::Menu(children, failovers) => self.visit_menu(children, failovers),
            Node::AnyKey(key, none) => {
                self.act("say any");
                self.act("gather 1");
                let next = if self.take_key()?.is_some() { key } else { none };
                self.visit(next)
            }
            Node::YesOrNo(confirms, yes, no, failovers) => {
                match self.ask("yes", *confirms, failovers)? {
                    Some(answer) if answer == "1" => {
                        self.course.pressed.push('1');
                        self.visit(yes)
                    }
                    Some(_) => {
                        self.course.pressed.push('2');
                        self.visit(no)
                    }
                    None => Ok(()),
                }
            }
            Node::Zip(confirms, next, failovers) => {
                match self.ask("zip", *confirms, failovers)? {
                    Some(_) => {
                        // A zip code is no phone number, so a route finds none.
                        self.channel.clear();
                        self.visit(next)
                    }
                    None => Ok(()),
                }
            }
            Node::Group(numbers, at_once, nobody) => {
                self.ring_all(numbers, *at_once, nobody.as_deref())
            }
            Node::Route(like_group, nobody) => {
                let mut numbers = self.channel.clone();
                numbers.truncate(if *like_group { 9 } else { 1 });
                self.ring_all(&numbers, 1, Some(nobody))
            }
        }
    }

    fn visit_menu(&mut self, children: &[Node], failovers: &Failovers) -> Result<(), Over> {
        let mut any_wrong = false;
        for _ in 0..4 {
            self.act("say menu");
            self.act("gather 1");
            let Some(key) = self.take_key()? else { continue };
            let index = key.to_digit(10).map(|digit| digit as usize);
            if let Some(child) = index.and_then(|index| children.get(index.checked_sub(1)?)) {
                self.course.pressed.push(key);
                return self.visit(child);
            }
            any_wrong = true;
        }
        self.course.pressed.push(if any_wrong { 'W' } else { 'N' });
        self.fail_over(failovers, any_wrong)
    }

    /// Asks a question. Returns `None` if the attempts are used up.
    fn ask(
        &mut self,
        kind: &str,
        confirms: bool,
        failovers: &Failovers,
    ) -> Result<Option<String>, Over> {
        let mut failed = 0;
        let mut any_wrong = false;
        loop {
            self.act(format!("say {kind}"));
            self.act(if kind == "zip" { "gather 5" } else { "gather 1" });
            let input = match kind {
                "zip" => self.take(|event| {
                    matches!(event, Event::Key(_) | Event::Digits(_) | Event::Silence)
                })?,
                _ => self.take(|event| matches!(event, Event::Key(_) | Event::Silence))?,
            };
            let text = match input {
                Event::Key('#') if kind == "zip" => String::new(),
                Event::Key(key) => key.to_string(),
                Event::Digits(digits) => digits.trim_end_matches('#').to_owned(),
                _ => String::new(),
            };
            let is_valid = if kind == "zip" { text.len() == 5 } else { text == "1" || text == "2" };
            if is_valid && !confirms {
                return Ok(Some(text));
            }
            let mut asks_again = false;
            while is_valid && !asks_again && failed < 3 {
                self.act("say confirm");
                self.act("gather 1");
                match self.take_key()? {
                    Some('1') => return Ok(Some(text)),
                    Some('2') => asks_again = true,
                    other => {
                        failed += 1;
                        any_wrong |= other.is_some();
                    }
                }
            }
            if asks_again {
                continue;
            }
            if !is_valid {
                failed += 1;
                any_wrong |= !text.is_empty();
            }
            if failed >= 3 {
                if kind == "yes" {
                    self.course.pressed.push(if any_wrong { 'W' } else { 'N' });
                }
                self.fail_over(failovers, any_wrong)?;
                return Ok(None);
            }
            self.act("say error");
        }
    }

    fn ring_all(
        &mut self,
        numbers: &[String],
        at_once: usize,
        nobody: Option<&Node>,
    ) -> Result<(), Over> {
        for ringing in numbers.chunks(at_once) {
            if self.ring(ringing)? {
                return Ok(());
            }
        }
        self.go_on(nobody)
    }

    /// Returns false if nobody answers.
    fn ring(&mut self, ringing: &[String]) -> Result<bool, Over> {
        self.act(format!("dial {}", ringing.join("+")));
        let knows = |event: &Event| {
            matches!(
                event,
                Event::Connected
                    | Event::ConnectedTo(_)
                    | Event::Busy
                    | Event::NoAnswer
                    | Event::Failed
            )
        };
        let answered = match self.take(knows)? {
            Event::Connected => ringing[0].clone(),
            Event::ConnectedTo(number) if ringing.contains(&number) => number,
            Event::ConnectedTo(_) => ringing[0].clone(),
            _ => return Ok(false),
        };
        self.course.connected_to = Some(answered);
        self.take(|_| false).map(|_| true)
    }
}

fn walk(root: &Node, events: &[Event]) -> Course {
    let channel = CHANNEL.split(", ").map(str::to_owned).collect();
    let mut walk = Interpreter { events: events.iter(), course: Course::default(), channel };
    if walk.visit(root).is_ok() {
        // The tree ended the call, so every later event is rejected.
        walk.course.rejected += walk.events.count();
    } else if walk.course.ended {
        walk.course.rejected += walk.events.count();
    }
    walk.course
}

fn failover_children(failovers: &Failovers) -> Vec<IvrNode> {
    let marked = |child: &Option<Box<Node>>, kind| {
        let child = child.as_deref().map(translate);
        child.map(|node| IvrNode { keypress_failover_type: Some(kind), ..node })
    };
    let wrong = marked(&failovers.wrong, KeypressFailover::Wrong);
    wrong.into_iter().chain(marked(&failovers.none, KeypressFailover::None)).collect()
}

fn connect(number: &str) -> NodeKind {
    NodeKind::Connect {
        prompt: String::new(),
        destination_phone_number: number.to_owned(),
        destination_country_code: "1".to_owned(),
        destination_extension: None,
        connect_timeout: None,
    }
}

fn failover_node(number: &str) -> IvrNode {
    let kind = NodeKind::Failover {
        destination_phone_number: number.to_owned(),
        destination_country_code: "1".to_owned(),
    };
    IvrNode { kind, children: Vec::new(), keypress_failover_type: None }
}

fn group(numbers: &[String], at_once: usize) -> NodeKind {
    let destinations = numbers.iter().map(|number| RingDestination {
        ring_group_number: number.clone(),
        ring_group_country_code: None,
        description: None,
        destination_disabled: false,
        distribution_weight: None,
    });
    NodeKind::RingGroup {
        prompt: String::new(),
        ring_group_destinations: destinations.collect(),
        ringing: RingOptions {
            max_simultaneous_calls: u32::try_from(at_once).ok(),
            ..RingOptions::default()
        },
    }
}

fn translate(node: &Node) -> IvrNode {
    let prompt = |text: &str| text.to_owned();
    let options = |confirms: &bool| QuestionOptions {
        confirm_response_enabled: Some(*confirms),
        error_prompt_disabled: None,
        custom_error_prompt_text: Some("error".to_owned()),
    };
    let (kind, mut children, failovers) = match node {
        Node::End => (NodeKind::EndCall { prompt: String::new() }, vec![], None),
        Node::Connect(number, failover) => {
            (connect(number), failover.iter().map(|number| failover_node(number)).collect(), None)
        }
        Node::Menu(children, failovers) => {
            let children = children.iter().map(translate).collect();
            (NodeKind::Menu { prompt: prompt("menu") }, children, Some(failovers))
        }
        Node::AnyKey(key, none) => {
            let children = vec![translate(key), translate(none)];
            (NodeKind::AnyKeyPress { prompt: prompt("any") }, children, None)
        }
        Node::YesOrNo(confirms, yes, no, failovers) => {
            let kind = NodeKind::YesOrNo { prompt: prompt("yes"), options: options(confirms) };
            (kind, vec![translate(yes), translate(no)], Some(failovers))
        }
        Node::Zip(confirms, next, failovers) => {
            let kind = NodeKind::NumberQuestion {
                prompt: prompt("zip"),
                number_question_type: Some(QuestionType::ZipCode),
                options: options(confirms),
                caller_response_custom_data_partner_name: Some("channel".to_owned()),
            };
            (kind, vec![translate(next)], Some(failovers))
        }
        Node::Group(numbers, at_once, nobody) => {
            (group(numbers, *at_once), nobody.iter().map(|node| translate(node)).collect(), None)
        }
        Node::Route(like_group, nobody) => {
            let kind = NodeKind::DynamicRoute {
                prompt: String::new(),
                dynamic_route_destination: "channel".to_owned(),
                behave_like_ring_group: Some(*like_group),
                routing_url: None,
                ringing: RingOptions::default(),
            };
            (kind, vec![translate(nobody)], None)
        }
    };
    children.extend(failovers.iter().flat_map(|failovers| failover_children(failovers)));
    IvrNode { kind, children, keypress_failover_type: None }
}

fn describe(action: &Action) -> String {
    match action {
        Action::Say(text) if text.starts_with("Your answer") => "say confirm".to_owned(),
        Action::Say(text) => format!("say {text}"),
        Action::Gather { keys, .. } => format!("gather {keys}"),
        Action::Dial { number, also, .. } => {
            let others = also.iter().map(|(_, number)| format!("+{number}"));
            format!("dial {number}{}", others.collect::<String>())
        }
        Action::SendSms { .. } => "send_sms".to_owned(),
        Action::Hangup => "hangup".to_owned(),
    }
}

/// Runs the events through the step function.
fn step(root: &Node, events: &[Event]) -> Course {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    let root = translate(root);
    terms.ivr_tree =
        Some(IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None });
    let custom_data = [("channel".to_owned(), CHANNEL.to_owned())].into_iter().collect();
    let facts = CallFacts { custom_data: Some(custom_data), ..CallFacts::default() };
    let context = IvrContext { terms: &terms, facts: &facts };
    let mut course = Course::default();
    let mut current = start(context);
    let mut ringing: Vec<String> = Vec::new();
    course.actions.extend(current.actions.iter().map(describe));
    for event in events {
        let dialled = current.actions.iter().rev().find_map(|action| match action {
            Action::Dial { number, also, .. } => Some((number.clone(), also.clone())),
            _ => None,
        });
        if let Some((first, others)) = dialled {
            ringing = vec![first];
            ringing.extend(others.into_iter().map(|(_, number)| number));
        }
        match advance(context, current.position.clone(), event) {
            Err(_) => course.rejected += 1,
            Ok(next) => {
                course.actions.extend(next.actions.iter().map(describe));
                if next.position.state == NodeState::Connected {
                    let named = match event {
                        Event::ConnectedTo(number) if ringing.contains(number) => number,
                        _ => &ringing[0],
                    };
                    course.connected_to = Some(named.clone());
                }
                current = next;
            }
        }
    }
    course.pressed = current.position.pressed_keys.iter().map(|key| key.to_string()).collect();
    course.ended = matches!(current.position.state, NodeState::Ended { .. });
    course
}

#[test]
fn step_function_agrees_with_the_naive_walk() {
    let configured = std::env::var("TRUNKLINE_EVALUATOR_CASES").ok();
    let cases = configured.map_or(DEFAULT_CASES, |text| text.parse().expect("a number of cases"));
    let (mut connected, mut ended) = (0, 0);
    for seed in 0..cases {
        let mut source = Source(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let root = source.node(0);
        let count = source.below(24);
        let events: Vec<Event> = (0..count).map(|_| source.event()).collect();
        let expected = walk(&root, &events);
        let found = step(&root, &events);
        assert_eq!(found, expected, "case {seed}: {root:#?}\n{events:?}");
        connected += u64::from(expected.connected_to.is_some());
        ended += u64::from(expected.ended);
    }
    eprintln!("{cases} calls agree, {connected} connected, {ended} ended");
    assert!(connected > cases / 20 && ended > cases / 20, "{connected} and {ended} of {cases}");
}
