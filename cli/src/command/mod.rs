//! One file for each command.

pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod dispatch;
pub(crate) mod graph;
pub(crate) mod migrate;
pub(crate) mod nodes;
pub(crate) mod playground;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod seed;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod token;
pub(crate) mod worker;
