//! Chance that is the same everywhere.

/// `SplitMix64`: a few lines, the same bytes on every machine and with every version of every library,
/// which is what a seed promises.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

fn mix(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

impl Dice {
    /// The dice of one thing among many of a seed: what is rolled for it depends on no other.
    pub(crate) fn of(seed: u64, number: u64) -> Self {
        Self(mix(seed).wrapping_add(mix(number.wrapping_add(0x2545_F491_4F6C_DD1D))))
    }

    /// A number of 64 random bits.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `limit`; 0 where there is none.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    /// A number from `low` up to, without, `high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low).unsigned_abs();
        low.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of several.
    pub(crate) fn one_of<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.below(from.len() as u64);
        from.get(usize::try_from(place).unwrap_or(0))
    }

    /// One of several of which the first are the commonest.
    pub(crate) fn commonest<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.below(from.len() as u64).min(self.below(from.len() as u64));
        from.get(usize::try_from(place).unwrap_or(0))
    }

    /// One of several, each as often as its weight says.
    pub(crate) fn weighted<'a, T>(&mut self, from: &'a [T], weight: impl Fn(&T) -> u64) -> Option<&'a T> {
        let mut place = self.below(from.iter().map(&weight).sum());
        from.iter().find(|item| {
            let weight = weight(item);
            let is_it = place < weight;
            place = place.saturating_sub(weight);
            is_it
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::of(1, 2);
        let mut counts = [0; 3];
        for _ in 0..4000 {
            let (place, _) = dice.weighted(&[(0, 1), (1, 0), (2, 3)], |(_, weight)| *weight).unwrap();
            counts[*place] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((900..1100).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn a_seed_gives_these_numbers_whatever_the_machine() {
        let mut dice = Dice::of(7, 11);
        assert_eq!([dice.roll(), dice.roll()], [412_422_989_259_961_632, 18_056_384_006_968_400_554]);
    }
}
