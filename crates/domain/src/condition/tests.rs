//! Tests of the condition language, most of them properties.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

/// Test facts, some of them unknown. The index in `keys` is the menu level.
#[derive(Clone, Debug, Default)]
struct Call {
    duration: Option<u32>,
    connect_duration: Option<u32>,
    repeat: Option<bool>,
    phone: Option<&'static str>,
    sms_sent: Option<bool>,
    during_hours: Option<bool>,
    any_region: Option<bool>,
    west: Option<bool>,
    keys: Vec<Option<MenuInput>>,
    media_type: Option<Option<&'static str>>,
}

impl Facts for Call {
    fn duration(&self) -> Option<u32> {
        self.duration
    }
    fn connect_duration(&self) -> Option<u32> {
        self.connect_duration
    }
    fn repeat(&self) -> Option<bool> {
        self.repeat
    }
    fn mobile(&self) -> Option<bool> {
        self.phone.map(|phone| phone == "mobile")
    }
    fn landline(&self) -> Option<bool> {
        self.phone.map(|phone| phone == "landline")
    }
    fn sms_sent(&self) -> Option<bool> {
        self.sms_sent
    }
    fn during_hours(&self) -> Option<bool> {
        self.during_hours
    }
    fn in_region(&self, name: Option<&str>) -> Option<bool> {
        if name.is_none() { self.any_region } else { self.west }
    }
    fn pressed(&self, level: u8) -> Option<MenuInput> {
        self.keys.get(usize::from(level)).copied().flatten()
    }
    fn text(&self, _: &TextFact) -> Option<Option<&str>> {
        self.media_type
    }
}

const PRESSED: [MenuInput; 4] = [
    MenuInput::Key(Key::Digit(1)),
    MenuInput::Key(Key::Digit(2)),
    MenuInput::Key(Key::None),
    MenuInput::NeverReached,
];

/// One text for each possible relation to the texts of [`small_term`].
const TEXTS: [Option<&str>; 11] = [
    None,
    Some(""),
    Some("zz"),
    Some("za"),
    Some("zb"),
    Some("zbza"),
    Some("zab"),
    Some("a"),
    Some("A"),
    Some("AB"),
    Some("b"),
];

fn known_call() -> impl Strategy<Value = Call> {
    let times = (0..5_u32, 0..5_u32);
    let flags = any::<(bool, bool, bool, bool, bool)>();
    let rest = (select(vec!["mobile", "landline", "other"]), select(TEXTS.to_vec()));
    let keys = prop::collection::vec(select(PRESSED.to_vec()).prop_map(Some), 26);
    (times, flags, rest, keys).prop_map(|((a, b), flags, (phone, text), keys)| Call {
        duration: Some(a.max(b)),
        connect_duration: Some(a.min(b)),
        repeat: Some(flags.0),
        phone: Some(phone),
        sms_sent: Some(flags.1),
        during_hours: Some(flags.2),
        any_region: Some(flags.3 || flags.4),
        west: Some(flags.4),
        keys,
        media_type: Some(text),
    })
}

/// Returns the call with the facts hidden whose bit in `mask` is 0.
fn hide_facts(call: &Call, mask: u64) -> Call {
    let is_known = |bit: usize| mask >> bit & 1 == 1;
    Call {
        duration: call.duration.filter(|_| is_known(0)),
        connect_duration: call.connect_duration.filter(|_| is_known(1)),
        repeat: call.repeat.filter(|_| is_known(2)),
        phone: call.phone.filter(|_| is_known(3)),
        sms_sent: call.sms_sent.filter(|_| is_known(4)),
        during_hours: call.during_hours.filter(|_| is_known(5)),
        any_region: call.any_region.filter(|_| is_known(6)),
        west: call.west.filter(|_| is_known(7)),
        media_type: call.media_type.filter(|_| is_known(8)),
        keys: call
            .keys
            .iter()
            .enumerate()
            .map(|(level, key)| key.filter(|_| is_known(level + 9)))
            .collect(),
    }
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    select(vec![Greater, GreaterOrEqual, Less, LessOrEqual, Equal])
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![(1..=9_u8).prop_map(Key::Digit), Just(Key::Wrong), Just(Key::None)]
}

