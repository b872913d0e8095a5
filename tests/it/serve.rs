//! The API server on the wire: its answers byte by byte, real clients, and state that is kept.
//! A client whose toolchain is not there is passed over, and the test says so.

mod clients;
mod faults;
mod kept;
mod process;
mod wire;
