// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Text into tokens, directives, conditions, macro calls and functions.
//!
//! What lives here knows C's lexical grammar and the shape of preprocessor
//! directives, and nothing of tracepoints. Spans leave this folder; tree-sitter
//! nodes do not.

pub mod alternatives;
pub mod branches;
pub mod conditions;
pub mod directives;
pub mod expressions;
pub mod functions;
pub mod groups;
pub mod lexer;
pub mod lines;
pub mod objects;
pub mod outline;
