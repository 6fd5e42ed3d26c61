//! The naive evaluator: model of a campaign and a call, and their decision.

/// Condition over the facts of a call.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Always,
    Duration(&'static str, u32),
    ConnectDuration(&'static str, u32),
    Repeat,
    Mobile,
    Landline,
    SmsSent,
    DuringHours,
    InAnyRegion,
    InRegion(&'static str),
    /// `pressed[1 2]`.
    Pressed(Vec<char>),
    /// `pressed[b 2]`: menu level from 0, and key.
    PressedAt(usize, char),
    /// `custom_data[channel]` with an operator and a text.
    Channel(&'static str, &'static str),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// Node of an IVR tree.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Connect(String),
    EndCall,
    Menu(Vec<Node>),
    Branch(Condition, Box<Node>, Box<Node>),
    SmsPromo(Box<Node>),
    VerifyLocation(Box<Node>),
}

/// Amount in cents and its condition.
pub(crate) type Policy = (i64, Condition);

/// Hours of one day: open and close in seconds past midnight, and the flag that closes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    pub(crate) open: Option<u32>,
    pub(crate) close: Option<u32>,
    pub(crate) closed: Option<bool>,
}

/// Named region: its name, and pairs of kind and value.
pub(crate) type Region = (&'static str, Vec<(&'static str, &'static str)>);

#[derive(Debug, Clone)]
pub(crate) struct Campaign {
    pub(crate) operating_24_7: Option<bool>,
    /// Monday first. The time zone is UTC.
    pub(crate) hours: Option<[Day; 7]>,
    pub(crate) regions: Vec<Region>,
    pub(crate) tree: Node,
    /// The base, then the bonuses.
    pub(crate) payin: Vec<Policy>,
    pub(crate) payout: Vec<Policy>,
}

/// Call; `None` is unknown.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Seconds since 1970.
    pub(crate) start: Option<i64>,
    pub(crate) duration: Option<u32>,
    pub(crate) connect_duration: Option<u32>,
    pub(crate) is_mobile: Option<bool>,
    pub(crate) country: Option<&'static str>,
    pub(crate) region: Option<&'static str>,
    /// Number in E.164.
    pub(crate) number: Option<&'static str>,
    pub(crate) zip: Option<&'static str>,
    pub(crate) repeat: Option<bool>,
    pub(crate) sms_sent: Option<bool>,
    /// Outer `None`: unknown. Inner `None`: known to have no value.
    pub(crate) channel: Option<Option<&'static str>>,
    pub(crate) keys: Vec<char>,
    pub(crate) by_affiliate: bool,
    /// The call was routed elsewhere, to this destination if it was reported.
    pub(crate) report: Option<Option<&'static str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) outcome: &'static str,
    pub(crate) destination: Option<String>,
    /// Final input at each menu.
    pub(crate) pressed: String,
    /// Cents and paid policies.
    pub(crate) payin: Option<(i64, String)>,
    pub(crate) payout: Option<(i64, String)>,
    pub(crate) country: Option<&'static str>,
    pub(crate) region: Option<&'static str>,
    pub(crate) connect_duration: Option<u32>,
    /// End of the call; `None` if nothing tells it.
    pub(crate) end: Option<&'static str>,
}

/// Places of the generated area codes, calling codes and postal codes: country and state.
const PLACES: [(&str, &str, Option<&str>); 9] = [
    ("+1212", "US", Some("NY")),
    ("+1310", "US", Some("CA")),
    ("+1206", "US", Some("WA")),
    ("+1604", "CA", Some("BC")),
    ("+1416", "CA", Some("ON")),
    ("+44", "GB", None),
    ("93101", "US", Some("CA")),
    ("10001", "US", Some("NY")),
    ("K1A0B1", "CA", Some("ON")),
];

fn place_of(text: &str) -> Option<(&'static str, Option<&'static str>)> {
    let found = PLACES.iter().find(|(prefix, ..)| text.starts_with(prefix));
    found.map(|(_, country, region)| (*country, *region))
}

/// Number of times that a menu takes a wrong key: once, and three replays.
const ATTEMPTS_AT_A_MENU: usize = 4;

/// Traversal through the tree so far.
struct Traversal<'a> {
    campaign: &'a Campaign,
    call: &'a Call,
    remaining_keys: &'a [char],
    pressed: String,
    was_sent_sms: bool,
    /// A text message was offered, or would have been to a mobile phone.
    could_be_sent_sms: bool,
    /// `None` while the traversal goes on; then, whether the call was connected.
    connected: Option<bool>,
    /// The reported keys ended before the end of the tree, which says nothing about the call.
    is_cut_off: bool,
}

