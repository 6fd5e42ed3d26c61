//! Order in which the destinations of a group are dialled.

use super::{DistributionMethod, RingDestination};

/// Returns the indices of the enabled destinations in the order of dialling. Random and weighted orders
/// are determined by `seed`. A weighted order draws the destinations one after the other, each with a
/// probability in proportion to its weight among those that are left.
pub(super) fn ring_order(
    destinations: &[RingDestination],
    method: DistributionMethod,
    seed: u64,
) -> Vec<usize> {
    let enabled =
        destinations.iter().enumerate().filter(|(_, target)| !target.destination_disabled);
    let mut remaining: Vec<(usize, u64)> = enabled
        .map(|(index, target)| match method {
            DistributionMethod::Weighted => (index, target.distribution_weight.unwrap_or(1).into()),
            DistributionMethod::InOrder | DistributionMethod::Random => (index, 1),
        })
        .collect();
    if method == DistributionMethod::InOrder {
        return remaining.into_iter().map(|(index, _)| index).collect();
    }
    let mut state = seed;
    let mut order = Vec::with_capacity(remaining.len());
    while !remaining.is_empty() {
        let total: u64 = remaining.iter().map(|(_, weight)| weight).sum();
        let mut draw = next_random(&mut state) % total.max(1);
        let drawn = remaining.iter().position(|(_, weight)| {
            let is_drawn = draw < *weight;
            draw = draw.saturating_sub(*weight);
            is_drawn
        });
        order.push(remaining.remove(drawn.unwrap_or(0)).0);
    }
    order
}

/// Returns the seed of a node: orders of several groups of one call are independent.
pub(super) fn node_seed(call_seed: u32, path: &[usize]) -> u64 {
    path.iter().fold(u64::from(call_seed), |mut state, index| {
        state ^= (*index as u64).wrapping_add(1);
        next_random(&mut state)
    })
}

/// SplitMix64 generator (Steele, Lea and Flood, 2014).
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(weight: u32, disabled: bool) -> RingDestination {
        RingDestination {
            ring_group_number: "8005550101".to_owned(),
            ring_group_country_code: None,
            description: None,
            destination_disabled: disabled,
            distribution_weight: Some(weight),
        }
    }

    #[test]
    fn disabled_destinations_are_left_out_of_every_order() {
        let group = [destination(1, false), destination(9, true), destination(5, false)];
        for method in DistributionMethod::ALL {
            let mut order = ring_order(&group, method, 7);
            order.sort_unstable();
            assert_eq!(order, [0, 2], "{method:?}");
        }
        assert_eq!(ring_order(&group, DistributionMethod::InOrder, 7), [0, 2]);
    }

    #[test]
    fn orders_depend_on_the_seed_and_follow_the_weights() {
        let group = [destination(1, false), destination(3, false)];
        let firsts = |method| {
            let first = |seed| ring_order(&group, method, node_seed(seed, &[1])).first().copied();
            (0..4_000).filter(|seed| first(*seed) == Some(1)).count()
        };
        assert!((1_900..2_100).contains(&firsts(DistributionMethod::Random)));
        assert!((2_900..3_100).contains(&firsts(DistributionMethod::Weighted)));
        let order = |seed| ring_order(&group, DistributionMethod::Random, seed);
        assert_eq!(order(5), order(5));
    }
}
