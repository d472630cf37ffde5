//! How well a score tells two classes apart: receiver operating characteristic and precision-recall.

use super::correlation::ascending;

/// Scores in descending order with the class of each.
#[derive(Debug, Clone)]
pub struct Ranking {
    scores: Vec<f64>,
    positive: Vec<bool>,
    /// Places by descending score.
    order: Vec<u32>,
}

/// The two curves, a point a distinct score.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// False positive rate and true positive rate, from (0, 0) to (1, 1).
    pub roc: Vec<[f64; 2]>,
    /// Recall and precision, ascending in recall.
    pub pr: Vec<[f64; 2]>,
    /// Area under the first curve: the chance that a positive scores above a negative, ties counted half.
    pub roc_area: Option<f64>,
    /// Average precision: `sum over distinct scores of (R_n - R_{n-1}) P_n`.
    pub pr_area: Option<f64>,
}

impl Ranking {
    /// Sorts the scores; those of `f64::NEG_INFINITY` (no answer) come last.
    pub fn new(scores: Vec<f64>, positive: Vec<bool>) -> Self {
        let mut order = ascending(&scores);
        order.reverse();
        Self {
            scores,
            positive,
            order,
        }
    }

    /// Positives and negatives after each distinct score, descending.
    fn steps<'a>(&'a self, weights: &'a [u32]) -> impl Iterator<Item = [f64; 2]> + 'a {
        let scores = &self.scores;
        self.order
            .chunk_by(|&a, &b| scores[a as usize] == scores[b as usize])
            .map(|equal| {
                let mut counts = [0.0; 2];
                for &i in equal {
                    counts[usize::from(!self.positive[i as usize])] += f64::from(weights[i as usize]);
                }
                counts
            })
    }

    /// Area under the receiver operating characteristic and average precision; `None` where one class is
    /// absent, or no positive is there.
    pub fn areas(&self, weights: &[u32]) -> [Option<f64>; 2] {
        let (mut positives, mut negatives) = (0.0, 0.0);
        let (mut above, mut average) = (0.0, 0.0);
        for [p, n] in self.steps(weights) {
            above += n * (positives + 0.5 * p);
            positives += p;
            negatives += n;
            if p > 0.0 {
                average += p * positives / (positives + negatives);
            }
        }
        [
            (positives > 0.0 && negatives > 0.0).then(|| above / (positives * negatives)),
            (positives > 0.0).then(|| average / positives),
        ]
    }

    /// The curves themselves.
    pub fn curves(&self, weights: &[u32]) -> Curves {
        let steps: Vec<[f64; 2]> = self.steps(weights).filter(|[p, n]| p + n > 0.0).collect();
        let total = steps
            .iter()
            .fold([0.0, 0.0], |sum, step| [sum[0] + step[0], sum[1] + step[1]]);
        let [roc_area, pr_area] = self.areas(weights);
        let mut curves = Curves {
            roc_area,
            pr_area,
            ..Curves::default()
        };
        let mut so_far = [0.0, 0.0];
        if roc_area.is_some() {
            curves.roc.push([0.0, 0.0]);
        }
        for [p, n] in steps {
            so_far = [so_far[0] + p, so_far[1] + n];
            if roc_area.is_some() {
                curves.roc.push([so_far[1] / total[1], so_far[0] / total[0]]);
            }
            if pr_area.is_some() {
                curves
                    .pr
                    .push([so_far[0] / total[0], so_far[0] / (so_far[0] + so_far[1])]);
            }
        }
        curves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas(scores: &[f64], positive: &[bool]) -> [Option<f64>; 2] {
        Ranking::new(scores.to_vec(), positive.to_vec()).areas(&vec![1; scores.len()])
    }

    #[test]
    fn areas_by_hand() {
        // Positives 0.9, 0.6, 0.4; negatives 0.7, 0.4, 0.1. Pairs won: 0.9 wins 3, 0.6 wins 2, 0.4 wins 1 and
        // ties 1: 6.5 of 9. Precision: 1/1 at 0.9, 2/3 at 0.6, 3/5 after the tie at 0.4.
        let scores = [0.9, 0.7, 0.6, 0.4, 0.4, 0.1];
        let positive = [true, false, true, true, false, false];
        let [roc, pr] = areas(&scores, &positive);
        assert!((roc.unwrap() - 6.5 / 9.0).abs() < 1e-12);
        assert!((pr.unwrap() - (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn perfect_reversed_and_blind_scores() {
        let positive = [false, false, true, true];
        assert_eq!(areas(&[1.0, 2.0, 3.0, 4.0], &positive), [Some(1.0), Some(1.0)]);
        assert_eq!(areas(&[4.0, 3.0, 2.0, 1.0], &positive)[0], Some(0.0));
        // One score for all: a coin, and the precision is the share of positives.
        assert_eq!(areas(&[7.0; 4], &positive), [Some(0.5), Some(0.5)]);
        assert_eq!(areas(&[f64::NEG_INFINITY; 4], &positive), [Some(0.5), Some(0.5)]);
    }

    #[test]
    fn one_class_alone_has_no_curve() {
        assert_eq!(areas(&[1.0, 2.0], &[true, true]), [None, Some(1.0)]);
        assert_eq!(areas(&[1.0, 2.0], &[false, false]), [None, None]);
        assert_eq!(areas(&[], &[]), [None, None]);
        let curves = Ranking::new(vec![1.0], vec![false]).curves(&[1]);
        assert!(curves.roc.is_empty() && curves.pr.is_empty());
    }

    #[test]
    fn the_area_is_that_of_the_curve() {
        let scores = [0.9, 0.7, 0.6, 0.4, 0.4, 0.1];
        let positive = [true, false, true, true, false, false];
        let weights = [1, 2, 0, 3, 1, 2];
        let curves = Ranking::new(scores.to_vec(), positive.to_vec()).curves(&weights);
        let trapezoids: f64 = curves
            .roc
            .windows(2)
            .map(|w| (w[1][0] - w[0][0]) * 0.5 * (w[0][1] + w[1][1]))
            .sum();
        assert!((trapezoids - curves.roc_area.unwrap()).abs() < 1e-12);
        assert_eq!((curves.roc[0], curves.roc.last()), ([0.0, 0.0], Some(&[1.0, 1.0])));
        assert_eq!(curves.pr.last().map(|p| p[0]), Some(1.0));
    }
}
