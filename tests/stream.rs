//! The stream: deterministic draws, bounded memory, an end when dropped, errors passed on.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use covista::camera::{Camera, Intrinsics};
use covista::stream::{PairStream, StreamConfig, StreamError, StreamPlace};
use covista::view::{Correspondence, DepthMap, PairOrigin, PairOverlaps, PairPlace, View, ViewPair};
use glam::DVec3;

fn pair(index: u64, size: u32) -> ViewPair {
    let view = |value: u8| {
        Arc::new(View {
            camera: Camera::level(Intrinsics::from_hfov(size, size, 1.0), DVec3::ZERO, 0.0),
            color: image::RgbImage::from_pixel(size, size, image::Rgb([value; 3])),
            depth: DepthMap {
                width: size,
                height: size,
                metres: vec![1.0; (size * size) as usize],
            },
        })
    };
    ViewPair {
        first: view(index as u8),
        second: view(index as u8 ^ 0x80),
        overlaps: PairOverlaps::default(),
        correspondence: Correspondence::default(),
        true_correspondence: Correspondence::default(),
        origin: PairOrigin {
            scene: "s".into(),
            scene_hash: String::new(),
            seed: 0,
            index,
            views: [0, 8],
        },
    }
}

fn endless(delay: Duration) -> impl Iterator<Item = Result<ViewPair, String>> {
    (0..).map(move |index| {
        std::thread::sleep(delay);
        Ok(pair(index, 4))
    })
}

fn config() -> StreamConfig {
    StreamConfig {
        ring_pairs: 6,
        reuse: 3,
        warm_pairs: 4,
        channel_pairs: 2,
        ..StreamConfig::default()
    }
}

