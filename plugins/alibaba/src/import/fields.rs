//! Values as these APIs write them. Some documents print an explanation in the place of a value; such a
//! value is unknown, with a remark.

use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Zone};

/// The clock of bare times (section 12, 34: UTC+8).
pub(crate) const ZONE: Zone = Zone::fixed_hours(8);
/// The year from which on an end stands for "no end".
const NO_END: &str = "2999";

/// A word of a list, whatever its case; anything else is unknown, with a remark.
pub(crate) fn word<T: Copy>(
    out: &mut Imported,
    file: &ImportFile<'_>,
    place: &Place<'_>,
    words: &[(&str, T)],
) -> Result<Option<T>, Misfit> {
    let Some(text) = place.text()? else { return Ok(None) };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim())).map(|(_, value)| *value);
    if found.is_none() {
        let expected: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        out.remark(
            file,
            place.path.clone(),
            format!("{:?} is none of {}: left unknown", short(&text), expected.join(", ")),
        );
    }
    Ok(found)
}

/// A currency code; an explanation in its place is unknown, with a remark.
pub(crate) fn currency(
    out: &mut Imported,
    file: &ImportFile<'_>,
    place: &Place<'_>,
) -> Result<Option<Currency>, Misfit> {
    let Some(text) = place.text()? else { return Ok(None) };
    let found = text.trim().parse().ok();
    if found.is_none() {
        out.remark(file, place.path.clone(), format!("{:?} is no currency code: left unknown", short(&text)));
    }
    Ok(found)
}

/// An instant, also without seconds (`2021-03-02T15:12Z`).
pub(crate) fn instant(place: &Place<'_>) -> Result<Option<Instant>, Misfit> {
    if let Some(text) = place.text()?
        && let Some(minutes) = text.strip_suffix('Z')
        && minutes.len() == "2021-03-02T15:12".len()
        && let Ok(instant) = Instant::parse(&format!("{minutes}:00Z"), ZONE)
    {
        return Ok(Some(instant));
    }
    place.instant(ZONE)
}

/// An end; a year of 2999 stands for none.
pub(crate) fn end(place: &Place<'_>) -> Result<Option<Instant>, Misfit> {
    if place.text()?.is_some_and(|text| text.starts_with(NO_END)) {
        return Ok(None);
    }
    instant(place)
}

/// An amount, read from its digits.
pub(crate) fn amount(place: &Place<'_>) -> Result<Option<Amount>, Misfit> {
    place.decimal()
}

/// The site that the end of a commodity code names.
pub(crate) fn site(place: &Place<'_>) -> Result<Option<String>, Misfit> {
    Ok(place.text()?.and_then(|code| match code.rsplit('_').next() {
        Some("cn") if code.contains('_') => Some("cn".to_owned()),
        Some("intl") => Some("intl".to_owned()),
        _ => None,
    }))
}

/// A text cut to a length that fits a message.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
