//! Where boxes and edges stand in a drawing: layers from left to right.
//!
//! In come the sizes of boxes, in topological order, and the edges between them with the heights of
//! their ports; out come points. Each box stands one layer after the last that it reads from. An
//! edge over several layers gets a waypoint in each between, which takes room like a box, so that
//! it runs around what is in its way. Layers are put in order, and in place, by what their items
//! are joined to.

use super::place::{Wish, place};

/// The empty rim of the drawing, in pixels.
const MARGIN: f64 = 24.0;

/// The room between two layers, in pixels: the longest label of an edge fits into it.
const LAYER_GAP: f64 = 172.0;

/// The room between two boxes of one layer, in pixels.
const BOX_GAP: f64 = 36.0;

/// The height of an edge that passes a layer, in pixels.
const LANE: f64 = 14.0;

/// How often the layers are put in order, once from the left and once from the right.
const SWEEPS: usize = 6;

/// A box's width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// An edge from one box to another, with the heights of both ports within their boxes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) from_height: f64,
    pub(super) to: usize,
    pub(super) to_height: f64,
}

/// A place in the drawing: from the left, from above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The whole drawing.
#[derive(Debug)]
pub(super) struct Layout {
    /// Its size.
    pub(super) size: Size,
    /// Each box's upper left corner.
    pub(super) boxes: Vec<Point>,
    /// Each edge's points, from port to port: pairs that enter and leave a layer.
    pub(super) paths: Vec<Vec<Point>>,
}

/// Lays out boxes and edges. Each edge leads to a box further on in the list.
pub(super) fn layout(sizes: &[Size], links: &[Link]) -> Layout {
    let mut net = Net::new(sizes, links);
    for _ in 0..SWEEPS {
        for layer in 1..net.layers.len() {
            net.arrange(layer, Side::Left);
        }
        for layer in (0..net.layers.len().saturating_sub(1)).rev() {
            net.arrange(layer, Side::Right);
        }
    }
    net.finish(sizes, links)
}

/// A box, or a waypoint of an edge.
struct Item {
    layer: usize,
    height: f64,
    y: f64,
    left: Vec<Tie>,
    right: Vec<Tie>,
}

/// What an item is joined to: an item of a layer beside it.
struct Tie {
    other: usize,
    /// How much higher the other's port is in its item than this one's in this item.
    rise: f64,
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

struct Net {
    items: Vec<Item>,
    /// The items of each layer, from above.
    layers: Vec<Vec<usize>>,
    /// The waypoints of each edge.
    ways: Vec<Vec<usize>>,
}

impl Net {
    fn new(sizes: &[Size], links: &[Link]) -> Self {
        let mut net = Self { items: Vec::new(), layers: Vec::new(), ways: Vec::new() };
        let layers = layers(sizes.len(), links);
        for (size, &layer) in sizes.iter().zip(&layers) {
            net.add(layer, size.height);
        }
        for link in links {
            let way: Vec<usize> = (layers[link.from] + 1..layers[link.to])
                .map(|layer| net.add(layer, LANE))
                .collect();
            let mut end = (link.from, link.from_height);
            for &item in &way {
                net.tie(end, (item, LANE / 2.0));
                end = (item, LANE / 2.0);
            }
            net.tie(end, (link.to, link.to_height));
            net.ways.push(way);
        }
        net
    }

    /// Adds an item at the lower end of its layer.
    fn add(&mut self, layer: usize, height: f64) -> usize {
        if self.layers.len() <= layer {
            self.layers.resize_with(layer + 1, Vec::new);
        }
        let above = self.layers[layer].last().map(|&item| &self.items[item]);
        let y = above.map_or(0.0, |above| above.y + above.height + BOX_GAP);
        let item = self.items.len();
        self.items.push(Item { layer, height, y, left: Vec::new(), right: Vec::new() });
        self.layers[layer].push(item);
        item
    }

    /// Joins two ports: (item, height within it).
    fn tie(&mut self, from: (usize, f64), to: (usize, f64)) {
        let rise = from.1 - to.1;
        self.items[from.0].right.push(Tie { other: to.0, rise: -rise });
        self.items[to.0].left.push(Tie { other: from.0, rise });
    }

    /// Puts a layer in the order, and as near as can be to the place, that its ties ask for.
    fn arrange(&mut self, layer: usize, side: Side) {
        let mut wanted: Vec<(f64, usize)> =
            self.layers[layer].iter().map(|&item| (self.wish(item, side), item)).collect();
        let middle = |&(start, item): &(f64, usize)| start + self.items[item].height / 2.0;
        wanted.sort_by(|one, other| middle(one).total_cmp(&middle(other)));
        let wish = |&(start, item): &(f64, usize)| Wish {
            start,
            length: self.items[item].height + BOX_GAP,
        };
        let wishes: Vec<Wish> = wanted.iter().map(wish).collect();
        self.layers[layer] = wanted.iter().map(|&(_, item)| item).collect();
        for (&item, y) in self.layers[layer].iter().zip(place(&wishes)) {
            self.items[item].y = y;
        }
    }

