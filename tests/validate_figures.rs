//! The figures of the report on tables whose answers are known by hand.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use covista::select::Bounds;
use covista::validate::stats::Spread;
use covista::validate::{
    MetricRule, PairKey, PairRow, PartnerScore, Pose, Reading, Summary, Table, Truth, TruthKind, mark_chosen, table,
};
use covista::view::Overlap;

fn rule(name: &str) -> MetricRule {
    MetricRule {
        name: name.into(),
        min_overlap: 0.5,
        max_overlap: 0.75,
        bounds: Bounds::Strict,
        min_laplacian_variance: 1000.0,
    }
}

fn both(value: f64) -> Overlap {
    Overlap {
        first_to_second: value,
        second_to_first: (value + 0.01).min(1.0),
    }
}

/// A pair of true overlap `truth` by every definition, of which the metric says `overlap`.
fn row(index: u64, place: u32, truth: f64, overlap: Option<f64>, texture: f64) -> PairRow {
    let rule = rule("m");
    let textures = [texture, 5000.0];
    PairRow {
        key: PairKey {
            scene: "a \"room\", with commas".into(),
            seed: 1,
            index,
            first: place / 16,
            second: 8 + place % 16,
        },
        poses: [Pose {
            eye: [0.1, 1.5, -2.0],
            heading_deg: 45.0,
        }; 2],
        texture: textures,
        valid: [1.0, 0.25],
        truth: Truth {
            covisibility: both(truth),
            iou: truth,
            patches: both(truth),
            croco: both(truth),
            hidden: both(0.1),
            ideal_homography: Some(truth),
            angle_deg: Some(f64::from(place)),
            baseline_m: 0.5,
            mean_depth_m: Some(1.0 / 3.0),
            planarity: None,
        },
        readings: vec![Reading {
            both: overlap.map(both),
            overlap,
            refusal: rule.refusal(overlap, textures, "too_few_matches"),
            matches: Some(30),
            inliers: Some(place),
            chosen: false,
            partners: overlap.map(|_| PartnerScore {
                right: 6,
                near: 2,
                wrong: 1,
                no_partner: 1,
            }),
        }],
    }
}

/// Eight positions of eight pairs; the metric is what `say` makes of the truth.
fn table(say: impl Fn(f64, u32) -> Option<f64>) -> Table {
    let mut rows = Vec::new();
    for index in 0..8 {
        let mut position: Vec<PairRow> = (0..8)
            .map(|place| {
                let truth = (f64::from(place) + 0.1 * index as f64) / 8.0;
                row(index, place, truth, say(truth, place), 2000.0)
            })
            .collect();
        mark_chosen(&mut position, 0);
        rows.extend(position);
    }
    Table {
        metrics: vec![rule("m")],
        rows,
    }
}

fn figure(summary: &Summary, truth: TruthKind, key: &str) -> Spread {
    let truths = &summary.metrics[0].truths;
    truths.iter().find(|t| t.truth == truth).unwrap().figures[key]
}

#[test]
fn a_metric_that_is_the_truth_is_perfect() {
    let summary = table(|truth, _| Some(truth)).summary(3);
    assert_eq!((summary.pairs, summary.positions), (64, 8));
    for truth in TruthKind::ALL {
        for (key, expected) in [
            ("answered", 1.0),
            ("pearson", 1.0),
            ("spearman", 1.0),
            ("bias", 0.0),
            ("mae", 0.0),
            ("precision", 1.0),
            ("recall", 1.0),
            ("f1", 1.0),
            ("kept_truly_below", 0.0),
            ("kept_truly_above", 0.0),
            ("chosen_precision", 1.0),
            ("window_roc_auc", 1.0),
            ("window_pr_auc", 1.0),
            ("half_roc_auc", 1.0),
            ("half_pr_auc", 1.0),
            ("patch_right", 0.6),
            ("patch_wrong", 0.1),
        ] {
            let spread = figure(&summary, truth, key);
            let values = [spread.value, spread.min, spread.max, spread.mean];
            let close = values.iter().all(|v| (v.unwrap() - expected).abs() < 1e-9);
            assert!(close, "{truth:?} {key}: {spread:?}");
            assert!(
                spread.sd.unwrap() < 1e-9 && spread.resamples == 100,
                "{key}: {spread:?}"
            );
        }
    }
    assert_eq!(summary.common.pairs, 64);
}

