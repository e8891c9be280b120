//! Two connections as a whole, in memory and under virtual time: ICE, DTLS, SRTP and SCTP are
//! str0m's true ones, the network between them misbehaves from a seed.

mod data;
mod garbage;
mod world;
