#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::print_stderr
)]
use barepoint::inventory::{resolve::*, scan};
use barepoint::kernel::semantics::Semantics;
use barepoint::source::Tree;
use std::sync::Arc;
struct T(String);
impl Tree for T {
    fn name(&self) -> String {
        self.0.clone()
    }
    fn read(&self, p: &str) -> anyhow::Result<Option<Arc<[u8]>>> {
        Ok(std::fs::read(format!("{}/{p}", self.0)).ok().map(Arc::from))
    }
    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let n = self.0.len() + 1;
        ignore::WalkBuilder::new(&self.0)
            .standard_filters(false)
            .threads(2)
            .build_parallel()
            .run(|| {
                Box::new(move |e| {
                    let e = e.unwrap();
                    if e.file_type().is_some_and(|t| t.is_file()) {
                        let p = e.path().to_str().unwrap();
                        let rel = &p[n..];
                        if wanted(rel) {
                            visit(rel, &std::fs::read(p).unwrap());
                        }
                    }
                    ignore::WalkState::Continue
                })
            });
        Ok(())
    }
    fn paths(&self, _: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>> {
        todo!()
    }
}
fn main() {
    let root = std::env::args().nth(1).unwrap();
    let root = std::fs::canonicalize(root)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let tree = T(root);
    let t = std::time::Instant::now();
    let s = Semantics::read(&|p| tree.read(p).unwrap()).unwrap();
    eprintln!("semantics {:?}", t.elapsed());
    let facts = scan::facts_of(&tree, &s).unwrap();
    eprintln!("facts {:?} {}", t.elapsed(), facts.len());
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
            tp.definitions.len(),
            tp.probes.len(),
            tp.file,
            tp.declaration.condition.render().unwrap_or_default()
        );
    }
}
