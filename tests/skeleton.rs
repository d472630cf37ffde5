mod common;
#[test]
fn finds_or_skips() {
    let _ = common::shared("scenes");
}
