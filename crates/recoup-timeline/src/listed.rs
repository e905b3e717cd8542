//! Steps as a forecast keeps them. A portfolio has millions of them, of which most differ from their neighbours in one
//! or two parts of the money: only what moves is kept of each.

use recoup_core::money::Amount;
use recoup_core::time::Instant;

use crate::Figures;
use crate::figures::{Money, PARTS};

/// Instants at which figures move, in order, each with the figures from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    instants: Vec<Instant>,
    kept: Kept,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kept {
    /// Only parts of the money move: the figures of the first step, which of its parts move, and those of every step
    /// one after the other.
    Moving { first: Box<Figures>, which: Vec<usize>, amounts: Vec<Amount> },
    /// Something else moves too, where one exit takes the place of another.
    Each(Vec<Figures>),
}

impl Steps {
    /// Steps in order.
    #[must_use]
    pub fn of(steps: &[(Instant, Figures)]) -> Self {
        let instants = steps.iter().map(|(at, _)| *at).collect();
        let each = || Kept::Each(steps.iter().map(|(_, figures)| *figures).collect());
        Self { instants, kept: moving(steps).unwrap_or_else(each) }
    }

    /// The instants.
    #[must_use]
    pub fn instants(&self) -> &[Instant] {
        &self.instants
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instants.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instants.is_empty()
    }

    /// The figures at an instant: those of the last step until then, where there is one.
    #[must_use]
    pub fn figures(&self, at: Instant) -> Option<Figures> {
        let after = self.instants.partition_point(|step| *step <= at);
        self.at_place(after.checked_sub(1)?)
    }

    /// Every step.
    pub fn iter(&self) -> impl Iterator<Item = (Instant, Figures)> + '_ {
        self.instants.iter().enumerate().filter_map(|(place, at)| Some((*at, self.at_place(place)?)))
    }

    fn at_place(&self, place: usize) -> Option<Figures> {
        match &self.kept {
            Kept::Each(all) => all.get(place).copied(),
            Kept::Moving { first, which, amounts } => {
                let moved = amounts.get(place * which.len()..(place + 1) * which.len())?;
                let money = first.money.map(|money| {
                    let mut parts = money.parts();
                    for (part, amount) in which.iter().zip(moved) {
                        if let Some(slot) = parts.get_mut(*part) {
                            *slot = *amount;
                        }
                    }
                    Money::made(money.currency, parts)
                });
                Some(Figures { money, ..**first })
            }
        }
    }
}

/// The steps, where nothing but parts of their money moves.
fn moving(steps: &[(Instant, Figures)]) -> Option<Kept> {
    let (_, first) = steps.first()?;
    let like = first.money?;
    let mut all: Vec<[Amount; PARTS]> = Vec::with_capacity(steps.len());
    for (_, figures) in steps {
        let money = figures.money.filter(|money| money.currency == like.currency)?;
        if (figures.outcome, figures.exit) != (first.outcome, first.exit) {
            return None;
        }
        all.push(money.parts());
    }
    let moves = |part: &usize| all.iter().any(|parts| parts.get(*part) != like.parts().get(*part));
    let which: Vec<usize> = (0..PARTS).filter(moves).collect();
    let kept = all.iter().flat_map(|parts| which.iter().filter_map(|part| parts.get(*part).copied()));
    Some(Kept::Moving { first: Box::new(*first), amounts: kept.collect(), which })
}

#[cfg(test)]
mod tests {
    use recoup_core::money::Currency;
    use recoup_core::vocab::{Exit, Outcome};

    use super::*;

    fn figures(exit: Exit, refund: i64, consumed: i64) -> Figures {
        let money = Money {
            paid: Amount::from_units(1_000),
            refund: Amount::from_units(refund.into()),
            consumed: Amount::from_units(consumed.into()),
            ..Money::nothing(Currency::from_code(*b"USD").unwrap())
        };
        Figures { outcome: Outcome::Allowed, exit: Some(exit), money: Some(money) }
    }

    fn at(second: i64) -> Instant {
        Instant::from_micros(second * 1_000_000)
    }

    #[test]
    fn steps_are_given_back_as_they_were() {
        let money = [(at(1), figures(Exit::InUse, 900, 100)), (at(5), figures(Exit::InUse, 700, 300))];
        let exits = [money[0], (at(6), figures(Exit::Return, 650, 300))];
        let refused = [money[0], (at(7), Figures::REFUSED)];
        for steps in [&money[..], &exits, &refused, &money[..1], &[]] {
            let kept = Steps::of(steps);
            assert_eq!(kept.iter().collect::<Vec<_>>(), steps);
            assert_eq!((kept.len(), kept.is_empty()), (steps.len(), steps.is_empty()));
        }
        let kept = Steps::of(&money);
        assert_eq!(
            [0, 1, 4, 5, 9].map(|second| kept.figures(at(second))),
            [None, Some(money[0].1), Some(money[0].1), Some(money[1].1), Some(money[1].1),]
        );
    }

    #[test]
    fn of_steps_of_money_only_what_moves_is_kept() {
        let steps = [(at(1), figures(Exit::InUse, 900, 100)), (at(5), figures(Exit::InUse, 700, 300))];
        let Kept::Moving { which, amounts, .. } = Steps::of(&steps).kept else { panic!("all of it is kept") };
        assert_eq!((which.len(), amounts.len()), (2, 4));
    }
}
