// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Standard output, which knows afterwards why it could not be written.
//!
//! The writers of the formats hand errors of writing on in shapes of their own; what
//! is to be said about them is decided once, by what happened here.

use super::Colour;
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};

/// Standard output that drops styles where they are not wanted.
pub(super) struct Output {
    inner: BufWriter<anstream::AutoStream<Stdout>>,
    failed: Option<(ErrorKind, String)>,
}

impl Output {
    /// Standard output with colours as `colour` says.
    pub(super) fn new(colour: Colour) -> Self {
        let choice = match colour {
            Colour::Auto => anstream::AutoStream::choice(&io::stdout()),
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        };
        let stream = anstream::AutoStream::new(io::stdout(), choice);
        Self {
            inner: BufWriter::with_capacity(1 << 16, stream),
            failed: None,
        }
    }

    /// Whether its reader went away, which is no error to complain about.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.failed, Some((ErrorKind::BrokenPipe, _)))
    }

    /// Why it could not be written, if that is so.
    pub(super) fn failure(&self) -> Option<String> {
        let (_, why) = self.failed.as_ref()?;
        Some(failure(why))
    }

    fn noted<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done
            && error.kind() != ErrorKind::Interrupted
        {
            self.failed = Some((error.kind(), error.to_string()));
        }
        done
    }
}

/// That standard output could not be written, and why.
pub(super) fn failure(why: &str) -> String {
    format!("cannot write to standard output: {why}")
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.inner.write(bytes);
        self.noted(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.inner.flush();
        self.noted(done)
    }
}
