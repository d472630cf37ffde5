//! Pairs of the frames of one clip.

use std::collections::{BTreeMap, BTreeSet};

use super::clip::Clip;
use super::error::MineError;
use super::frame::Frame;
use super::judge::{Bench, Findings, MineRule, Trial};
use super::rule::{Interval, Pairing, VideoRule};
use super::speed::{LAGS, PLACES, Speed, displacement, median};
use super::tally::Unreadable;
use crate::select::Refusal;

/// The frames between two of the list, measured where the rule asks for the speed.
///
/// # Errors
/// As reading the clip; [`MineError::NoFrameRate`] for an interval in seconds without a frame rate.
pub fn measure_speed(clip: &Clip, video: &VideoRule, rule: &MineRule) -> Result<Speed, MineError> {
    let given = |interval_frames| Speed {
        interval_frames,
        displacement_px_per_frame: None,
        lag_frames: 0,
    };
    let target_px = match video.interval {
        Interval::Frames(frames) => return Ok(given(frames)),
        Interval::Seconds(seconds) => {
            let fps = clip.fps().ok_or_else(|| MineError::NoFrameRate {
                path: clip.path().to_owned(),
            })?;
            return Ok(given(((seconds * fps).round() as usize).max(1)));
        }
        Interval::Displacement(px) => px,
    };
    let frames = clip.len();
    let lags: Vec<usize> = LAGS.into_iter().filter(|lag| *lag < frames).collect();
    let last = frames - lags.last().copied().unwrap_or(0);
    let starts: Vec<usize> = (0..PLACES).map(|place| place * last / PLACES).collect();
    let all = starts
        .iter()
        .flat_map(|start| lags.iter().map(move |lag| start + lag).chain([*start]));
    let wanted: BTreeSet<usize> = all.collect();
    let wanted: Vec<usize> = wanted.into_iter().collect();
    let mut found: BTreeMap<usize, Frame> = BTreeMap::new();
    clip.visit(&wanted, &video.prepare, &rule.overlap, |place, frame| {
        // A frame that cannot be read is told when pairs are made.
        if let Ok(frame) = frame {
            found.insert(place, frame);
        }
        Ok::<(), MineError>(())
    })?;
    let measured: Vec<_> = lags
        .iter()
        .map(|&lag| {
            let moved: Vec<f64> = starts
                .iter()
                .filter_map(|start| displacement(found.get(start)?, found.get(&(start + lag))?, &rule.overlap))
                .collect();
            let followed = 2 * moved.len() >= starts.len();
            (lag, followed.then(|| median(moved)).flatten())
        })
        .collect();
    Ok(Speed::from_lags(&measured, target_px, frames))
}

/// Makes the pairs of a clip; each trial is handed to `take` in order, each unreadable frame counted. Returns how
/// many frames were read.
///
/// # Errors
/// As reading the clip, and whatever `take` returns.
pub fn mine_clip<E: From<MineError>>(
    clip: &Clip,
    video: &VideoRule,
    interval_frames: usize,
    rule: &MineRule,
    unreadable: &mut Unreadable,
    mut take: impl FnMut(Trial) -> Result<(), E>,
) -> Result<u64, E> {
    if clip
        .fps()
        .is_some_and(|fps| (clip.len() as f64) < video.min_seconds * fps)
    {
        return Ok(0);
    }
    let interval = interval_frames.max(1);
    let list = clip.len().div_ceil(interval);
    let mut row = Row {
        bench: Bench {
            rule,
            source: clip.name.clone(),
            source_hash: clip.hash_hex()?,
        },
        interval,
        list,
        frames: BTreeMap::new(),
        next: 0,
    };
    let wanted: Vec<usize> = match video.pairing {
        Pairing::Consecutive {
            second_next: false,
            advance,
        } => (0..list).filter(|place| place % advance <= 1).collect(),
        Pairing::Consecutive { .. } => (0..list).collect(),
        Pairing::Window {
            frames,
            first,
            second_from,
            second,
        } => {
            let whole = list / frames * frames;
            let in_use = |place: usize| place < first || (second_from..second_from + second).contains(&place);
            (0..whole).filter(|place| in_use(place % frames)).collect()
        }
    };
    let places: Vec<usize> = wanted.iter().map(|place| place * interval).collect();
    let mut read = 0;
    clip.visit(&places, &video.prepare, &rule.overlap, |place, frame| {
        let frame = match frame {
            Ok(frame) => {
                read += 1;
                Some(frame)
            }
            Err(error) => {
                unreadable.add(&error);
                None
            }
        };
        row.frames.insert(place / interval, frame);
        row.advance(video.pairing, place / interval, &mut take)
    })?;
    row.advance(video.pairing, usize::MAX, &mut take)?;
    Ok(read)
}

