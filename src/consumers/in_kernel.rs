// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The uses in the kernel itself.

use super::{Use, Way};
use crate::inventory::facts::Target;
use crate::inventory::resolve::{Inventory, Probe};

/// Where the monitors of runtime verification are, each in a folder of its own.
const MONITORS: &str = "kernel/trace/rv/monitors/";

/// The uses in the kernel itself: RV monitors and all other code that attaches a probe.
/// By tracepoint, then place.
pub fn in_kernel(inventory: &Inventory) -> Vec<Use> {
    let hooks = inventory.tracepoints.iter();
    let mut uses: Vec<Use> = hooks
        .flat_map(|hook| hook.probes.iter().map(|probe| of(hook.name(), probe)))
        .collect();
    uses.sort();
    // A name may be declared in several headers, or branches of one.
    uses.dedup();
    uses
}

fn of(name: &str, probe: &Probe) -> Use {
    Use {
        tracepoint: name.to_owned(),
        consumer: subsystem(&probe.site.file),
        file: probe.site.file.to_string(),
        line: probe.site.at.line,
        way: match probe.target {
            Target::Function(_) => Way::Register,
            Target::Symbol(_) => Way::Symbol,
            Target::Name(_) => Way::Lookup,
        },
        gate: None,
        prototype: None,
    }
}

/// The monitor, as `rv/sco`, or the folder.
fn subsystem(file: &str) -> String {
    let monitor = file.strip_prefix(MONITORS);
    if let Some((monitor, _)) = monitor.and_then(|rest| rest.split_once('/')) {
        return format!("rv/{monitor}");
    }
    file.rsplit_once('/')
        .map_or(".", |(folder, _)| folder)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_is_a_consumer_and_else_the_folder_is() {
        assert_eq!(subsystem("kernel/trace/rv/monitors/sco/sco.c"), "rv/sco");
        assert_eq!(subsystem("kernel/trace/rv/rv.c"), "kernel/trace/rv");
        assert_eq!(subsystem("x.c"), ".");
    }
}
