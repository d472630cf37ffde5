//! What every triangle of an invented flat belongs to.

/// Classes of the things in an invented flat; the discriminant is the semantic id of its triangles.
///
/// 0 is "unknown", which no triangle of a flat has. Ids are part of what a seed means: new classes are added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum FlatClass {
    Floor = 1,
    Ceiling,
    Wall,
    Trim,
    Beam,
    Door,
    Window,
    Curtain,
    Radiator,
    Stairs,
    Banister,
    Outside,
    Picture,
    Mirror,
    Clock,
    Lamp,
    Rug,
    Plant,
    Bed,
    Nightstand,
    Wardrobe,
    Dresser,
    Bookcase,
    Shelf,
    CoatRack,
    MediaUnit,
    Sofa,
    Armchair,
    Chair,
    Pouf,
    Table,
    Desk,
    Counter,
    Cabinet,
    Refrigerator,
    Bathtub,
    Basin,
    Toilet,
    WashingMachine,
    Hamper,
    Towel,
    Object,
}

/// Names of the semantic ids of an invented flat: id 0 is "unknown", id `k` is `FLAT_CLASSES[k]`.
pub const FLAT_CLASSES: [&str; 43] = [
    "unknown",
    "floor",
    "ceiling",
    "wall",
    "trim",
    "beam",
    "door",
    "window",
    "curtain",
    "radiator",
    "stairs",
    "banister",
    "outside",
    "picture",
    "mirror",
    "clock",
    "lamp",
    "rug",
    "plant",
    "bed",
    "nightstand",
    "wardrobe",
    "dresser",
    "bookcase",
    "shelf",
    "coat rack",
    "media unit",
    "sofa",
    "armchair",
    "chair",
    "pouf",
    "table",
    "desk",
    "counter",
    "cabinet",
    "refrigerator",
    "bathtub",
    "basin",
    "toilet",
    "washing machine",
    "hamper",
    "towel",
    "object",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_class_has_the_last_name() {
        assert_eq!(FLAT_CLASSES[FlatClass::Object as usize], "object");
        assert_eq!(FLAT_CLASSES[FlatClass::Sofa as usize], "sofa");
        assert_eq!(FLAT_CLASSES[FlatClass::Counter as usize], "counter");
        assert_eq!(FLAT_CLASSES.len(), FlatClass::Object as usize + 1);
    }
}