/// The part of the list that is in memory.
struct Row<'a> {
    bench: Bench<'a>,
    interval: usize,
    list: usize,
    /// By place in the list; `None` where a frame cannot be read.
    frames: BTreeMap<usize, Option<Frame>>,
    /// The next first frame, or window.
    next: usize,
}

impl Row<'_> {
    /// Makes every trial whose frames up to `arrived` are all there.
    fn advance<E>(
        &mut self,
        pairing: Pairing,
        arrived: usize,
        take: &mut impl FnMut(Trial) -> Result<(), E>,
    ) -> Result<(), E> {
        match pairing {
            Pairing::Consecutive { second_next, advance } => {
                while self.next + 1 < self.list
                    && arrived >= (self.next + 1 + usize::from(second_next)).min(self.list - 1)
                {
                    let (trial, skipped) = self.follow(second_next);
                    take(trial)?;
                    self.next += advance + usize::from(skipped);
                    self.frames = self.frames.split_off(&self.next);
                }
            }
            Pairing::Window {
                frames,
                first,
                second_from,
                second,
            } => {
                while (self.next + 1) * frames <= self.list && arrived >= self.next * frames + second_from + second - 1
                {
                    let start = self.next * frames;
                    let lists = [start..start + first, start + second_from..start + second_from + second];
                    take(self.window(lists))?;
                    self.next += 1;
                    self.frames = self.frames.split_off(&(self.next * frames));
                }
            }
        }
        Ok(())
    }

    fn placed(&self, place: usize) -> Option<(u32, &Frame)> {
        let frame = self.frames.get(&place)?.as_ref()?;
        Some(((place * self.interval) as u32, frame))
    }

    /// The next first frame with its follower, or the one after that; whether the follower is passed over.
    fn follow(&self, second_next: bool) -> (Trial, bool) {
        let (start, mut findings) = (self.next, Findings::default());
        let (Some(first), Some(follower)) = (self.placed(start), self.placed(start + 1)) else {
            findings.refuse("unreadable");
            return (findings.trial(start as u64, Vec::new()), false);
        };
        let index = start as u64;
        let selection = self.bench.compare(&[first], &[follower], &mut findings);
        let too_similar = findings.reason == Some(Refusal::OverlapHigh.name());
        if let Some(candidate) = selection.in_range.into_iter().next() {
            let pair = self.bench.pair(index, candidate, first, follower);
            return (findings.trial(index, vec![pair]), false);
        }
        if too_similar && second_next && start + 2 < self.list {
            let Some(after) = self.placed(start + 2) else {
                findings.refuse("unreadable");
                return (findings.trial(index, Vec::new()), false);
            };
            let selection = self.bench.compare(&[first], &[after], &mut findings);
            if let Some(candidate) = selection.in_range.into_iter().next() {
                let pair = self.bench.pair(index, candidate, first, after);
                return (findings.trial(index, vec![pair]), true);
            }
        }
        (findings.trial(index, Vec::new()), false)
    }

    /// The smallest overlap in range of a window.
    fn window(&self, [first, second]: [std::ops::Range<usize>; 2]) -> Trial {
        let mut findings = Findings::default();
        let mut list = |places: std::ops::Range<usize>| -> Vec<(u32, &Frame)> {
            let missing = places.clone().filter(|place| self.placed(*place).is_none());
            missing.for_each(|_| findings.refuse("unreadable"));
            places.filter_map(|place| self.placed(place)).collect()
        };
        let (first, second) = (list(first), list(second));
        let index = self.next as u64;
        let selection = self.bench.compare(&first, &second, &mut findings);
        let best = selection.in_range.into_iter().next();
        let pair = best.map(|best| {
            let (a, b) = (first[best.first], second[best.second]);
            self.bench.pair(index, best, a, b)
        });
        findings.trial(index, pair.into_iter().collect())
    }
}