pub(crate) fn decide(campaign: &Campaign, call: &Call) -> Decision {
    let mut traversal = Traversal {
        campaign,
        call,
        remaining_keys: &call.keys,
        pressed: String::new(),
        was_sent_sms: false,
        could_be_sent_sms: false,
        connected: None,
        is_cut_off: false,
    };
    let (mut outcome, mut destination, mut end) = traversal.visit(&campaign.tree);
    if let Some(reported) = call.report {
        traversal.is_cut_off = outcome == "abandoned";
        let is_connected = match call.connect_duration {
            Some(seconds) => seconds > 0,
            None => reported.is_some() || outcome == "connected",
        };
        if is_connected {
            (outcome, end) = ("connected", None);
        }
        destination = reported.map(str::to_owned).or(destination);
    }
    traversal.connected = Some(outcome == "connected");
    let payin = traversal.price(&campaign.payin);
    let payout = if call.by_affiliate { traversal.price(&campaign.payout) } else { None };
    let (country, region) = traversal.place();
    Decision {
        outcome,
        destination: destination.filter(|_| outcome == "connected"),
        connect_duration: traversal.connect_duration(),
        pressed: traversal.pressed,
        payin,
        payout,
        country,
        region,
        end,
    }
}

/// Outcome, dialled destination, and end of a path.
type PathEnd = (&'static str, Option<String>, Option<&'static str>);

impl<'a> Traversal<'a> {
    fn visit(&mut self, node: &'a Node) -> PathEnd {
        match node {
            Node::EndCall => ("ended", None, Some("ivr_hung_up")),
            // A connect duration of 0 means that nobody answered.
            Node::Connect(number) if self.call.connect_duration == Some(0) => {
                ("ended", Some(number.clone()), Some("no_answer"))
            }
            Node::Connect(number) => ("connected", Some(number.clone()), None),
            Node::Branch(condition, met, not_met) => {
                let is_met = self.value(condition) == Some(true);
                self.visit(if is_met { met } else { not_met })
            }
            Node::SmsPromo(next) => {
                self.could_be_sent_sms |= self.call.is_mobile != Some(false);
                let accepts = self.call.sms_sent == Some(true);
                self.was_sent_sms |= self.call.is_mobile == Some(true) && accepts;
                self.visit(next)
            }
            // A caller without a postal code confirms the location of the number, which holds anyway. A
            // reported postal code is known already. The node takes no key of a menu.
            Node::VerifyLocation(next) => self.visit(next),
            Node::Menu(choices) => self.visit_menu(choices),
        }
    }

    fn visit_menu(&mut self, choices: &'a [Node]) -> PathEnd {
        for _ in 0..ATTEMPTS_AT_A_MENU {
            let Some((key, rest)) = self.remaining_keys.split_first() else {
                return ("abandoned", None, Some("ivr_hung_up"));
            };
            self.remaining_keys = rest;
            let index = "123456789".find(*key);
            if let Some(choice) = index.and_then(|index| choices.get(index)) {
                self.pressed.push(*key);
                return self.visit(choice);
            }
        }
        self.pressed.push('W');
        ("ended", None, Some("ivr_hung_up"))
    }

    /// Country and state of the caller, from the best source.
    fn place(&self) -> (Option<&'static str>, Option<&'static str>) {
        let Call { country, region, zip, number, .. } = *self.call;
        let source = region
            .map(|region| (country_of_state(region), Some(region)))
            .or_else(|| place_of(zip?))
            .or_else(|| place_of(number?));
        match (country, source) {
            (None, None) => (None, None),
            (None, Some((country, region))) => (Some(country), region),
            (Some(said), Some((country, region))) if said == country => (Some(said), region),
            (Some(said), _) => (Some(said), None),
        }
    }

    fn connect_duration(&self) -> Option<u32> {
        match self.connected {
            Some(false) => Some(0),
            _ => self.call.connect_duration,
        }
    }

    fn sms_sent(&self) -> Option<bool> {
        match self.call.sms_sent {
            Some(true) => Some(self.was_sent_sms || self.could_be_sent_sms || self.is_cut_off),
            known => known,
        }
    }

    fn price(&self, policies: &[Policy]) -> Option<(i64, String)> {
        let mut sum = 0;
        let mut names = Vec::new();
        let base_is_met = self.value(&policies.first()?.1) == Some(true);
        for (index, (cents, condition)) in policies.iter().enumerate() {
            if base_is_met && self.value(condition) == Some(true) {
                sum += cents;
                names.push(if index == 0 { "base".to_owned() } else { format!("bonus{index}") });
            }
        }
        Some((sum, names.join("+")))
    }