fn any_term() -> impl Strategy<Value = Term> {
    let plain = vec![Term::Repeat, Term::Mobile, Term::Landline, Term::SmsSent, Term::DuringHours];
    let levels = prop::sample::subsequence((0..26_u8).collect::<Vec<_>>(), 1..=10).prop_shuffle();
    let lettered = levels.prop_flat_map(|levels| {
        let keys = prop::collection::vec(key(), levels.len());
        keys.prop_map(move |keys| Term::Pressed(levels.iter().copied().zip(keys).collect()))
    });
    let in_order = prop::collection::vec(key(), 1..=10)
        .prop_map(|keys| Term::Pressed((0..).zip(keys).collect()));
    let name = r#"[A-Za-z\["\\(é“][ -\\^-~\n]{0,6}[a-z."]"#;
    let text = r#"[ -~\n“”é]{0,8}"#;
    let fact = prop_oneof![
        name.prop_map(TextFact::CustomData),
        Just(TextFact::AffiliateName),
        Just(TextFact::MediaType),
        Just(TextFact::PromoNumberDescription),
    ];
    let test = prop_oneof![
        text.prop_map(TextTest::Equals),
        text.prop_map(TextTest::Differs),
        text.prop_map(TextTest::Contains),
        Just(TextTest::Present),
    ];
    prop_oneof![
        (comparison(), 0..=MAX_DURATION_SECONDS)
            .prop_map(|(comparison, time)| Term::Duration(comparison, time)),
        (comparison(), 0..5_u32)
            .prop_map(|(comparison, time)| Term::ConnectDuration(comparison, time)),
        select(plain),
        prop::option::of(name).prop_map(Term::InRegion),
        lettered,
        in_order,
        (fact, test).prop_map(|(fact, test)| Term::Text(fact, test)),
    ]
}

/// Terms whose truth values are all realized by a call of [`every_call`].
fn small_term() -> impl Strategy<Value = Term> {
    let text = || select(vec!["", "a", "A", "AB", "b"]).prop_map(str::to_owned);
    let test = prop_oneof![
        text().prop_map(TextTest::Equals),
        text().prop_map(TextTest::Differs),
        text().prop_map(TextTest::Contains),
        Just(TextTest::Contains("ab".to_owned())),
        Just(TextTest::Present),
    ];
    prop_oneof![
        (comparison(), 0..3_u32).prop_map(|(comparison, time)| Term::Duration(comparison, time)),
        (comparison(), 0..3_u32)
            .prop_map(|(comparison, time)| Term::ConnectDuration(comparison, time)),
        select(vec![Term::Repeat, Term::Mobile, Term::Landline]),
        select(vec![Term::InRegion(None), Term::InRegion(Some("West".to_owned()))]),
        (0..2_u8, select(vec![Key::Digit(1), Key::Digit(2)]))
            .prop_map(|(level, key)| Term::Pressed(vec![(level, key)])),
        select(vec![Key::Digit(1), Key::Digit(2)])
            .prop_map(|key| Term::Pressed(vec![(0, key), (1, Key::Digit(1))])),
        test.prop_map(|test| Term::Text(TextFact::MediaType, test)),
    ]
}

fn expr(term: impl Strategy<Value = Term> + 'static) -> impl Strategy<Value = Expr> {
    term.prop_map(Expr::Term).prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Expr::not),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::and),
            prop::collection::vec(inner, 1..4).prop_map(Expr::or),
        ]
    })
}

/// Enumerates all combinations of the facts that [`small_term`] tests.
fn every_call() -> Vec<Call> {
    let mut calls = Vec::new();
    let times = (0..4_u32).flat_map(|call| (0..=call).map(move |connected| (call, connected)));
    for ((duration, connected), phone) in
        times.flat_map(|times| ["mobile", "landline", "other"].map(|phone| (times, phone)))
    {
        for (repeat, text) in TEXTS.iter().flat_map(|text| [(true, *text), (false, *text)]) {
            for (any_region, west) in [(true, true), (true, false), (false, false)] {
                for keys in 0..9 {
                    let key =
                        |index: usize| [PRESSED[0], PRESSED[1], PRESSED[3]].get(index).copied();
                    calls.push(Call {
                        duration: Some(duration),
                        connect_duration: Some(connected),
                        repeat: Some(repeat),
                        phone: Some(phone),
                        any_region: Some(any_region),
                        west: Some(west),
                        keys: vec![key(keys / 3), key(keys % 3)],
                        media_type: Some(text),
                        ..Call::default()
                    });
                }
            }
        }
    }
    calls
}

