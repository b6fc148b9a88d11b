// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Standard output, which knows afterwards why it could not be written.
//!
//! The writers of the formats hand errors of writing on in shapes of their own; what
//! is to be said about them is decided once, by what happened here.

use super::Colour;
use anstream::adapter::StripBytes;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsFd;

/// Standard output.
pub(super) struct Output {
    /// Not [`io::stdout`], which looks for the last line end in all that it is given.
    inner: BufWriter<File>,
    with_styles: bool,
    failed: Option<(ErrorKind, String)>,
}

impl Output {
    /// Standard output with colours as `colour` says.
    ///
    /// # Errors
    /// The process may open no more files.
    pub(super) fn new(colour: Colour) -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let with_styles = match colour {
            Colour::Auto => anstream::AutoStream::choice(&file) != anstream::ColorChoice::Never,
            Colour::Always => true,
            Colour::Never => false,
        };
        Ok(Self {
            inner: BufWriter::with_capacity(1 << 16, file),
            with_styles,
            failed: None,
        })
    }

    /// Standard output for what people read: drops styles where they are not wanted.
    /// What programs read has none, and not a byte of it may be dropped.
    pub(super) fn styled(&mut self) -> Styled<'_> {
        let strip = (!self.with_styles).then(StripBytes::new);
        Styled { out: self, strip }
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

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let done = self.inner.write_all(bytes);
        self.noted(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.inner.flush();
        self.noted(done)
    }
}

/// See [`Output::styled`].
pub(super) struct Styled<'a> {
    out: &'a mut Output,
    strip: Option<StripBytes>,
}

impl Write for Styled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(strip) = &mut self.strip else {
            return self.out.write(bytes);
        };
        for plain in strip.strip_next(bytes) {
            self.out.write_all(plain)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
