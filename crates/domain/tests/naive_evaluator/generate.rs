//! Generation of campaigns and calls. The same seed gives the same case.

use crate::naive::{Call, Campaign, Condition, Day, Node, Policy};

/// Seeded source of cases (SplitMix64).
pub(crate) struct Source(u64);

impl Source {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    fn known<T>(&mut self, value: T) -> Option<T> {
        self.chance(75).then_some(value)
    }

    pub(crate) fn campaign(&mut self) -> Campaign {
        let hours = self.chance(60).then(|| {
            [(); 7].map(|()| Day {
                open: self.chance(85).then(|| self.seconds_of_day()),
                close: self.chance(85).then(|| self.seconds_of_day()),
                closed: self.pick(&[None, None, Some(false), Some(true)]),
            })
        });
        let states = ["CA", "NY", "WA", "TX"];
        let place = |source: &mut Self| match source.chance(70) {
            true => ("State", source.pick(&states)),
            false => ("Country", source.pick(&["US", "CA", "GB"])),
        };
        let west = (0..=self.below(2)).map(|_| place(self)).collect();
        let east = (0..=self.below(2)).map(|_| place(self)).collect();
        Campaign {
            operating_24_7: self.pick(&[None, None, Some(true), Some(false)]),
            hours,
            regions: vec![("West", west), ("East", east)],
            tree: self.tree(0),
            payin: self.policies(),
            payout: self.policies(),
        }
    }

    fn seconds_of_day(&mut self) -> u32 {
        self.pick(&[0, 1, 28_800, 32_400, 43_200, 61_200, 75_600, 86_399, 86_400])
    }

    fn tree(&mut self, depth: u64) -> Node {
        match self.below(if depth >= 4 { 3 } else { 9 }) {
            0 | 1 => Node::Connect(format!("8004377{}", 100 + self.below(900))),
            2 => Node::EndCall,
            3..=5 => {
                let count = 1 + self.below(4);
                Node::Menu((0..count).map(|_| self.tree(depth + 1)).collect())
            }
            6 => {
                let condition = self.condition(2, false);
                let met = Box::new(self.tree(depth + 1));
                Node::Branch(condition, met, Box::new(self.tree(depth + 1)))
            }
            7 => Node::SmsPromo(Box::new(self.tree(depth + 1))),
            _ => Node::VerifyLocation(Box::new(self.tree(depth + 1))),
        }
    }

    fn policies(&mut self) -> Vec<Policy> {
        let bonuses = self.below(4);
        let policy = |source: &mut Self| {
            let depth = source.below(4);
            let is_always = source.chance(15);
            let condition =
                if is_always { Condition::Always } else { source.condition(depth, true) };
            (source.below(2_000) as i64, condition)
        };
        (0..=bonuses).map(|_| policy(self)).collect()
    }

    /// Generates a condition. Durations mean something only in policies.
    fn condition(&mut self, depth: u64, in_policy: bool) -> Condition {
        if depth > 0 && self.chance(70) {
            let members = |source: &mut Self| {
                (0..2 + source.below(2)).map(|_| source.condition(depth - 1, in_policy)).collect()
            };
            return match self.below(3) {
                0 => Condition::And(members(self)),
                1 => Condition::Or(members(self)),
                _ => Condition::Not(Box::new(self.condition(depth - 1, in_policy))),
            };
        }
        let operator = self.pick(&[">", ">=", "<", "<=", "="]);
        let seconds = self.pick(&[0, 30, 60, 90, 120]);
        let key = self.pick(&['1', '2', '3', '4', 'W']);
        match self.below(if in_policy { 14 } else { 10 }) {
            0 => Condition::Repeat,
            1 => Condition::Mobile,
            2 => Condition::Landline,
            3 => Condition::SmsSent,
            4 => Condition::DuringHours,
            5 => Condition::InAnyRegion,
            6 => Condition::InRegion(self.pick(&["West", "East"])),
            7 => Condition::Pressed(
                (0..=self.below(2)).map(|_| self.pick(&['1', '2', '3'])).collect(),
            ),
            8 => Condition::PressedAt(self.below(3) as usize, key),
            9 => {
                let operator = self.pick(&["=", "!=", "contains", "present"]);
                Condition::Channel(operator, self.pick(&["Radio", "Print", "radio"]))
            }
            10..=12 => Condition::Duration(operator, seconds),
            _ => Condition::ConnectDuration(operator, seconds),
        }
    }

    pub(crate) fn call(&mut self) -> Call {
        let duration = self.pick(&[0, 30, 31, 60, 61, 89, 90, 91, 120, 600]);
        let connect_duration = self.pick(&[0, 30, 60, 90, 91]).min(duration);
        // November 2026, in hours and at their last seconds.
        let start = 1_793_491_200 + self.below(720) as i64 * 3_600 - self.below(2) as i64;
        // Some countries contradict the region, the postal code or the number.
        let countries = ["US", "US", "CA", "GB"];
        let numbers = [
            "+12125550123",
            "+13105550123",
            "+12065550123",
            "+16045550123",
            "+14165550123",
            "+442071838750",
            // A toll-free number has no place.
            "+18005550123",
        ];
        let regions = [None, None, None, Some("CA"), Some("NY"), Some("BC"), Some("ON")];
        let zips = [None, None, Some("93101"), Some("10001"), Some("K1A0B1"), Some("00000")];
        let destinations = [None, Some("8005550177")];
        let count = self.below(8);
        Call {
            start: self.known(start),
            duration: self.known(duration),
            connect_duration: self.known(connect_duration),
            is_mobile: self.chance(75).then(|| self.chance(50)),
            country: if self.chance(40) { Some(self.pick(&countries)) } else { None },
            region: self.pick(&regions),
            number: if self.chance(70) { Some(self.pick(&numbers)) } else { None },
            zip: self.pick(&zips),
            repeat: self.chance(75).then(|| self.chance(50)),
            sms_sent: self.pick(&[None, Some(false), Some(true)]),
            channel: self.pick(&[
                None,
                Some(None),
                Some(Some("Radio")),
                Some(Some("Online radio")),
            ]),
            keys: (0..count)
                .map(|_| self.pick(&['1', '2', '3', '4', '1', '2', '9', '0', '#']))
                .collect(),
            by_affiliate: self.chance(70),
            report: if self.chance(50) { Some(self.pick(&destinations)) } else { None },
        }
    }
}
