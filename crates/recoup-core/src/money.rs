//! Amounts, plain numbers, currencies and exact fractions.
//!
//! Three types keep wrong arithmetic from compiling: an [`Amount`] is money, a [`Number`] is a rate,
//! a factor or a count, and an [`Exact`] is a fraction on its way from the ones to the others. Amounts
//! add up with amounts and multiply with numbers; money times money does not exist. An [`Exact`] is
//! never rounded until [`Exact::round`], the one published rounding step.
//!
//! ```
//! use recoup_core::money::{Amount, Currency, Exact};
//!
//! // 100.00 paid, 7 of 31 days used: the consumed part, rounded once, half up, to the cent.
//! let paid: Amount = "100.00".parse()?;
//! let consumed = Exact::from(paid).times_ratio(7, 31).round(Currency::USD);
//! assert_eq!(consumed.to_string(), "22.58");
//! assert_eq!((paid - consumed).to_string(), "77.42");
//! # Ok::<(), recoup_core::money::AmountError>(())
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use rust_decimal::Decimal;

/// Decimal places that amounts and numbers carry inside. The finest published price seen has ten.
pub const SCALE: u32 = 18;
const ONE: i128 = 1_000_000_000_000_000_000;
const CENT: i128 = 10_000_000_000_000_000;
/// A cent is 2^16 times 5^16: a value of whole cents, shifted by 16 bits, is a multiple of this.
const CENT_SHIFTED: i64 = 152_587_890_625;
/// The largest magnitude read from a file: 10^15. What is larger is a mistake, not a bill.
const LIMIT: i128 = 1_000_000_000_000_000 * ONE;

/// A decimal that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is no decimal number.
    #[error("{0:?} is not a decimal number such as \"80.00\"")]
    NotADecimal(String),
    /// The number is absurdly large.
    #[error("{0} is too large: at most 1000000000000000 is understood")]
    TooLarge(String),
    /// The number has more decimal places than are kept.
    #[error("{0} has more than {SCALE} decimal places")]
    TooFine(String),
}

/// Why a text that the decimal type does not take is refused: it is no number, or one with too many digits
/// before or behind its point.
fn beyond_decimal(text: &str, shown: String) -> AmountError {
    let (digits, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(digits, power)| (digits, Some(power)));
    let digits = digits.trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = digits.len() > usize::from(digits.contains('.'))
        && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        && exponent.is_none_or(|power| power.parse::<i32>().is_ok());
    let is_small = exponent.is_some_and(|power| power.starts_with('-'))
        || (exponent.is_none() && whole.len() <= 16 && !fraction.is_empty());
    match (is_number, is_small) {
        (false, _) => AmountError::NotADecimal(shown),
        (true, true) => AmountError::TooFine(shown),
        (true, false) => AmountError::TooLarge(shown),
    }
}

/// Ten to the power of each number of decimal places that is kept.
#[allow(clippy::indexing_slicing, reason = "a place out of bounds does not compile")]
const TENS: [i128; SCALE as usize + 1] = {
    let mut tens = [1; SCALE as usize + 1];
    let mut place = 1;
    while place < tens.len() {
        tens[place] = tens[place - 1] * 10;
        place += 1;
    }
    tens
};

/// A plain decimal of at most 18 digits, which nearly every one is, read in a machine word. What looks
/// otherwise is left to the full reader.
fn plain(text: &str) -> Option<i128> {
    const DIGITS: usize = 18;
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    if whole.is_empty() || whole.len() + fraction.len() > DIGITS {
        return None;
    }
    let mut value = 0_u64;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    let value = i128::from(value) * TENS.get(DIGITS - fraction.len())?;
    (value <= LIMIT).then_some(value)
}

fn parse_fixed(text: &str) -> Result<i128, AmountError> {
    if let Some(value) = plain(text) {
        return Ok(value);
    }
    let shown = || text.chars().take(60).collect::<String>();
    let text = text.trim();
    let decimal = Decimal::from_str_exact(text)
        .or_else(|error| Decimal::from_scientific(text).map_err(|_| error))
        .map_err(|_| beyond_decimal(text, shown()))?
        .normalize();
    let Some(missing) = SCALE.checked_sub(decimal.scale()) else {
        return Err(AmountError::TooFine(shown()));
    };
    let value = 10_i128
        .checked_pow(missing)
        .and_then(|factor| decimal.mantissa().checked_mul(factor))
        .ok_or_else(|| AmountError::TooLarge(shown()))?;
    if value.abs() > LIMIT {
        return Err(AmountError::TooLarge(shown()));
    }
    Ok(value)
}

