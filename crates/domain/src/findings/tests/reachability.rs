//! Property: random calls through random trees never reach a node reported as unreachable.

use super::{analyze_terms, with_tree};
use crate::condition::SearchBudget;
use crate::condition::{Facts, Key, MenuInput, TextFact};
use crate::ivr::{IvrNode, KeypressFailover, NodeKind};
use crate::sample::{
    NEWER_NODES, condition_node, end_call, menu, newer_node, sms_promo, verify_location,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Call {
    mobile: Option<bool>,
    landline: Option<bool>,
    repeat: Option<bool>,
    during_hours: bool,
    /// Membership in regions A and B, before and after the location was verified.
    regions: [(Option<bool>, Option<bool>); 2],
    verified: usize,
    sms_sent: Option<bool>,
    sms_accepted: Option<bool>,
    media_type: Option<Option<&'static str>>,
    keys: Vec<Key>,
    /// Fact reported for later menus.
    later_menus: Option<MenuInput>,
    /// Child index chosen at each menu, modulo the number of children.
    choices: Vec<usize>,
}

impl Facts for Call {
    fn duration(&self) -> Option<u32> {
        None
    }
    fn connect_duration(&self) -> Option<u32> {
        None
    }
    fn repeat(&self) -> Option<bool> {
        self.repeat
    }
    fn mobile(&self) -> Option<bool> {
        self.mobile
    }
    fn landline(&self) -> Option<bool> {
        self.landline
    }
    fn sms_sent(&self) -> Option<bool> {
        self.sms_sent
    }
    fn during_hours(&self) -> Option<bool> {
        Some(self.during_hours)
    }
    fn in_region(&self, name: Option<&str>) -> Option<bool> {
        let (a, b) = self.regions[self.verified];
        match name {
            Some("A") => a,
            Some(_) => b,
            None if a == Some(true) || b == Some(true) => Some(true),
            None => a.and(b),
        }
    }
    fn pressed(&self, level: u8) -> Option<MenuInput> {
        self.keys.get(usize::from(level)).map_or(self.later_menus, |key| Some(MenuInput::Key(*key)))
    }
    fn text(&self, _: &TextFact) -> Option<Option<&str>> {
        self.media_type
    }
}

impl Call {
    /// Returns the paths of the nodes that the call visits.
    fn visited_paths(&mut self, root: &IvrNode) -> Vec<String> {
        let mut node = root;
        let mut paths = vec!["ivr_tree.root".to_owned()];
        while !node.children.is_empty() {
            let next = match &node.kind {
                NodeKind::Menu { .. } => {
                    let choice = self.choices[self.keys.len()] % node.children.len();
                    self.keys.push(node.key_for_child(choice).unwrap());
                    choice
                }
                NodeKind::Condition { condition: Some(condition) } => {
                    usize::from(condition.expr().evaluate(self) != Some(true))
                }
                NodeKind::VerifyLocation { .. } => {
                    self.verified = 1;
                    0
                }
                NodeKind::SmsPromo { .. } => {
                    self.sms_sent = self.sms_accepted;
                    0
                }
                NodeKind::YesOrNo { .. } | NodeKind::NumberQuestion { .. } => {
                    let choice =
                        self.choices[paths.len() % self.choices.len()] % node.children.len();
                    if let (NodeKind::YesOrNo { .. }, Some(key)) =
                        (&node.kind, node.key_for_child(choice))
                    {
                        self.keys.push(key);
                    }
                    choice
                }
                NodeKind::AnyKeyPress { .. } => self.choices[paths.len() % self.choices.len()] % 2,
                _ => 0,
            };
            paths.push(format!("{}.children[{next}]", paths[paths.len() - 1]));
            node = &node.children[next];
        }
        paths
    }
}

fn call() -> impl Strategy<Value = Call> {
    let fact = || any::<Option<bool>>();
    let phone = prop::sample::select(vec![
        (None, None),
        (Some(true), Some(false)),
        (Some(false), Some(true)),
        (Some(false), Some(false)),
        (None, Some(false)),
        (Some(false), None),
    ]);
    let media = prop::sample::select(vec![None, Some(None), Some(Some("Radio")), Some(Some("TV"))]);
    let later_menus = prop::sample::select(vec![None, Some(MenuInput::NeverReached)]);
    (
        (phone, fact(), any::<bool>(), fact(), fact()),
        ((fact(), fact()), (fact(), fact())),
        (media, later_menus, prop::collection::vec(0_usize..3, 20)),
    )
        .prop_map(|(facts, regions, (media_type, later_menus, choices))| {
            let ((mobile, landline), repeat, during_hours, sms_sent, sms_accepted) = facts;
            Call {
                mobile,
                landline,
                repeat,
                during_hours,
                regions: [regions.0, regions.1],
                verified: 0,
                sms_sent,
                sms_accepted,
                media_type,
                keys: Vec::new(),
                later_menus,
                choices,
            }
        })
}

fn condition() -> impl Strategy<Value = String> {
    let terms = [
        "mobile",
        "landline",
        "repeat",
        "during_hours",
        "in_region",
        "in_region[A]",
        "in_region[B]",
        "sms_sent",
        "pressed[1]",
        "pressed[2 1]",
        "pressed[b 2]",
        "pressed[W]",
        "media_type = \"Radio\"",
        "media_type contains \"r\"",
        "media_type present",
    ];
    prop::sample::select(terms.to_vec()).prop_map(str::to_owned).prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| format!("not ({part})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a} or {b})")),
        ]
    })
}

fn root() -> impl Strategy<Value = IvrNode> {
    Just(end_call()).prop_recursive(7, 60, 3, |inner| {
        prop_oneof![
            4 => (condition(), inner.clone(), inner.clone())
                .prop_map(|(text, met, not_met)| condition_node(&text, met, not_met)),
            2 => (prop::collection::vec(inner.clone(), 1..=3), any::<bool>()).prop_map(
                |(mut children, for_wrong)| {
                    if for_wrong && children.len() > 1 {
                        children[0].keypress_failover_type = Some(KeypressFailover::Wrong);
                    }
                    menu(children)
                }
            ),
            1 => inner.clone().prop_map(verify_location),
            1 => inner.clone().prop_map(sms_promo),
            2 => (0..NEWER_NODES, inner.clone(), inner)
                .prop_map(|(choice, first, second)| newer_node(choice, first, second)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_call_visits_a_node_reported_as_unreachable(
        root in root(),
        calls in prop::collection::vec(call(), 40),
    ) {
        let found = analyze_terms(&with_tree(root.clone()), &SearchBudget::default());
        let unreachable: Vec<_> =
            found.iter().filter(|f| f.message.starts_with("cannot be reached")).collect();
        for call in calls {
            let paths = call.clone().visited_paths(&root);
            for finding in &unreachable {
                prop_assert!(!paths.contains(&finding.path), "{call:?} visits {}", finding.path);
            }
        }
    }
}