fn values_agree(expr: &Expr, facts: &Call, explanation: &Explanation) -> bool {
    let operands = match expr {
        Expr::Always | Expr::Term(_) => vec![],
        Expr::Not(inner) => vec![inner.as_ref()],
        Expr::And(members) | Expr::Or(members) => members.iter().collect(),
    };
    explanation.value == expr.evaluate(facts)
        && explanation.text == expr.to_string()
        && operands.len() == explanation.terms.len()
        && operands
            .iter()
            .zip(&explanation.terms)
            .all(|(operand, explained)| values_agree(operand, facts, explained))
}

/// Two-valued evaluation: an independent reference implementation.
fn two_valued(expr: &Expr, call: &Call) -> bool {
    match expr {
        Expr::Always => true,
        Expr::Term(term) => term.evaluate(call).unwrap(),
        Expr::Not(inner) => !two_valued(inner, call),
        Expr::And(members) => members.iter().all(|member| two_valued(member, call)),
        Expr::Or(members) => members.iter().any(|member| two_valued(member, call)),
    }
}

proptest! {
    #[test]
    fn parsing_the_normalized_text_yields_the_same_tree(expr in expr(any_term())) {
        let parsed = Condition::parse(&expr.to_string());
        prop_assert_eq!(parsed.as_ref().map(Condition::expr), Ok(&expr));
    }

    #[test]
    fn parser_never_panics(text in any::<String>()) {
        // Only a panic fails this test; both results are valid.
        Condition::parse(&text).ok();
    }

    #[test]
    fn error_columns_are_within_the_text(
        tokens in prop::collection::vec(select(vec![
            "and", "or", "not", "(", ")", " ", "duration", ">", "=", "60", "min", "pressed", "[",
            "]", "a", "w", "1", ",", "\"", "\\", "media_type", "contains", ".", "\u{ad}", "\u{a0}",
            "in_region", "repeat", "“", "”", "é", "!=", "present", "\n",
        ]), 0..12)
    ) {
        let text = tokens.concat();
        match Condition::parse(&text) {
            Ok(condition) => {
                let again = Condition::parse(&condition.expr().to_string());
                prop_assert_eq!(again.as_ref().map(Condition::expr), Ok(condition.expr()));
            }
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
                prop_assert!(error.message.starts_with("expected "), "{}", error);
            }
        }
    }

    #[test]
    fn explanation_has_the_evaluated_value_at_every_node(
        expr in expr(any_term()), call in known_call(), mask in any::<u64>()
    ) {
        let call = hide_facts(&call, mask);
        prop_assert!(values_agree(&expr, &call, &expr.explain(&call)));
    }

    #[test]
    fn value_under_partial_facts_holds_for_complete_facts(
        expr in expr(any_term()), call in known_call(), mask in any::<u64>()
    ) {
        let known = two_valued(&expr, &call);
        prop_assert_eq!(expr.evaluate(&call), Some(known));
        if let Some(value) = expr.evaluate(&hide_facts(&call, mask)) {
            prop_assert_eq!(value, known);
        }
    }

    #[test]
    fn satisfiability_agrees_with_enumeration_of_all_calls(
        this in expr(small_term()), other in expr(small_term())
    ) {
        let values: Vec<(bool, bool)> = every_call()
            .iter()
            .map(|call| (two_valued(&this, call), two_valued(&other, call)))
            .collect();
        prop_assert_eq!(this.is_always_true(&SearchBudget::default()), Some(values.iter().all(|(this, _)| *this)));
        prop_assert_eq!(this.is_never_true(&SearchBudget::default()), Some(values.iter().all(|(this, _)| !this)));
        prop_assert_eq!(this.is_disjoint(&other, &SearchBudget::default()), Some(values.iter().all(|(a, b)| !(*a && *b))));
        prop_assert_eq!(this.implies(&other, &SearchBudget::default()), Some(values.iter().all(|(a, b)| !a || *b)));
        prop_assert_eq!(this.is_equivalent(&other, &SearchBudget::default()), Some(values.iter().all(|(a, b)| a == b)));
    }

    #[test]
    fn condition_serializes_as_its_text(expr in expr(any_term())) {
        let condition = Condition::parse(&expr.to_string()).unwrap();
        let json = serde_json::to_value(&condition).unwrap();
        prop_assert_eq!(&json, &json!(expr.to_string()));
        prop_assert_eq!(serde_json::from_value::<Condition>(json).unwrap(), condition);
    }
}

fn parse_expr(text: &str) -> Expr {
    Condition::parse(text).unwrap().expr().clone()
}