/// A value as whole cents, where it is that. Nearly every amount is, and nearly every one is small enough
/// for machine words, whose division is far cheaper than that of wide integers.
#[inline]
fn whole_cents(value: i128) -> Option<i128> {
    if value & 0xFFFF != 0 {
        return None;
    }
    match i64::try_from(value >> 16) {
        Ok(shifted) => (shifted % CENT_SHIFTED == 0).then(|| i128::from(shifted / CENT_SHIFTED)),
        Err(_) => (value % CENT == 0).then_some(value / CENT),
    }
}

/// One is 2^18 times 5^18: a whole number, shifted by 18 bits, is a multiple of this.
const ONE_SHIFTED: i64 = 3_814_697_265_625;

/// A value as a whole number, where it is that; in machine words where it fits.
#[inline]
fn whole(value: i128) -> Option<i128> {
    if value & 0x3_FFFF != 0 {
        return None;
    }
    match i64::try_from(value >> 18) {
        Ok(shifted) => (shifted % ONE_SHIFTED == 0).then(|| i128::from(shifted / ONE_SHIFTED)),
        Err(_) => (value % ONE == 0).then_some(value / ONE),
    }
}

/// The product, by a single machine multiplication where both factors are words.
#[inline]
fn product(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        // Two words never overflow a double word.
        (Ok(a), Ok(b)) => Some(i128::from(a).wrapping_mul(i128::from(b))),
        _ => a.checked_mul(b),
    }
}

/// Quotient and remainder, by a machine division where both terms are words.
#[inline]
fn divide(over: u128, under: u128) -> (u128, u128) {
    match (u64::try_from(over), u64::try_from(under)) {
        (Ok(over), Ok(under)) => (u128::from(over / under), u128::from(over % under)),
        _ => (over / under, over % under),
    }
}

/// Writes a fixed-point value with at least `least` decimal places and no further trailing zeros.
fn write_fixed(f: &mut fmt::Formatter<'_>, value: i128, least: u32) -> fmt::Result {
    // Nearly every amount is whole cents and fits a machine word.
    if let (2, Some(cents)) = (least, whole_cents(value).and_then(|cents| i64::try_from(cents).ok())) {
        return write_cents(f, cents);
    }
    let magnitude = value.unsigned_abs();
    let one = ONE.unsigned_abs();
    let (whole, mut fraction) = (magnitude / one, magnitude % one);
    let mut places = SCALE;
    while places > least && fraction % 10 == 0 {
        fraction /= 10;
        places -= 1;
    }
    let text =
        if places == 0 { format!("{whole}") } else { format!("{whole}.{fraction:0width$}", width = places as usize) };
    f.pad_integral(value >= 0, "", &text)
}