    /// The height at which the item's edges to one side would be level; where it is, without any.
    fn wish(&self, item: usize, side: Side) -> f64 {
        let item = &self.items[item];
        let ties = match side {
            Side::Left => &item.left,
            Side::Right => &item.right,
        };
        if ties.is_empty() {
            return item.y;
        }
        let sum: f64 = ties.iter().map(|tie| self.items[tie.other].y + tie.rise).sum();
        sum / ties.len() as f64
    }

    fn finish(self, sizes: &[Size], links: &[Link]) -> Layout {
        let top = self.items.iter().map(|item| item.y).fold(f64::INFINITY, f64::min);
        let y = |item: usize| self.items[item].y - top + MARGIN;
        let columns = self.columns(sizes);
        let left = |item: usize| columns[self.items[item].layer].0;
        let boxes: Vec<Point> =
            (0..sizes.len()).map(|item| Point { x: left(item), y: y(item) }).collect();
        let path = |(link, way): (&Link, &Vec<usize>)| {
            let (from, to) = (boxes[link.from], boxes[link.to]);
            let mut path =
                vec![Point { x: from.x + sizes[link.from].width, y: from.y + link.from_height }];
            for &item in way {
                let (start, end) = columns[self.items[item].layer];
                let y = y(item) + LANE / 2.0;
                path.extend([Point { x: start, y }, Point { x: end, y }]);
            }
            path.push(Point { x: to.x, y: to.y + link.to_height });
            path
        };
        let paths = links.iter().zip(&self.ways).map(path).collect();
        let bottom = (0..self.items.len()).map(|item| y(item) + self.items[item].height);
        let height = bottom.fold(MARGIN, f64::max) + MARGIN;
        let width = columns.last().map_or(MARGIN, |column| column.1) + MARGIN;
        Layout { size: Size { width, height }, boxes, paths }
    }

    /// Where each layer begins and ends, from the left.
    fn columns(&self, sizes: &[Size]) -> Vec<(f64, f64)> {
        let mut start = MARGIN;
        let mut columns = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let widths = layer.iter().filter_map(|&item| sizes.get(item)).map(|size| size.width);
            let end = start + widths.fold(0.0, f64::max);
            columns.push((start, end));
            start = end + LAYER_GAP;
        }
        columns
    }
}

/// The layer of each box: one after the last that it reads from.
fn layers(boxes: usize, links: &[Link]) -> Vec<usize> {
    let mut layers = vec![0; boxes];
    for at in 0..boxes {
        for link in links.iter().filter(|link| link.from == at) {
            assert!(link.from < link.to, "boxes are in topological order");
            layers[link.to] = layers[link.to].max(layers[at] + 1);
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOX: Size = Size { width: 100.0, height: 50.0 };

    fn link((from, to): (usize, usize)) -> Link {
        Link { from, from_height: 25.0, to, to_height: 25.0 }
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let layout = layout(&[BOX; 3], &[link((0, 1)), link((1, 2))]);
        let heights: Vec<f64> = layout.boxes.iter().map(|corner| corner.y).collect();
        assert_eq!(heights, [MARGIN; 3]);
        let step = BOX.width + LAYER_GAP;
        let columns: Vec<f64> = layout.boxes.iter().map(|corner| corner.x).collect();
        assert_eq!(columns, [MARGIN, MARGIN + step, MARGIN + 2.0 * step]);
    }

    #[test]
    fn an_edge_over_a_layer_runs_around_what_stands_there() {
        let layout = layout(&[BOX; 3], &[link((0, 1)), link((1, 2)), link((0, 2))]);
        let way = &layout.paths[2];
        assert_eq!(way.len(), 4);
        let passed = layout.boxes[1].y..layout.boxes[1].y + BOX.height;
        assert!(!passed.contains(&way[1].y), "{way:?} runs through {passed:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_boxes_overlap_and_all_stand_inside(
            pairs in prop::collection::vec((0usize..10, 0usize..10), 0..20),
        ) {
            let links: Vec<Link> = pairs.into_iter().filter(|p| p.0 < p.1).map(link).collect();
            let layout = layout(&[BOX; 10], &links);
            for (at, one) in layout.boxes.iter().enumerate() {
                prop_assert!(one.x >= 0.0 && one.x + BOX.width <= layout.size.width);
                prop_assert!(one.y >= 0.0 && one.y + BOX.height <= layout.size.height);
                for other in &layout.boxes[at + 1..] {
                    let apart = (one.x - other.x).abs() >= BOX.width
                        || (one.y - other.y).abs() >= BOX.height;
                    prop_assert!(apart, "{one:?} {other:?}");
                }
            }
        }
    }
}
