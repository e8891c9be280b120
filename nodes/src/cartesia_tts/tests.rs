//! The node against a provider's end that is scripted by hand from the reference.

mod end;
mod faults;
mod flow;