#[test]
fn a_metric_that_is_off_is_told_by_how_much() {
    // Too high by 0.1 everywhere: what is truly in (0.4, 0.65) is kept.
    let table = table(|truth, _| (truth < 0.9).then_some(truth + 0.1));
    let summary = table.summary(3);
    let value = |key: &str| figure(&summary, TruthKind::Covisibility, key).value.unwrap();
    let count = |of: &dyn Fn(f64) -> bool| table.rows.iter().filter(|row| of(row.truth.iou)).count() as f64;
    let inside = |v: f64| v > 0.5 && v < 0.75;
    let kept = |v: f64| inside(v + 0.1);
    assert!((value("bias") - 0.1).abs() < 1e-12 && (value("mae") - 0.1).abs() < 1e-12);
    assert!((value("pearson") - 1.0).abs() < 1e-12);
    assert_eq!(value("answered"), count(&|v| v < 0.9) / 64.0);
    assert_eq!(value("precision"), count(&|v| kept(v) && inside(v)) / count(&kept));
    assert_eq!(value("recall"), count(&|v| kept(v) && inside(v)) / count(&inside));
    assert_eq!(
        value("kept_truly_below"),
        count(&|v| kept(v) && v <= 0.5) / count(&kept)
    );
    // The chosen pair of a position is the smallest that is kept.
    let smallest = |position: &[PairRow]| {
        let kept = position.iter().map(|row| row.truth.iou).filter(|v| kept(*v));
        kept.min_by(f64::total_cmp).unwrap()
    };
    let hits = table
        .rows
        .chunks(8)
        .filter(|position| inside(smallest(position)))
        .count();
    assert!(hits > 0 && hits < 8, "{hits} tells little");
    assert_eq!(value("chosen_precision"), hits as f64 / 8.0);
    let outcomes = &summary.metrics[0].truths[1].outcomes_of_true_pairs;
    assert_eq!(outcomes["overlap_high"] as f64, count(&|v| inside(v) && !kept(v)));
}

#[test]
fn a_metric_without_answers_has_no_figures_but_counts() {
    let summary = table(|_, _| None).summary(0);
    assert_eq!(figure(&summary, TruthKind::Iou, "answered").value, Some(0.0));
    for key in ["pearson", "mae", "precision", "patch_right", "chosen_precision"] {
        assert_eq!(figure(&summary, TruthKind::Iou, key), Spread::default(), "{key}");
    }
    assert_eq!(figure(&summary, TruthKind::Iou, "recall").value, Some(0.0));
    // It tells nothing apart.
    assert_eq!(figure(&summary, TruthKind::Iou, "half_roc_auc").value, Some(0.5));
    assert_eq!(summary.metrics[0].outcomes["too_few_matches"], 64);
    assert_eq!(summary.common.pairs, 0);
}

#[test]
fn textureless_views_are_not_kept_however_good_the_overlap() {
    let kept = |texture| row(0, 0, 0.6, Some(0.6), texture).readings[0].kept();
    assert!(kept(1000.0) && !kept(999.0));
}

#[test]
fn a_bootstrap_follows_its_seed_and_varies() {
    let table = table(|truth, place| (place != 3).then_some((truth * truth + 0.3 * f64::from(place % 2)).min(1.0)));
    let (first, again, other) = (table.summary(1), table.summary(1), table.summary(2));
    assert_eq!(first, again);
    let key = |summary: &Summary| figure(summary, TruthKind::Patches, "pearson");
    assert_ne!(key(&first), key(&other));
    let spread = key(&first);
    assert!(spread.sd.unwrap() > 0.0 && spread.min < spread.value && spread.value < spread.max);
}

#[test]
fn splits_part_the_pairs() {
    let summary = table(|truth, _| Some(truth)).summary(1);
    for split in &summary.metrics[0].truths[0].splits {
        let pairs: usize = split.bins.iter().map(|bin| bin.pairs).sum();
        // Planarity is not known of these pairs; all else is.
        assert_eq!(pairs, if split.by == "planarity" { 0 } else { 64 }, "{}", split.by);
        assert!(split.bins.iter().all(|bin| bin.figures.is_empty() == (bin.pairs == 0)));
    }
    let parallax = &summary.metrics[0].truths[0].splits[1];
    let sizes: Vec<_> = parallax.bins.iter().map(|bin| bin.pairs).collect();
    assert_eq!((parallax.by.as_str(), sizes), ("parallax", vec![40, 24, 0, 0]));
}

#[test]
fn a_table_is_read_back_exactly() {
    let table = table(|truth, place| (place != 2).then_some(truth / 3.0));
    let text = table::header(&table.metrics) + &table::lines(&table.rows, &table.metrics);
    assert_eq!(Table::parse(&text, &table.metrics).unwrap(), table);
    let error = Table::parse(
        &text.replace("too_few_matches,30", "too_few_matches,thirty"),
        &table.metrics,
    );
    assert!(error.unwrap_err().to_string().contains("thirty"));
    let other = Table::parse(&text, &[rule("else")]).unwrap_err().to_string();
    assert!(other.contains("else.overlap_first"), "{other}");
    assert!(Table::parse("", &table.metrics).is_err());
}
