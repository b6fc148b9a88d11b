// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! All integration tests: one binary, which is compiled and linked once. A topic is a
//! file here, and its tests are run by its name: `cargo test --test it rules::`.
//!
//! What needs a whole kernel tree is in a module that is called `trees`, whatever its
//! topic, and nothing else may be called so: `-- --skip trees::` runs without kernels.

mod encodings;
mod fixtures;
mod kernels;
mod random;
mod series;
mod workplace;

mod apply;
mod approval;
mod checkpatch;
mod choice;
mod cli;
mod consumers;
mod diff;
mod faults;
mod hostile;
mod joining;
mod law;
mod mails;
mod porting;
mod printed;
mod promote;
mod properties;
mod pushes;
mod ranges;
mod readme;
mod report;
mod rules;
mod source;
mod trailers;
mod trees;
mod verify;
mod version;
mod versions;