fn write_cents(f: &mut fmt::Formatter<'_>, cents: i64) -> fmt::Result {
    // Nineteen digits of the largest word, and the point.
    let mut text = [b'.'; 20];
    let (mut rest, mut from) = (cents.unsigned_abs(), text.len());
    while rest > 0 || from > text.len() - 4 {
        from -= if from == text.len() - 2 { 2 } else { 1 };
        if let (Some(place), Ok(digit)) = (text.get_mut(from), u8::try_from(rest % 10)) {
            *place = b'0' + digit;
        }
        rest /= 10;
    }
    let text = text.get(from..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    f.pad_integral(cents >= 0, "", text)
}

macro_rules! fixed_point {
    ($(#[$meta:meta])* $name:ident, $places:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i128);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// From a count of 10^-18 units, as decimals cross the plugin boundary.
            #[must_use]
            #[inline]
            pub const fn from_units(units: i128) -> Self {
                Self(units)
            }

            /// As a count of 10^-18 units.
            #[must_use]
            #[inline]
            pub const fn units(self) -> i128 {
                self.0
            }

            /// From a whole number.
            #[must_use]
            #[inline]
            pub const fn whole(value: i64) -> Self {
                Self(value as i128 * ONE)
            }

            /// Whether it is exactly nothing.
            #[must_use]
            #[inline]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// Whether it is below nothing.
            #[must_use]
            #[inline]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// Whether it is above nothing.
            #[must_use]
            #[inline]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// The value without its sign.
            #[must_use]
            #[inline]
            pub const fn magnitude(self) -> Self {
                Self(self.0.saturating_abs())
            }
        }

        impl FromStr for $name {
            type Err = AmountError;

            fn from_str(text: &str) -> Result<Self, AmountError> {
                parse_fixed(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_fixed(f, self.0, $places)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline]
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline]
            fn sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl Neg for $name {
            type Output = Self;
            #[inline]
            fn neg(self) -> Self {
                Self(self.0.saturating_neg())
            }
        }

        impl AddAssign for $name {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $name {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }

        impl From<$name> for Exact {
            #[inline]
            fn from(value: $name) -> Self {
                // Small terms keep later products small.
                match whole_cents(value.0) {
                    Some(cents) => Self::Small { over: cents, under: 100 },
                    None => Self::Small { over: value.0, under: ONE },
                }
            }
        }
    };
}

fixed_point! {
    /// An amount of money, exact to 18 decimal places. Its currency stands beside it, once for a
    /// whole refund. Written with at least two decimals: `"80.00"`.
    ///
    /// Sums saturate far above the largest amount that can be read (10^15), so no arithmetic on
    /// amounts panics.
    Amount, 2
}

fixed_point! {
    /// A plain decimal: a rate, a factor, a quantity. Written without needless zeros: `"0.15"`.
    Number, 0
}

impl Number {
    /// One.
    pub const ONE: Self = Self(ONE);
    /// The largest that is read from a file.
    pub const LARGEST: Self = Self(LIMIT);

    /// The whole number, if there is no fraction and it fits.
    #[must_use]
    #[inline]
    pub fn as_whole(self) -> Option<i64> {
        whole(self.0).and_then(|whole| i64::try_from(whole).ok())
    }

    /// The same value read as money, for facts that are amounts (`ask_price`).
    #[must_use]
    #[inline]
    pub const fn as_amount(self) -> Amount {
        Amount(self.0)
    }
}

impl Amount {
    /// The same value read as a plain number, for quotas that count money.
    #[must_use]
    #[inline]
    pub const fn as_number(self) -> Number {
        Number(self.0)
    }

    /// The smaller of two amounts.
    #[must_use]
    #[inline]
    pub fn at_most(self, other: Self) -> Self {
        self.min(other)
    }

    /// The amount, or nothing where it is below nothing.
    #[must_use]
    #[inline]
    pub fn floor_zero(self) -> Self {
        self.max(Self::ZERO)
    }

    /// Rounds half up (away from zero at the half) to the currency's minor unit.
    #[must_use]
    pub fn round(self, currency: Currency) -> Self {
        Exact::from(self).round(currency)
    }

    /// Splits the amount in proportion to `weights`, to the currency's minor unit, so that the parts
    /// add up to it exactly: every part is cut to the minor unit and what is left over goes, a unit
    /// each, to the largest remainders (the first of equals first).
    #[must_use]
    pub fn split(self, weights: &[Self], currency: Currency) -> Vec<Self> {
        let mut parts = weights.to_vec();
        self.split_among(&mut parts, currency);
        parts
    }

    /// As [`split`](Self::split): what holds the weights before holds the parts after.
    pub(crate) fn split_among(self, parts: &mut [Self], currency: Currency) {
        if let [only] = parts {
            *only = self;
            return;
        }
        let total: Self = parts.iter().copied().sum();
        if total.is_zero() {
            parts.fill(Self::ZERO);
            if let Some(first) = parts.first_mut() {
                *first = self;
            }
            return;
        }
        let unit = currency.minor_unit();
        if unit.0 != CENT || self.split_cents(parts, total).is_none() {
            self.split_exactly(parts, total, unit);
        }
    }

    /// The split of whole cents by weights of whole cents, all few and in machine words; `None`, and
    /// nothing done, where they are not.
    fn split_cents(self, parts: &mut [Self], total: Self) -> Option<()> {
        const FEW: usize = 8;
        let cents = |amount: Self| whole_cents(amount.0).and_then(|cents| u64::try_from(cents).ok());
        let (whole, total) = (cents(self)?, cents(total)?);
        let mut shares = [(0_u64, 0_u64); FEW];
        let shares = shares.get_mut(..parts.len())?;
        let mut left = whole;
        for (share, weight) in shares.iter_mut().zip(parts.iter()) {
            let exact = whole.checked_mul(cents(*weight)?)?;
            *share = (exact / total, exact % total);
            left = left.checked_sub(share.0)?;
        }
        // What is left over is less than a cent for each part.
        for _ in 0..left {
            let largest = shares.iter_mut().rev().max_by_key(|(_, rest)| *rest)?;
            *largest = (largest.0 + 1, 0);
        }
        for (part, (cents, _)) in parts.iter_mut().zip(shares) {
            *part = Self(i128::from(*cents) * CENT);
        }
        Some(())
    }

    fn split_exactly(self, parts: &mut [Self], total: Self, unit: Self) {
        let rests: Vec<Exact> = parts
            .iter_mut()
            .map(|part| {
                let exact = Exact::from(self).times(*part).over(total);
                *part = exact.floor_to(unit);
                exact.minus(&Exact::from(*part))
            })
            .collect();
        let mut left = self - parts.iter().copied().sum();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by(|a, b| match (rests.get(*a), rests.get(*b)) {
            (Some(x), Some(y)) => y.compare(x),
            _ => Ordering::Equal,
        });
        for index in order.iter().cycle().take(2 * order.len()) {
            if !left.is_positive() {
                break;
            }
            if let Some(part) = parts.get_mut(*index) {
                let step = left.at_most(unit);
                *part += step;
                left -= step;
            }
        }
    }
}

/// An exact fraction. Small terms are kept in machine integers; what outgrows them goes on in big
/// ones, so no arithmetic overflows and nothing is rounded on the way.
#[derive(Debug, Clone)]
pub enum Exact {
    /// A fraction of machine integers; `under` is positive.
    Small {
        /// Numerator.
        over: i128,
        /// Denominator, above zero.
        under: i128,
    },
    /// A fraction that outgrew machine integers.
    Big(Box<BigRational>),
}

impl From<i64> for Exact {
    fn from(value: i64) -> Self {
        Self::Small { over: i128::from(value), under: 1 }
    }
}

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self::Small { over: 0, under: 1 };
    /// One.
    pub const ONE: Self = Self::Small { over: 1, under: 1 };

    /// The fraction `over / under`; nothing where `under` is not positive.
    #[must_use]
    #[inline]
    pub fn ratio(over: i64, under: i64) -> Self {
        if under <= 0 {
            return Self::ZERO;
        }
        Self::Small { over: i128::from(over), under: i128::from(under) }
    }

    fn big(&self) -> BigRational {
        match self {
            Self::Small { over, under } => BigRational::new_raw(BigInt::from(*over), BigInt::from(*under)),
            Self::Big(value) => (**value).clone(),
        }
    }

    fn from_big(value: &BigRational) -> Self {
        let value = value.reduced();
        match (value.numer().to_i128(), value.denom().to_i128()) {
            (Some(over), Some(under)) => Self::Small { over, under },
            _ => Self::Big(Box::new(value)),
        }
    }

    #[inline]
    fn combine(
        &self,
        other: &Self,
        small: impl FnOnce(i128, i128, i128, i128) -> Option<(i128, i128)>,
        big: impl FnOnce(BigRational, BigRational) -> BigRational,
    ) -> Self {
        if let (Self::Small { over: a, under: b }, Self::Small { over: c, under: d }) = (self, other)
            && let Some((over, under)) = small(*a, *b, *c, *d)
        {
            return Self::Small { over, under };
        }
        Self::from_big(&big(self.big(), other.big()))
    }

    /// The product.
    #[must_use]
    #[inline]
    pub fn times(&self, other: impl Into<Self>) -> Self {
        self.combine(&other.into(), |a, b, c, d| Some((product(a, c)?, product(b, d)?)), |a, b| a * b)
    }

    /// The quotient; nothing where `other` is not positive (a price over no time is no price).
    #[must_use]
    #[inline]
    pub fn over(&self, other: impl Into<Self>) -> Self {
        let other = other.into();
        if !other.is_positive() {
            return Self::ZERO;
        }
        self.combine(&other, |a, b, c, d| Some((product(a, d)?, product(b, c)?)), |a, b| a / b)
    }

    /// The product with `over / under`; nothing where `under` is not positive.
    #[must_use]
    #[inline]
    pub fn times_ratio(&self, over: i64, under: i64) -> Self {
        self.times(Self::ratio(over, under))
    }

    /// The sum.
    #[must_use]
    #[inline]
    pub fn plus(&self, other: &Self) -> Self {
        self.combine(
            other,
            |a, b, c, d| {
                if b == d {
                    return Some((a.checked_add(c)?, b));
                }
                Some((product(a, d)?.checked_add(product(c, b)?)?, product(b, d)?))
            },
            |a, b| a + b,
        )
    }

    /// The difference.
    #[must_use]
    #[inline]
    pub fn minus(&self, other: &Self) -> Self {
        self.combine(
            other,
            |a, b, c, d| {
                if b == d {
                    return Some((a.checked_sub(c)?, b));
                }
                Some((product(a, d)?.checked_sub(product(c, b)?)?, product(b, d)?))
            },
            |a, b| a - b,
        )
    }

    /// Whether it is above nothing.
    #[must_use]
    #[inline]
    pub fn is_positive(&self) -> bool {
        match self {
            Self::Small { over, .. } => *over > 0,
            Self::Big(value) => value.is_positive(),
        }
    }

    /// The larger of the value and nothing.
    #[must_use]
    #[inline]
    pub fn floor_zero(self) -> Self {
        if self.is_positive() { self } else { Self::ZERO }
    }

    /// The smaller of two values.
    #[must_use]
    #[inline]
    pub fn at_most(self, other: impl Into<Self>) -> Self {
        let other = other.into();
        if self.compare(&other) == Ordering::Greater { other } else { self }
    }

    /// Which of two values is larger.
    #[must_use]
    #[inline]
    pub fn compare(&self, other: &Self) -> Ordering {
        if let (Self::Small { over: a, under: b }, Self::Small { over: c, under: d }) = (self, other)
            && let (Some(left), Some(right)) = (product(*a, *d), product(*c, *b))
        {
            return left.cmp(&right);
        }
        self.big().cmp(&other.big())
    }

    /// The one rounding step: half up (away from zero at the half) to the currency's minor unit.
    #[must_use]
    #[inline]
    pub fn round(&self, currency: Currency) -> Amount {
        self.round_to(currency.minor_unit())
    }

    /// Rounds half up (away from zero at the half) to a multiple of `unit`.
    #[must_use]
    #[inline]
    pub fn round_to(&self, unit: Amount) -> Amount {
        self.to_multiple(unit, true)
    }

    /// Cuts to a multiple of `unit`, towards nothing.
    #[must_use]
    pub fn floor_to(&self, unit: Amount) -> Amount {
        self.to_multiple(unit, false)
    }

    fn to_multiple(&self, unit: Amount, half_up: bool) -> Amount {
        // value / unit = (over * unit_under) / (under * unit_over)
        let per_unit = if unit.0 == CENT { Self::Small { over: 1, under: 100 } } else { Self::from(unit) };
        if let Self::Small { over, under } = self
            && let Self::Small { over: unit_over, under: unit_under } = &per_unit
            && let (Some(numerator), Some(denominator)) = (
                over.unsigned_abs().checked_mul(unit_under.unsigned_abs()),
                under.unsigned_abs().checked_mul(unit_over.unsigned_abs()),
            )
            && denominator > 0
        {
            let (mut count, rest) = divide(numerator, denominator);
            if half_up && rest >= denominator - rest {
                count += 1;
            }
            let magnitude = i128::try_from(count).ok().and_then(|count| product(count, unit.units()));
            let magnitude = magnitude.unwrap_or(i128::MAX);
            return Amount(if *over < 0 { -magnitude } else { magnitude });
        }
        let ratio = self.big() / per_unit.big();
        let magnitude = ratio.abs();
        let half = BigRational::new(BigInt::from(i32::from(half_up)), BigInt::from(2));
        let count = (magnitude + half).floor().to_integer().to_i128().unwrap_or(i128::MAX);
        let magnitude = count.saturating_mul(unit.units());
        Amount(if ratio.is_negative() { -magnitude } else { magnitude })
    }

    /// The value as an amount, where it has no more than 18 decimal places; otherwise cut there.
    #[must_use]
    pub fn to_amount(&self) -> Amount {
        self.to_multiple(Amount(1), true)
    }

    /// The whole number that is left when what stands behind the point is cut, where a machine word holds it.
    #[must_use]
    pub fn whole_part(&self) -> Option<i64> {
        match self {
            Self::Small { over, under } => {
                let (whole, _) = divide(over.unsigned_abs(), under.unsigned_abs());
                let whole = i64::try_from(whole).ok()?;
                Some(if *over < 0 { -whole } else { whole })
            }
            Self::Big(value) => value.to_integer().to_i64(),
        }
    }

    /// Whether it is exactly nothing.
    #[must_use]
    #[inline]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Small { over, .. } => *over == 0,
            Self::Big(value) => value.is_zero(),
        }
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

impl fmt::Display for Exact {
    /// Up to eight decimal places, for the arithmetic shown to people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.round_to(Amount(ONE / 100_000_000)), f)
    }
}

/// A currency code of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(
    /// Its place among the codes, which are in alphabetical order.
    u8,
);

