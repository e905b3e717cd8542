//! Decimal texts, and exact arithmetic against a library of fractions.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use recoup_core::money::{Amount, Currency, Exact, Number};

#[derive(Debug, Arbitrary)]
enum Step {
    Times(i64, i64),
    Over(i64),
    Plus(i64, i64),
    Minus(i128),
    AtMost(i64),
    FloorZero,
}

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    text: &'a str,
    start: i128,
    steps: Vec<Step>,
    whole: u32,
    weights: Vec<u32>,
    units: [i128; 3],
}

const ONE: i64 = 1_000_000_000_000_000_000;

fn fraction(over: impl Into<BigInt>, under: impl Into<BigInt>) -> BigRational {
    BigRational::new(over.into(), under.into())
}

fuzz_target!(|input: Input<'_>| {
    if let Ok(amount) = input.text.parse::<Amount>() {
        assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        let number: Number = input.text.parse().expect("the same text");
        assert_eq!(number.to_string().parse::<Number>(), Ok(number));
    }
    let mut exact = Exact::from(Amount::from_units(input.start));
    let mut model = fraction(input.start, ONE);
    for step in input.steps.iter().take(24) {
        match *step {
            Step::Times(over, under) if under > 0 => {
                exact = exact.times_ratio(over, under);
                model *= fraction(over, under);
            }
            Step::Over(under) if under > 0 => {
                exact = exact.over(under);
                model /= fraction(under, 1);
            }
            Step::Plus(over, under) if under > 0 => {
                exact = exact.plus(&Exact::ratio(over, under));
                model += fraction(over, under);
            }
            Step::Minus(units) => {
                exact = exact.minus(&Exact::from(Number::from_units(units)));
                model -= fraction(units, ONE);
            }
            Step::AtMost(limit) => {
                exact = exact.at_most(limit);
                model = model.min(fraction(limit, 1));
            }
            Step::FloorZero => {
                exact = exact.floor_zero();
                model = model.max(BigRational::zero());
            }
            _ => {}
        }
    }
    for code in ["USD", "JPY", "KWD"] {
        let currency: Currency = code.parse().expect("a currency");
        let unit = fraction(currency.minor_unit().units(), 1);
        let counted = &model * fraction(ONE, 1) / &unit;
        let rounded = (counted.abs() + fraction(1, 2)).floor() * &unit * counted.signum();
        // Far beyond every amount that is read, results saturate.
        if rounded.abs() < fraction(1_i128 << 120, 1) {
            assert_eq!(BigInt::from(exact.round(currency).units()), rounded.to_integer(), "{code}");
        }
    }
    let whole = Amount::whole(i64::from(input.whole));
    let weights: Vec<Amount> = input.weights.iter().take(40).map(|weight| Amount::whole(i64::from(*weight))).collect();
    let parts = whole.split(&weights, Currency::USD);
    assert_eq!(parts.len(), weights.len());
    if !parts.is_empty() {
        assert_eq!(parts.iter().copied().sum::<Amount>(), whole);
    }
    let [a, b, c] = input.units.map(Amount::from_units);
    let _ = (a + b - c, -a, a.magnitude(), a.floor_zero(), a.to_string(), a.round(Currency::EUR));
    let _ = a.split(&[b, c], Currency::USD);
});
