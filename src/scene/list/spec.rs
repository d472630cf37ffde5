//! One spec of a list: a weight and what it stands for.

use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Weights from here on are refused: a slip of the pen rather than a wish.
const LARGEST_WEIGHT: f64 = 1e9;
/// Flats of one range.
const MOST_FLATS: u64 = 1_000_000;

/// `[WEIGHT:]SPEC`, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spec {
    pub weight: f64,
    pub what: What,
}

/// What a spec names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    FreshFlats,
    Flats(RangeInclusive<u64>),
    Path(PathBuf),
}

impl Spec {
    /// Takes a spec apart; the message says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (weight, rest) = match weight_before(text) {
            Some((weight, rest)) => (weight, rest),
            None => (1.0, text),
        };
        if !(weight > 0.0 && weight < LARGEST_WEIGHT) {
            return Err(format!(
                "the weight {weight} must be above 0 and below {LARGEST_WEIGHT:e}"
            ));
        }
        let what = match rest.strip_prefix("procedural:") {
            _ if rest.is_empty() => return Err("no scene is named".to_owned()),
            None if rest == "procedural" => What::Flats(0..=0),
            None => What::Path(rest.into()),
            Some("*") => What::FreshFlats,
            Some(seeds) => What::Flats(range(seeds)?),
        };
        Ok(Self { weight, what })
    }
}

/// The number before the first colon, where there is one: only a text that begins like a number has a weight.
fn weight_before(text: &str) -> Option<(f64, &str)> {
    let (before, after) = text.split_once(':')?;
    let numeric = before.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    Some((before.parse().ok().filter(|_| numeric)?, after))
}

/// `SEED` or `A-B`.
fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let seed = |text: &str| {
        let parsed = text.parse::<u64>();
        parsed.map_err(|_| {
            format!("{text:?} is not a whole number; write procedural:SEED, procedural:A-B or procedural:*")
        })
    };
    let Some((first, last)) = text.split_once('-') else {
        let only = seed(text)?;
        return Ok(only..=only);
    };
    let (first, last) = (seed(first)?, seed(last)?);
    if first > last {
        return Err(format!(
            "the first seed is larger than the last in procedural:{first}-{last}"
        ));
    }
    if last - first >= MOST_FLATS {
        return Err(format!(
            "procedural:{first}-{last} names more than {MOST_FLATS} flats; procedural:* never ends"
        ));
    }
    Ok(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_before_a_colon_is_a_weight() {
        let parse = |text| Spec::parse(text).unwrap();
        let path = |text: &str| What::Path(text.into());
        assert_eq!(parse("a:b.glb").what, path("a:b.glb"));
        assert_eq!(parse("./3:b.glb").what, path("./3:b.glb"));
        assert_eq!(parse("C:/rooms/b.glb").what, path("C:/rooms/b.glb"));
        assert_eq!(parse("infinity:b.glb").what, path("infinity:b.glb"));
        let weighted = parse("2.5:b.glb");
        assert_eq!((weighted.weight, weighted.what), (2.5, path("b.glb")));
        assert_eq!(parse(".5:procedural:1-3").what, What::Flats(1..=3));
        assert_eq!(parse("procedural:*").what, What::FreshFlats);
        assert!(Spec::parse("1e300:b.glb").is_err() && Spec::parse("procedural:0-1000000").is_err());
    }
}