/// A text that is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency code of three letters such as \"USD\"")]
pub struct UnknownCurrency(pub String);

/// The codes of ISO 4217 in use, so that a mistyped currency is an error and not a new currency.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG ";
const _: () = assert!(CODES.len().is_multiple_of(4), "codes of three letters, each followed by a blank, in order");
const _: () = assert!(CODES.len() / 4 <= 256, "a currency is a byte");

/// The codes, each with its blank.
const fn codes() -> &'static [[u8; 4]] {
    CODES.as_bytes().as_chunks::<4>().0
}

/// The minor unit of every currency, by ISO 4217.
#[allow(clippy::indexing_slicing, reason = "a place out of bounds does not compile")]
const MINOR_UNITS: [Amount; codes().len()] = {
    let mut units = [Amount(CENT); codes().len()];
    let mut place = 0;
    while place < units.len() {
        let [a, b, c, _] = codes()[place];
        units[place] = match &[a, b, c] {
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => Amount(CENT / 10),
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => Amount(ONE),
            _ => Amount(CENT),
        };
        place += 1;
    }
    units
};

impl Currency {
    /// The US dollar.
    pub const USD: Self = Self::of(*b"USD");
    /// The renminbi.
    pub const CNY: Self = Self::of(*b"CNY");
    /// The euro.
    pub const EUR: Self = Self::of(*b"EUR");

