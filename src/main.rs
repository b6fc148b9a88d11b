// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The command: hands over to the library and exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    barepoint::cli::main()
}
