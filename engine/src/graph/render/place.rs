//! Places things on a line as near as can be to where they want to be, without overlap.

/// A thing of some length, and where it would like to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Where it would like to begin.
    pub(super) start: f64,
    /// Its length, with the gap after it.
    pub(super) length: f64,
}

/// Things that touch, and so move together.
struct Block {
    /// Where it begins.
    start: f64,
    /// The sum of its lengths.
    length: f64,
    /// How many things it has.
    count: usize,
}

/// Where each thing begins: in the order given, with the least sum of squared distances from the
/// wishes. Blocks that would overlap are joined and begin at the mean of what their things want.
pub(super) fn place(wishes: &[Wish]) -> Vec<f64> {
    let mut blocks: Vec<Block> = Vec::new();
    for wish in wishes {
        let mut block = Block { start: wish.start, length: wish.length, count: 1 };
        while let Some(before) = blocks.pop_if(|before| before.start + before.length > block.start)
        {
            block = join(&before, &block);
        }
        blocks.push(block);
    }
    let mut starts = Vec::with_capacity(wishes.len());
    for block in blocks {
        let mut start = block.start;
        for wish in &wishes[starts.len()..starts.len() + block.count] {
            starts.push(start);
            start += wish.length;
        }
    }
    starts
}

fn join(one: &Block, other: &Block) -> Block {
    let (ones, others) = (one.count as f64, other.count as f64);
    let start = (one.start * ones + (other.start - one.length) * others) / (ones + others);
    Block { start, length: one.length + other.length, count: one.count + other.count }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wishes(pairs: &[(f64, f64)]) -> Vec<Wish> {
        pairs.iter().map(|&(start, length)| Wish { start, length }).collect()
    }

    #[test]
    fn wishes_that_fit_are_granted_and_others_share() {
        for (pairs, expected) in [
            (vec![], vec![]),
            (vec![(3.0, 1.0), (9.0, 1.0)], vec![3.0, 9.0]),
            (vec![(5.0, 2.0), (5.0, 2.0)], vec![4.0, 6.0]),
            (vec![(0.0, 1.0), (10.0, 4.0), (10.0, 4.0)], vec![0.0, 8.0, 12.0]),
        ] {
            assert_eq!(place(&wishes(&pairs)), expected, "{pairs:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn nothing_overlaps(pairs in prop::collection::vec((0.0..100.0, 1.0..20.0), 0..20)) {
            let wishes = wishes(&pairs);
            let starts = place(&wishes);
            prop_assert_eq!(starts.len(), wishes.len());
            for (at, pair) in starts.windows(2).enumerate() {
                prop_assert!(pair[0] + wishes[at].length <= pair[1] + 1e-6);
            }
        }
    }
}