    /// A currency that is known to be one, in constants.
    #[allow(clippy::indexing_slicing, reason = "a place out of bounds does not compile")]
    const fn of(code: [u8; 3]) -> Self {
        let mut place = 0_u8;
        loop {
            let [a, b, c, _] = codes()[place as usize];
            if a == code[0] && b == code[1] && c == code[2] {
                return Self(place);
            }
            place += 1;
        }
    }

    /// The code, for example `USD`.
    #[must_use]
    #[inline]
    pub fn as_str(self) -> &'static str {
        let start = usize::from(self.0) * 4;
        CODES.get(start..start + 3).unwrap_or("XXX")
    }

    /// All currencies, in alphabetical order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..codes().len()).filter_map(|place| u8::try_from(place).ok().map(Self))
    }

    /// Its place among [`all`](Self::all).
    #[must_use]
    #[inline]
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    /// The currency with this code, where there is one.
    #[must_use]
    pub fn from_code(code: [u8; 3]) -> Option<Self> {
        let [a, b, c] = code;
        let place = codes().binary_search(&[a, b, c, b' ']).ok()?;
        u8::try_from(place).ok().map(Self)
    }

    /// The smallest amount in which the currency is paid: 0.01 for most, 1 for the yen.
    #[must_use]
    #[inline]
    pub fn minor_unit(self) -> Amount {
        MINOR_UNITS.get(usize::from(self.0)).copied().unwrap_or(Amount(CENT))
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let code: Option<[u8; 3]> = text.as_bytes().try_into().ok();
        code.and_then(Self::from_code).ok_or_else(|| UnknownCurrency(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, shown) in [
            ("80", "80.00"),
            ("80.00", "80.00"),
            ("-0.5", "-0.50"),
            ("0.123456789", "0.123456789"),
            ("1e3", "1000.00"),
            ("999999999999999", "999999999999999.00"),
        ] {
            assert_eq!(amount(text).to_string(), shown);
        }
        assert_eq!("0.150".parse::<Number>().unwrap().to_string(), "0.15");
        for text in ["", "abc", "1,5", "NaN", "1e99", "10000000000000000", "0.1234567890123456789"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_beyond_the_decimal_type_are_said_to_be_too_large_or_too_fine() {
        let said = |text: &str| text.parse::<Amount>().unwrap_err();
        assert_eq!(said("1e30"), AmountError::TooLarge("1e30".into()));
        assert_eq!(said("1e-40"), AmountError::TooFine("1e-40".into()));
        assert!(matches!(said(&"9".repeat(40)), AmountError::TooLarge(_)));
        assert!(matches!(said(&format!("0.{}", "1".repeat(40))), AmountError::TooFine(_)));
        for text in ["e5", ".", "-", "1e", "1e5e5", "0x10"] {
            assert_eq!(said(text), AmountError::NotADecimal(text.into()));
        }
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (text, rounded) in [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("2.675", "2.68")] {
            assert_eq!(amount(text).round(Currency::USD).to_string(), rounded);
        }
        assert_eq!(amount("100.5").round("JPY".parse().unwrap()).to_string(), "101.00");
    }

    #[test]
    fn a_mistyped_currency_is_an_error() {
        for text in ["usd", "US", "USDX", "XYZ", "元"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_currency_is_found() {
        assert!(codes().is_sorted());
        for code in codes() {
            let code = std::str::from_utf8(&code[..3]).unwrap();
            assert_eq!(code.parse::<Currency>().unwrap().as_str(), code);
        }
    }

    proptest! {
        #[test]
        fn plain_decimals_are_read_as_the_full_reader_reads_them(text in "[0-9]{0,20}(\\.[0-9]{0,20})?[e.]?") {
            if let Some(value) = plain(&text) {
                // A blank in front is nothing that a plain decimal has.
                prop_assert_eq!(parse_fixed(&format!(" {text}")), Ok(value));
            }
        }

        #[test]
        fn whole_cents_are_written_as_any_other_decimal(cents: i64) {
            let whole = cents.unsigned_abs() / 100;
            let sign = if cents < 0 { "-" } else { "" };
            let expected = format!("{sign}{whole}.{:02}", cents.unsigned_abs() % 100);
            prop_assert_eq!(Amount::from_units(i128::from(cents) * CENT).to_string(), expected);
        }

        #[test]
        fn a_split_of_cents_is_the_exact_split(cents in 0_i64..1_000_000_000, weights in prop::collection::vec(0_i64..100_000, 2..7)) {
            let whole = Amount::from_units(i128::from(cents) * CENT);
            let mut fast: Vec<Amount> = weights.into_iter().map(|w| Amount::from_units(i128::from(w) * CENT)).collect();
            let total: Amount = fast.iter().copied().sum();
            prop_assume!(!total.is_zero());
            let mut exact = fast.clone();
            prop_assert!(whole.split_cents(&mut fast, total).is_some());
            whole.split_exactly(&mut exact, total, Amount::from_units(CENT));
            prop_assert_eq!(fast, exact);
        }

        #[test]
        fn cents_are_found_in_any_value(value in any::<i128>(), cents in any::<i64>(), small in any::<i32>()) {
            for value in [value, i128::from(cents) * CENT, i128::from(small) * CENT, i128::from(cents) * CENT + 1] {
                prop_assert_eq!(whole_cents(value), (value % CENT == 0).then_some(value / CENT));
            }
        }

        #[test]
        fn parts_of_a_split_add_up(cents in 0_i64..100_000_000, weights in prop::collection::vec(0_i64..100_000, 1..6)) {
            let whole = Amount::from_units(i128::from(cents) * CENT);
            let weights: Vec<Amount> = weights.into_iter().map(|w| Amount::from_units(i128::from(w) * CENT)).collect();
            let parts = whole.split(&weights, Currency::USD);
            prop_assert_eq!(parts.iter().copied().sum::<Amount>(), whole);
            prop_assert!(parts.iter().all(|part| !part.is_negative()));
        }

        #[test]
        fn machine_and_big_fractions_agree(a in any::<i64>(), b in 1_i64..i64::MAX, c in any::<i64>(), d in 1_i64..i64::MAX) {
            let small = Exact::ratio(a, b).times_ratio(c, d);
            let big = Exact::ratio(a, b).big() * Exact::ratio(c, d).big();
            prop_assert_eq!(small.big().reduced(), big);
        }

        #[test]
        fn rounding_is_within_half_a_unit(a in -1_000_000_000_i64..1_000_000_000, b in 1_i64..1_000_000) {
            let exact = Exact::ratio(a, b);
            let distance = exact.minus(&Exact::from(exact.round(Currency::USD)));
            let half = Exact::ratio(1, 200);
            prop_assert!(distance.compare(&half) != Ordering::Greater);
            prop_assert!(distance.compare(&half.times(-1_i64)) != Ordering::Less);
        }
    }
}