#[test]
fn draws_do_not_depend_on_timing() {
    let draw = |delay_ms, seed| {
        let mut stream = PairStream::spawn(move || endless(Duration::from_millis(delay_ms)), &config(), seed).unwrap();
        (0..20).map(|_| stream.next_batch(5).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(draw(0, 1), draw(3, 1), "a slow generator gives the same batches");
    assert_ne!(draw(0, 1), draw(0, 2), "another seed draws otherwise");
}

#[test]
fn each_pair_is_drawn_about_reuse_times_and_the_ring_moves_on() {
    let mut stream = PairStream::spawn(|| endless(Duration::ZERO), &config(), 7).unwrap();
    let indices: Vec<u64> = (0..300).flat_map(|_| stream.next_batch(4).unwrap().indices).collect();
    assert_eq!(stream.stats().draws, 1200);
    // 4 warm pairs and one more before every third draw but the first.
    assert_eq!(stream.stats().pairs_received, 4 + 1199 / 3);
    for (draw, &index) in indices.iter().enumerate() {
        let newest = 4 + draw as u64 / 3;
        assert!(
            index < newest && index + 6 >= newest,
            "draw {draw} gave pair {index}, outside a ring of 6"
        );
    }
}

#[test]
fn bytes_are_the_pairs_own() {
    let mut stream = PairStream::spawn(|| endless(Duration::ZERO), &config(), 3).unwrap();
    let batch = stream.next_batch(8).unwrap();
    assert_eq!(batch.shape, [8, 4, 4, 3]);
    for (place, &index) in batch.indices.iter().enumerate() {
        let bytes = place * 48..(place + 1) * 48;
        assert!(batch.first[bytes.clone()].iter().all(|&b| b == index as u8));
        assert!(batch.second[bytes].iter().all(|&b| b == index as u8 ^ 0x80));
    }
}

#[test]
fn pictures_enter_the_ring_as_small_as_asked() {
    let config = StreamConfig { shrink: 2, ..config() };
    let mut stream = PairStream::spawn(|| endless(Duration::ZERO), &config, 3).unwrap();
    let batch = stream.next_batch(3).unwrap();
    assert_eq!((batch.shape, batch.first.len()), ([3, 2, 2, 3], 36));
    assert!(batch.first[..12].iter().all(|&b| b == batch.indices[0] as u8));
}

#[test]
fn dropping_ends_the_generator() {
    let made = Arc::new(AtomicUsize::new(0));
    let alive = Arc::new(());
    let (counter, token) = (Arc::clone(&made), Arc::clone(&alive));
    let mut stream = PairStream::spawn(
        move || {
            endless(Duration::ZERO).inspect(move |_| {
                let _held_while_running = &token;
                counter.fetch_add(1, Ordering::SeqCst);
            })
        },
        &config(),
        0,
    )
    .unwrap();
    stream.next_batch(1).unwrap();
    drop(stream);
    assert_eq!(
        Arc::strong_count(&alive),
        1,
        "the thread was joined and its generator dropped"
    );
    // 4 warm pairs, 2 in the channel, one in hand and one being offered.
    assert!(
        made.load(Ordering::SeqCst) <= 8,
        "{} pairs were made ahead",
        made.load(Ordering::SeqCst)
    );
}

#[test]
fn a_finite_source_goes_on_from_the_ring() {
    let mut stream = PairStream::spawn(|| endless(Duration::ZERO).take(5), &config(), 0).unwrap();
    for _ in 0..50 {
        assert_eq!(stream.next_batch(2).unwrap().indices.len(), 2);
    }
    assert_eq!(stream.stats().pairs_received, 5);
}

#[test]
fn a_restored_stream_goes_on_where_it_was() {
    // The source of a restored stream gives the ring's pairs again and then those that follow.
    let from = |place: StreamPlace| {
        let ring: Vec<u64> = place.ring.iter().map(|pair| pair.index).collect();
        let next = ring.last().map_or(0, |last| last + 1);
        let make = move || {
            ring.into_iter()
                .chain(next..)
                .map(|index| Ok::<_, String>(pair(index, 4)))
        };
        PairStream::spawn(make, &config(), 5).unwrap().restored(&place)
    };
    let mut whole = from(StreamPlace::default());
    for before in [0, 1, 7, 40] {
        for _ in 0..before {
            whole.next_batch(5).unwrap();
        }
        let place = whole.place();
        let text = serde_json::to_string(&place).unwrap();
        let mut restored = from(serde_json::from_str(&text).unwrap());
        assert_eq!(restored.place(), place, "also before the pairs have come");
        let mut again = from(place.clone());
        for _ in 0..4 {
            let batch = whole.next_batch(5).unwrap();
            assert_eq!(restored.next_batch(5).unwrap(), batch);
            assert_eq!(again.next_batch(5).unwrap(), batch);
        }
        assert_eq!(restored.place(), whole.place());
    }
    let wrong = StreamPlace {
        ring: vec![PairPlace {
            index: 9,
            ..Default::default()
        }],
        received: 10,
        draws: 3,
    };
    let other = || (3..).map(|index| Ok::<_, String>(pair(index, 4)));
    let mut stream = PairStream::spawn(other, &config(), 5).unwrap().restored(&wrong);
    assert!(matches!(stream.next_batch(1), Err(StreamError::OtherPair { .. })));
}

#[test]
fn failures_reach_the_caller() {
    let broken = || endless(Duration::ZERO).take(2).chain([Err("lost".to_owned())]);
    let mut stream = PairStream::spawn(broken, &config(), 0).unwrap();
    assert!(matches!(stream.next_batch(1), Err(StreamError::Source(message)) if message == "lost"));

    let mut stream = PairStream::spawn(|| endless(Duration::ZERO).take(2), &config(), 0).unwrap();
    assert!(matches!(
        stream.next_batch(1),
        Err(StreamError::TooFewPairs { received: 2, needed: 4 })
    ));

    let panics = || {
        (0..3).map(|index| {
            assert!(index < 1, "a decoder gave up");
            Ok::<_, String>(pair(index, 4))
        })
    };
    let mut stream = PairStream::spawn(panics, &config(), 0).unwrap();
    assert!(matches!(stream.next_batch(1), Err(StreamError::WorkerPanicked)));

    let grows = || (0..).map(|index| Ok::<_, String>(pair(index, 4 + 4 * (index as u32 / 2))));
    let mut stream = PairStream::spawn(grows, &config(), 0).unwrap();
    assert!(matches!(
        stream.next_batch(1),
        Err(StreamError::SizeChanged {
            expected: (4, 4),
            got: (8, 8)
        })
    ));
}