    /// Value of a condition; `None` is unknown.
    fn value(&self, condition: &Condition) -> Option<bool> {
        let call = self.call;
        match condition {
            Condition::Always => Some(true),
            Condition::Duration(operator, seconds) => {
                call.duration.map(|duration| compare(duration, operator, *seconds))
            }
            Condition::ConnectDuration(operator, seconds) => {
                self.connect_duration().map(|duration| compare(duration, operator, *seconds))
            }
            Condition::Repeat => call.repeat,
            Condition::Mobile => call.is_mobile,
            Condition::Landline => call.is_mobile.map(|is_mobile| !is_mobile),
            Condition::SmsSent => self.sms_sent(),
            Condition::DuringHours => self.is_during_hours(),
            Condition::InAnyRegion => {
                any(self.campaign.regions.iter().map(|region| self.is_in(region)))
            }
            Condition::InRegion(name) => {
                let named = self.campaign.regions.iter().filter(|(known, _)| known == name);
                any(named.map(|region| self.is_in(region)))
            }
            Condition::Pressed(keys) => {
                all(keys.iter().enumerate().map(|(level, key)| self.has_pressed(level, *key)))
            }
            Condition::PressedAt(level, key) => self.has_pressed(*level, *key),
            Condition::Channel(operator, text) => {
                let value = call.channel?;
                Some(match *operator {
                    "=" => value == Some(*text),
                    "!=" => value != Some(*text),
                    "contains" => value
                        .is_some_and(|value| value.to_lowercase().contains(&text.to_lowercase())),
                    _ => value.is_some(),
                })
            }
            Condition::Not(inner) => self.value(inner).map(|value| !value),
            Condition::And(members) => all(members.iter().map(|member| self.value(member))),
            Condition::Or(members) => any(members.iter().map(|member| self.value(member))),
        }
    }

    /// A menu that was not reached yet can still be; after the end it cannot.
    fn has_pressed(&self, level: usize, key: char) -> Option<bool> {
        match self.pressed.chars().nth(level) {
            Some(pressed) => Some(pressed == key),
            // A call that was connected elsewhere got past the menu at which the reported keys end.
            None if self.is_cut_off && self.connected == Some(true) => None,
            None if self.connected.is_some() => Some(false),
            None => None,
        }
    }

    fn is_in(&self, (_, places): &Region) -> Option<bool> {
        let (country, region) = self.place();
        any(places.iter().map(|(kind, value)| match *kind {
            "Country" => country.map(|country| country == *value),
            _ => match region {
                Some(region) => Some(region == *value),
                // A caller in another country is in none of the state's regions.
                None => {
                    country.filter(|country| *country != country_of_state(value)).map(|_| false)
                }
            },
        }))
    }

    fn is_during_hours(&self) -> Option<bool> {
        let Campaign { hours, operating_24_7, .. } = self.campaign;
        if operating_24_7.unwrap_or(hours.is_none()) {
            return Some(true);
        }
        let Some(days) = hours else { return Some(false) };
        let start = self.call.start?;
        // 1 January 1970 was a Thursday.
        let weekday = (start.div_euclid(86_400) + 3).rem_euclid(7) as usize;
        let second = start.rem_euclid(86_400);
        let yesterday = days[(weekday + 6) % 7];
        Some(is_open(days[weekday], second) || is_open(yesterday, second + 86_400))
    }
}

/// Tests a time, in seconds past the midnight of the day, against the day's hours.
fn is_open(day: Day, second: i64) -> bool {
    if day.closed == Some(true) || (day.open.is_none() && day.close.is_none()) {
        return false;
    }
    let open = i64::from(day.open.unwrap_or(0));
    let mut close = i64::from(day.close.unwrap_or(86_400));
    if close <= open {
        close += 86_400;
    }
    open <= second && second < close
}

fn compare(left: u32, operator: &str, right: u32) -> bool {
    match operator {
        ">" => left > right,
        ">=" => left >= right,
        "<" => left < right,
        "<=" => left <= right,
        _ => left == right,
    }
}

/// False if any value is false, else unknown if any is unknown, else true.
fn all(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let values: Vec<Option<bool>> = values.collect();
    if values.contains(&Some(false)) {
        Some(false)
    } else if values.contains(&None) {
        None
    } else {
        Some(true)
    }
}

/// True if any value is true, else unknown if any is unknown, else false.
fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let values: Vec<Option<bool>> = values.collect();
    if values.contains(&Some(true)) {
        Some(true)
    } else if values.contains(&None) {
        None
    } else {
        Some(false)
    }
}

/// Returns the country of one of the generated states and provinces.
fn country_of_state(code: &str) -> &'static str {
    if matches!(code, "BC" | "ON") { "CA" } else { "US" }
}