#[test]
fn conditions_of_the_source_documents_are_parsed() {
    use Comparison::*;
    assert_eq!(parse_expr("duration > 2 min 30 sec"), Expr::Term(Term::Duration(Greater, 150)));
    assert_eq!(parse_expr("duration > 60"), Expr::Term(Term::Duration(Greater, 60)));
    assert_eq!(parse_expr("during_hours"), Expr::Term(Term::DuringHours));
    let west = Term::InRegion(Some("West Coast".to_owned()));
    assert_eq!(parse_expr("in_region[West Coast]"), Expr::Term(west.clone()));
    let all = "duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat";
    let pressed = Term::Pressed(vec![(0, Key::Digit(1)), (1, Key::Digit(2))]);
    assert_eq!(
        parse_expr(all),
        Expr::And(vec![
            Expr::Term(Term::Duration(GreaterOrEqual, 90)),
            Expr::Or(vec![Expr::Term(west), Expr::Term(pressed)]),
            Expr::Not(Box::new(Expr::Term(Term::Repeat))),
        ])
    );
    assert_eq!(parse_expr(all).terms().len(), 4);
}

#[test]
fn exceeded_limits_are_errors() {
    let error = |text: &str| Condition::parse(text).unwrap_err();
    let at = |column, message: &str| ParseError { column, message: message.to_owned() };
    assert_eq!(error(&" ".repeat(5_001)), at(5_001, "expected at most 5,000 characters"));
    assert!(Condition::parse(&" ".repeat(5_000)).is_ok());
    let deep = "expected at most 50 parentheses and 'not' inside each other";
    assert_eq!(error(&"(".repeat(5_000)), at(51, deep));
    assert_eq!(error(&"not ".repeat(1_250)), at(201, deep));
    let nested = |levels: usize| format!("{}repeat{}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(parse_expr(&nested(50)), parse_expr("repeat"));
    assert_eq!(error(&nested(51)), at(51, deep));
    let many = |terms: usize| vec!["repeat"; terms].join(" or ");
    assert_eq!(parse_expr(&many(200)).terms().len(), 200);
    assert_eq!(error(&many(201)), at(2_001, "expected at most 200 terms"));
    assert_eq!(parse_expr("duration > 744 hours"), parse_expr("duration > 2678400"));
    let long = at(12, "expected a time of at most 31 days (2678400 seconds)");
    assert_eq!(error("duration > 744 hours 1 sec"), long);
    assert_eq!(error(&format!("duration > {}", "9".repeat(4_000))), long);
}

#[test]
fn error_message_has_the_contract_format() {
    let error = Condition::parse("mobile and duration").unwrap_err();
    let message =
        "is invalid at column 12: expected a comparison (>, >=, <, <=, =) after 'duration'";
    assert_eq!(error.to_string(), message);
    let json_error = serde_json::from_str::<Condition>("\"mobile and duration\"").unwrap_err();
    assert!(json_error.to_string().starts_with(message));
}

#[test]
fn source_text_is_kept_unchanged() {
    let text = "  MOBILE\u{a0}and Duration>60.";
    let condition = Condition::parse(text).unwrap();
    assert_eq!(condition.text(), text);
    assert_eq!(condition.expr().to_string(), "mobile and duration > 60");
    for empty in ["", " \n", ".", " . "] {
        assert_eq!(Condition::parse(empty).unwrap().expr(), Condition::always().expr());
    }
    assert_eq!(parse_expr("repeat\r\n\tAND mobile . \n"), parse_expr("repeat and mobile"));
    assert_eq!(Condition::parse("mobile and \n").unwrap_err().column, 13);
}

#[test]
fn explanation_lists_the_tested_facts() {
    let call = Call {
        duration: Some(75),
        keys: vec![PRESSED.first().copied(), Some(MenuInput::NeverReached)],
        media_type: Some(None),
        ..Call::default()
    };
    let text = "not mobile and duration > 60 and pressed[1 2 3] or media_type present";
    let explained = serde_json::to_value(parse_expr(text).explain(&call)).unwrap();
    let term = |text: &str, value: serde_json::Value, fact: serde_json::Value| json!({"text": text, "value": value, "op": "term", "terms": [], "fact": fact});
    let not_mobile = json!({"text": "not mobile", "value": null, "op": "not", "fact": null,
        "terms": [term("mobile", json!(null), json!({"mobile": null}))]});
    let keys = json!({"pressed[a]": "1", "pressed[b]": false, "pressed[c]": null});
    let all = json!({"text": "not mobile and duration > 60 and pressed[1 2 3]", "value": false,
    "op": "and", "fact": null, "terms": [
        not_mobile,
        term("duration > 60", json!(true), json!({"duration": 75})),
        term("pressed[1 2 3]", json!(false), keys),
    ]});
    let present = term("media_type present", json!(false), json!({"media_type": false}));
    let expected = json!({"text": text, "value": false, "op": "or", "fact": null,
        "terms": [all, present]});
    assert_eq!(explained, expected);
}

#[test]
fn text_tests_normalize_typography_and_contains_ignores_case() {
    let holds = |text: Option<&'static str>, test: &str| {
        let call = Call { media_type: Some(text), ..Call::default() };
        parse_expr(&format!("media_type {test}")).evaluate(&call).unwrap()
    };
    let online = Some("Offline: In\u{2011}Call ÄD");
    assert!(holds(online, r#"= "Offline: In-Call ÄD""#));
    assert!(!holds(online, r#"= "offline: in-call äd""#));
    assert!(holds(online, r#"contains "in-call äd""#));
    assert!(holds(online, r#"contains """#) && holds(Some(""), "present"));
    for absent in [r#"= "a""#, r#"contains """#, "present", r#"= """#] {
        assert!(!holds(None, absent), "{absent}");
    }
    assert!(holds(None, r#"!= "a""#) && holds(None, r#"!= """#));
}

#[test]
fn satisfiability_knows_the_constraints_between_atoms() {
    let never = |text: &str| {
        assert_eq!(parse_expr(text).is_never_true(&SearchBudget::default()), Some(true), "{text}")
    };
    let possible = |text: &str| {
        assert_eq!(parse_expr(text).is_never_true(&SearchBudget::default()), Some(false), "{text}")
    };
    never("mobile and landline");
    never("connect_duration > 60 and duration <= 60");
    possible("connect_duration > 60 and duration <= 61");
    never("duration < 0");
    never("duration > 10 and duration < 13 and not (duration = 11 or duration = 12)");
    never("in_region[West] and not in_region");
    possible("in_region and not in_region[West]");
    possible("in_region[West] and in_region[East]");
    never("pressed[1] and pressed[2]");
    possible("not pressed[1] and not pressed[N] and not pressed[W]");
    never(r#"media_type = "Online" and media_type = "online""#);
    never(r#"media_type = "Online" and not media_type contains "line""#);
    never(r#"media_type contains "online" and not media_type contains "LINE""#);
    possible(r#"media_type contains "ab" and media_type contains "bc" and media_type != "abc""#);
    never(r#"media_type present and not media_type contains """#);
    assert_eq!(parse_expr("").is_always_true(&SearchBudget::default()), Some(true));
    assert_eq!(
        parse_expr("mobile or not mobile").is_always_true(&SearchBudget::default()),
        Some(true)
    );
    assert_eq!(
        parse_expr("mobile or landline").is_always_true(&SearchBudget::default()),
        Some(false)
    );
    assert_eq!(
        parse_expr("duration > 60")
            .is_disjoint(&parse_expr("duration < 60"), &SearchBudget::default()),
        Some(true)
    );
    assert_eq!(
        parse_expr("duration > 60")
            .is_equivalent(&parse_expr("not duration < 61"), &SearchBudget::default()),
        Some(true)
    );
    assert_eq!(
        parse_expr("duration > 60")
            .is_equivalent(&parse_expr("duration > 61"), &SearchBudget::default()),
        Some(false)
    );
}

#[test]
fn long_lists_are_decided_and_too_large_conditions_are_undecided() {
    let any_of = |test: &str, count: usize| {
        let terms = (0..count).map(|n| format!("media_type {test} \"{n} x\""));
        terms.collect::<Vec<_>>().join(" or ")
    };
    for test in ["=", "contains"] {
        let expr = parse_expr(&any_of(test, 150));
        assert_eq!(
            (
                expr.is_always_true(&SearchBudget::default()),
                expr.is_never_true(&SearchBudget::default())
            ),
            (Some(false), Some(false))
        );
        assert_eq!(
            expr.is_disjoint(&Expr::not(expr.clone()), &SearchBudget::default()),
            Some(true)
        );
    }
    // Each clause can be true in three ways, and only the last clause differs.
    let clauses = |last: &str| {
        let clauses = (0..30).map(|n| format!("(in_region[{n}] or in_region[{n}b])"));
        let all: Vec<String> = clauses.chain([last.to_owned()]).collect();
        parse_expr(&all.join(" and "))
    };
    let start = clauses("mobile");
    assert_eq!(
        start.implies(&clauses("(mobile or repeat and mobile)"), &SearchBudget::default()),
        None
    );
}
