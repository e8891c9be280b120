//! An order in which each node comes after all that it reads from, or the circles that prevent one.
//!
//! Among nodes that could come next, the first of the file comes first, so that the order, and with
//! it every drawing and log, changes no more than the pipeline does.

use std::collections::{BTreeSet, VecDeque};

use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

type Net = DiGraph<(), ()>;

/// The order of `nodes` nodes, joined by `edges` from one to another.
///
/// # Errors
/// The circles: each as the edges of a shortest one, in order, by their places in `edges`. Circles
/// that share nodes are told as one.
pub(crate) fn order(nodes: usize, edges: &[(usize, usize)]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let net = net(nodes, edges);
    let mut waits: Vec<usize> = net
        .node_indices()
        .map(|node| net.edges_directed(node, Direction::Incoming).count())
        .collect();
    let mut ready: BTreeSet<usize> = (0..nodes).filter(|&node| waits[node] == 0).collect();
    let mut order = Vec::with_capacity(nodes);
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for edge in net.edges(NodeIndex::new(node)) {
            let next = edge.target().index();
            waits[next] -= 1;
            if waits[next] == 0 {
                ready.insert(next);
            }
        }
    }
    if order.len() == nodes { Ok(order) } else { Err(circles(&net)) }
}

fn net(nodes: usize, edges: &[(usize, usize)]) -> Net {
    let mut net = Net::with_capacity(nodes, edges.len());
    for _ in 0..nodes {
        net.add_node(());
    }
    for &(from, to) in edges {
        net.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
    }
    net
}

fn circles(net: &Net) -> Vec<Vec<usize>> {
    let mut circles: Vec<Vec<usize>> =
        tarjan_scc(net).iter().filter_map(|part| circle(net, part)).collect();
    circles.sort();
    circles
}

/// A shortest circle through the first node of a strongly connected part.
fn circle(net: &Net, part: &[NodeIndex]) -> Option<Vec<usize>> {
    let start = *part.iter().min()?;
    let mut came_by: Vec<Option<EdgeIndex>> = vec![None; net.node_count()];
    let mut next = VecDeque::from([start]);
    while let Some(node) = next.pop_front() {
        let mut edges: Vec<_> = net.edges(node).collect();
        edges.sort_by_key(|edge| edge.id());
        for edge in edges {
            if edge.target() == start {
                return Some(path(net, &came_by, start, edge.id()));
            }
            let seen = &mut came_by[edge.target().index()];
            if seen.is_none() {
                *seen = Some(edge.id());
                next.push_back(edge.target());
            }
        }
    }
    None
}

/// The edges from `start` to the one that leads back to it.
fn path(net: &Net, came_by: &[Option<EdgeIndex>], start: NodeIndex, last: EdgeIndex) -> Vec<usize> {
    let mut path = vec![last.index()];
    let mut at = source(net, last);
    while at != start {
        let edge = came_by[at.index()].expect("the search came here by an edge");
        path.push(edge.index());
        at = source(net, edge);
    }
    path.reverse();
    path
}

fn source(net: &Net, edge: EdgeIndex) -> NodeIndex {
    net.edge_endpoints(edge).expect("the edge is the net's own").0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equals_keep_the_order_of_the_file() {
        for (nodes, edges, expected) in [
            (4, vec![], vec![0, 1, 2, 3]),
            (4, vec![(3, 0)], vec![1, 2, 3, 0]),
            (4, vec![(0, 2), (0, 1), (2, 3), (1, 3)], vec![0, 1, 2, 3]),
            (3, vec![(2, 1), (2, 1), (1, 0)], vec![2, 1, 0]),
        ] {
            assert_eq!(order(nodes, &edges), Ok(expected), "{edges:?}");
        }
    }

    #[test]
    fn circles_are_told_by_their_edges() {
        for (nodes, edges, expected) in [
            (1, vec![(0, 0)], vec![vec![0]]),
            (3, vec![(0, 1), (1, 2), (2, 0)], vec![vec![0, 1, 2]]),
            (4, vec![(0, 1), (1, 0), (2, 3), (3, 2)], vec![vec![0, 1], vec![2, 3]]),
            (3, vec![(0, 1), (1, 2), (2, 1)], vec![vec![1, 2]]),
        ] {
            assert_eq!(order(nodes, &edges), Err(expected), "{edges:?}");
        }
    }

    fn any_edges() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
        (1usize..12).prop_flat_map(|nodes| {
            (Just(nodes), prop::collection::vec((0..nodes, 0..nodes), 0..30))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn each_node_comes_after_what_it_reads_from((nodes, edges) in any_edges()) {
            match order(nodes, &edges) {
                Ok(order) => {
                    prop_assert_eq!(order.len(), nodes);
                    let place = |node| order.iter().position(|&one| one == node);
                    prop_assert!(edges.iter().all(|&(from, to)| place(from) < place(to)));
                }
                Err(circles) => {
                    prop_assert!(!circles.is_empty());
                    for circle in circles {
                        let next = circle.iter().cycle().skip(1);
                        prop_assert!(
                            circle.iter().zip(next).all(|(&one, &next)| edges[one].1 == edges[next].0)
                        );
                    }
                }
            }
        }
    }
}
