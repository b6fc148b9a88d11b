#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::print_stderr
)]
use barepoint::inventory::{resolve::*, scan};
use barepoint::kernel::semantics::Semantics;
use barepoint::source::Tree;

fn main() {
    let root = std::env::args().nth(1).unwrap();
    let root = std::fs::canonicalize(root)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let tree = barepoint::source::disk::DiskTree::open(std::path::Path::new(&root)).unwrap();
    let t = std::time::Instant::now();
    let s = Semantics::read(&|p| tree.read(p).unwrap()).unwrap();
    eprintln!("semantics {:?}", t.elapsed());
    let facts = scan::facts_of(&tree, &s).unwrap();
    eprintln!("facts {:?} {}", t.elapsed(), facts.len());
    debug(&facts);
    let i = Inventory::of(&facts, &s);
    eprintln!("resolved {:?} {}", t.elapsed(), i.tracepoints.len());
    for tp in &i.tracepoints {
        println!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            tp.name(),
            if tp.is_bare() { "bare" } else { "event" },
            if tp.bpf { "yes" } else { "no" },
            if tp.exports.is_empty() {
                "-"
            } else if tp.exports.iter().any(|e| !e.1) {
                "plain"
            } else {
                "gpl"
            },
            tp.call_sites.len(),
            tp.guards.len(),
            tp.definitions
                .iter()
                .map(|d| format!("{}:{}", d.file, d.at.line))
                .collect::<Vec<_>>()
                .join(","),
            tp.probes.len(),
            tp.file,
            tp.declaration.condition.render().unwrap_or_default()
        );
    }
}
#[allow(dead_code)]
fn debug(facts: &FactsByPath) {
    eprintln!(
        "{:?}",
        facts.get("kernel/sched/core.c").map(|f| &f.includes)
    );
}
