//! Whose turn it is: the weighted order of scenes as a pure function of the list and the seed.

use std::sync::Arc;

use crate::rng::Rng;
use crate::scene::{ListedSource, SceneList, SceneSource};

/// Which turns of a stream are made here: those whose number leaves `rank` when divided by `world`.
///
/// A turn's samples are no other turn's, so ranks never make the same sample, and together they make
/// what one process would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rank {
    rank: u64,
    world: u64,
}

impl Default for Rank {
    fn default() -> Self {
        Self { rank: 0, world: 1 }
    }
}

impl Rank {
    /// Process `rank` of `world`, counted from 0.
    ///
    /// # Errors
    /// `world` is 0 or over 65,536, or `rank` is not below it; the message says so.
    pub fn new(rank: u64, world: u64) -> Result<Self, String> {
        if !(1..=65_536).contains(&world) {
            return Err(format!("a world size of {world} must lie in 1 to 65536"));
        }
        if rank >= world {
            return Err(format!(
                "rank {rank} does not exist in a world of {world}: ranks count from 0 to {}",
                world - 1
            ));
        }
        Ok(Self { rank, world })
    }

    /// Place of this process, from 0.
    pub fn rank(self) -> u64 {
        self.rank
    }

    /// How many processes there are.
    pub fn world(self) -> u64 {
        self.world
    }

    /// A seed of its own for what each process draws for itself; rank 0 keeps the run's.
    pub fn seed(self, seed: u64) -> u64 {
        match self.rank {
            0 => seed,
            rank => Rng::stream(seed, "rank", &[rank]).next_u64(),
        }
    }
}

/// One turn of a scene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Counted from 0 over all ranks.
    pub number: u64,
    /// Place in the list.
    pub entry: usize,
    /// The scene.
    pub scene: SceneSource,
    /// How often the scene had its turn before.
    pub visit: u64,
}

/// The turns of a list without end, in order.
///
/// Each round has as many turns as the list has entries. An entry of weight w gets its share of them, rounded up or
/// down by one draw a round, so equal weights mean that every scene comes once a round; the order within a round is
/// shuffled.
#[derive(Debug, Clone)]
pub struct Turns {
    list: Arc<SceneList>,
    seed: u64,
    rank: Rank,
    next: u64,
    /// Entries of the round of `next`, once it has begun.
    round: Vec<usize>,
    /// Turns that each entry has had.
    visits: Vec<u64>,
}

impl Turns {
    /// All turns of `rank`, from the first.
    pub fn new(list: Arc<SceneList>, seed: u64, rank: Rank) -> Self {
        Self {
            visits: vec![0; list.entries().len()],
            list,
            seed,
            rank,
            next: 0,
            round: Vec::new(),
        }
    }

    /// The list.
    pub fn list(&self) -> &SceneList {
        &self.list
    }

    /// Whether an entry stands for another flat at every turn.
    pub fn is_fresh(&self, entry: usize) -> bool {
        self.list.entries()[entry].scene == ListedSource::FreshFlats
    }

    /// The next turn, whoever's it is.
    fn advance(&mut self) -> Turn {
        let entries = self.list.entries();
        let (round, place) = (self.next / entries.len() as u64, self.next % entries.len() as u64);
        if place == 0 {
            self.round = draw_round(&self.list, self.seed, round);
        }
        let (number, entry) = (self.next, self.round[place as usize]);
        self.next += 1;
        let (scene, visit) = match &entries[entry].scene {
            ListedSource::Scene(scene) => (scene.clone(), self.visits[entry]),
            ListedSource::FreshFlats => {
                let seed = Rng::stream(self.seed, "fresh-flat", &[number]).next_u64();
                (SceneSource::Procedural(seed), 0)
            }
        };
        self.visits[entry] += 1;
        Turn {
            number,
            entry,
            scene,
            visit,
        }
    }
}

impl Iterator for Turns {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        loop {
            let turn = self.advance();
            if turn.number % self.rank.world == self.rank.rank {
                return Some(turn);
            }
        }
    }
}

/// The entries of a round in their order: systematic sampling by weight, then a shuffle.
fn draw_round(list: &SceneList, seed: u64, round: u64) -> Vec<usize> {
    let entries = list.entries();
    let mut rng = Rng::stream(seed, "turns", &[round]);
    let total: f64 = entries.iter().map(|entry| entry.weight).sum();
    let step = total / entries.len() as f64;
    let mut picked = Vec::with_capacity(entries.len());
    let (offset, mut end) = (rng.unit(), 0.0);
    for (place, entry) in entries.iter().enumerate() {
        end += entry.weight;
        let is_last = place + 1 == entries.len();
        // The last entry takes what rounding would leave over.
        while picked.len() < entries.len() && (is_last || (picked.len() as f64 + offset) * step < end) {
            picked.push(place);
        }
    }
    rng.shuffle(&mut picked);
    picked
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn list(specs: &[&str]) -> Arc<SceneList> {
        let specs: Vec<String> = specs.iter().map(|&spec| spec.to_owned()).collect();
        Arc::new(SceneList::parse(&specs, &[]).unwrap())
    }

    fn turns(specs: &[&str], seed: u64, count: usize) -> Vec<Turn> {
        Turns::new(list(specs), seed, Rank::default()).take(count).collect()
    }

    #[test]
    fn equal_weights_visit_every_scene_once_a_round() {
        let made = turns(&["procedural:0-6"], 3, 70);
        for (number, round) in made.chunks(7).enumerate() {
            let entries: BTreeSet<usize> = round.iter().map(|turn| turn.entry).collect();
            assert_eq!(entries.len(), 7, "round {number}");
            assert!(round.iter().all(|turn| turn.visit == number as u64));
        }
        assert_eq!(made, turns(&["procedural:0-6"], 3, 70));
        assert_ne!(made, turns(&["procedural:0-6"], 4, 70));
    }

    #[test]
    fn weights_are_shares_in_the_long_run() {
        let made = turns(&["0.5:procedural:0", "procedural:1", "2.5:procedural:2"], 1, 3000);
        for (entry, share) in [(0, 0.125), (1, 0.25), (2, 0.625)] {
            let count = made.iter().filter(|turn| turn.entry == entry).count() as f64;
            assert!((count / 3000.0 - share).abs() < 0.02, "entry {entry}: {count}");
        }
    }

    #[test]
    fn fresh_flats_never_come_back() {
        let made = turns(&["procedural:*", "procedural:1"], 5, 400);
        let flats = made.iter().filter(|turn| turn.entry == 0);
        let seeds: BTreeSet<String> = flats.map(|turn| turn.scene.to_string()).collect();
        assert_eq!(seeds.len(), 200);
    }

    #[test]
    fn ranks_share_the_turns_without_overlap() {
        let specs = ["2:procedural:0-4", "procedural:*"];
        let whole = turns(&specs, 9, 60);
        for world in [1, 2, 3, 5] {
            let mut together: Vec<Turn> = (0..world)
                .flat_map(|rank| {
                    let rank = Rank::new(rank, world).unwrap();
                    Turns::new(list(&specs), 9, rank).take(60 / world as usize)
                })
                .collect();
            together.sort_by_key(|turn| turn.number);
            assert_eq!(together, whole, "a world of {world}");
        }
        assert!(Rank::new(2, 2).is_err() && Rank::new(0, 0).is_err());
    }
}
