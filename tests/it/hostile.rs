// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Trees, repositories and files that are made to keep whoever reads them busy, to make
//! him wait, or to bring him down: he says so in one line, soon, and ends with 2.

use crate::workplace::{BINARY, Workplace, finished};
use git2::{ObjectType, Oid, Repository};
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::Output;

/// Time of the processor in seconds, and memory in KiB: the limits of the design, twice,
/// as these binaries are not optimised.
const LIMITS: &str = "ulimit -t 20; ulimit -v 1100000; ";
/// What nothing takes that waits for nobody.
const PATIENCE: &str = "60";

/// A scratch folder with `kernel`, a copy of a small tree, where all runs within limits.
struct Place(Workplace);

impl Deref for Place {
    type Target = Workplace;

    fn deref(&self) -> &Workplace {
        &self.0
    }
}

impl Place {
    fn new() -> Self {
        Self(Workplace::new())
    }

    /// With the tree as a repository of two commits.
    fn with_repository() -> Self {
        let place = Self::new();
        place.sh(
            "cd kernel && git init -q . && git config user.name A && git config user.email a@b.c \
             && git add -A && git commit -qm one \
             && echo '/* x */' >>fs/inode.c && git commit -qam two",
        );
        place
    }

    /// What bash does here, with `$B` for the binary, within the limits.
    fn shell(&self, script: &str) -> Output {
        let mut command = self.command("timeout");
        let script = format!("{LIMITS}{script}");
        let command = command.args([PATIENCE, "bash", "-c", &script]);
        finished(command.env("B", BINARY))
    }

    fn sh(&self, script: &str) {
        let output = self.shell(script);
        assert!(output.status.success(), "{script}: {output:?}");
    }

    /// Runs `$B` with these arguments: it has to fail with one line that has all `parts`.
    fn fails(&self, arguments: &str, parts: &[&str]) {
        one_line(
            &self.shell(&format!("exec \"$B\" {arguments}")),
            arguments,
            parts,
        );
    }

    fn succeeds(&self, arguments: &str) {
        let output = self.shell(&format!("\"$B\" {arguments} >out"));
        let is_quiet = output.status.code() == Some(0) && output.stderr.is_empty();
        assert!(is_quiet, "{arguments}: {output:?}");
    }
}

fn one_line(output: &Output, what: &str, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{what}: {output:?}");
    assert_eq!(stderr.lines().count(), 1, "{what}: {stderr}");
    assert!(!stderr.contains("a bug in"), "{what}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{what}: no {part:?} in {stderr}");
    }
}

mod globs {
    use super::*;

    /// A file of zones with this path, and this exception.
    fn zones(path: &str, except: &str) -> String {
        format!(
            "[[zone]]\nname = \"x\"\nsection = \"X\"\nvisibility = \"bpf\"\npaths = ['{path}']\n\
             except = [{{ path = '{except}', reason = \"x\" }}]\n"
        )
    }

    #[test]
    fn of_a_tree() {
        let place = Place::new();
        let classes = "[\u{80}-\u{10ffff}]".repeat(80);
        for (path, except) in [
            ("{a,b}".repeat(200), "x".to_owned()),
            (
                "x".to_owned(),
                format!("{}{}", "{".repeat(900), "}".repeat(900)),
            ),
            ("x".to_owned(), "*?".repeat(40_000)),
        ] {
            place.write("kernel/.barepoint.toml", zones(&path, &except));
            place.fails("check --tree kernel", &[".barepoint.toml", "the glob "]);
        }
        let many: Vec<String> = (0..4000).map(|n| format!("'{classes}{n}'")).collect();
        let text = zones("PATHS", "x").replace("'PATHS'", &many.join(","));
        place.write("kernel/.barepoint.toml", text);
        place.fails("check --tree kernel", &[".barepoint.toml", "MiB"]);
        fs::remove_file(place.path("kernel/.barepoint.toml")).expect("removed");
        place.write("own.toml", "[".repeat(500_000));
        place.fails("check --tree kernel --zones own.toml", &["own.toml:1"]);
        place.write("own.toml", format!("x = {}", "{a=".repeat(200_000)));
        place.fails("check --tree kernel --zones own.toml", &["own.toml"]);
    }

    #[test]
    fn of_others() {
        let place = Place::new();
        let bomb = "{a,".repeat(3000);
        let text = fs::read_to_string(place.path("kernel/MAINTAINERS")).expect("a file");
        place.write(
            "kernel/MAINTAINERS",
            format!("{text}\nX\nM:\ta@b.c\nF:\t{bomb}\n"),
        );
        place.succeeds("promote sched_overutilized --tree kernel");
        fs::create_dir(place.path("consumer")).expect("a folder");
        place.write("consumer/x.sh", format!("perf record -e 'sched:{bomb}*'\n"));
        place.succeeds("report --tree kernel --consumers consumer");
        place.fails(
            &format!("list --tree kernel --name '{bomb}'"),
            &["the glob "],
        );
        let classes = "[!a]".repeat(2000);
        place.fails(
            &format!("list --tree kernel --path '{classes}'"),
            &["the glob "],
        );
    }
}

mod git_trees {
    use super::*;

    /// Writes a folder as it is.
    fn folder(repository: &Repository, entries: &[(&str, &str, Oid)]) -> Oid {
        let mut raw = Vec::new();
        for (mode, name, id) in entries {
            raw.extend(format!("{mode} {name}\0").as_bytes());
            raw.extend(id.as_bytes());
        }
        let odb = repository.odb().expect("a store");
        odb.write(ObjectType::Tree, &raw).expect("a tree")
    }

    /// Commits the tree with its top folder `zz` replaced.
    fn commit(place: &Place, zz: (&str, Oid)) -> String {
        let repository = Repository::open(place.path("kernel")).expect("a repository");
        let head = repository.head().and_then(|head| head.peel_to_commit());
        let head = head.expect("a commit");
        let tree = head.tree().expect("a tree");
        let mut raw = Vec::new();
        for entry in &tree {
            let mode = entry.filemode_raw();
            raw.extend(format!("{mode:o} ").as_bytes());
            raw.extend([entry.name_bytes(), b"\0", entry.id().as_bytes()].concat());
        }
        raw.extend(format!("{} zz\0", zz.0).as_bytes());
        raw.extend(zz.1.as_bytes());
        let odb = repository.odb().expect("a store");
        let id = odb.write(ObjectType::Tree, &raw).expect("a tree");
        let text = format!(
            "tree {id}\nparent {}\nauthor A <a@b.c> 0 +0000\ncommitter A <a@b.c> 0 +0000\n\nx\n",
            head.id()
        );
        let id = odb
            .write(ObjectType::Commit, text.as_bytes())
            .expect("a commit");
        id.to_string()
    }

    fn is_refused(place: &Place, zz: (&str, Oid), part: &str) {
        let id = commit(place, zz);
        place.fails(&format!("check --tree kernel --git {id}"), &[part]);
        place.fails(&format!("diff kernel@{id} 7.3"), &[part]);
    }

    #[test]
    fn that_grow_without_end() {
        let place = Place::with_repository();
        let repository = Repository::open(place.path("kernel")).expect("a repository");
        let blob = repository.blob(b"TRACE_EVENT(x)\n").expect("a blob");
        let names: Vec<String> = (0..64).map(|number| format!("{number:02}")).collect();
        let mut below = ("100644", blob);
        for _ in 0..8 {
            let all: Vec<_> = names
                .iter()
                .map(|name| (below.0, &**name, below.1))
                .collect();
            below = ("40000", folder(&repository, &all));
        }
        is_refused(&place, below, "over 400000 files");
        let mut deep = ("100644", blob);
        for _ in 0..3000 {
            deep = ("40000", folder(&repository, &[(deep.0, "d", deep.1)]));
        }
        is_refused(&place, deep, "deeper than 64");
    }

    #[test]
    fn that_git_fsck_refuses() {
        let place = Place::with_repository();
        let repository = Repository::open(place.path("kernel")).expect("a repository");
        let blob = repository.blob(b"int x;\n").expect("a blob");
        let empty = folder(&repository, &[]);
        for (entries, part) in [
            (
                vec![("100644", "x.c", blob), ("100644", "x.c", blob)],
                "twice",
            ),
            (
                vec![("100644", "x.c", blob), ("40000", "x.c", empty)],
                "twice",
            ),
            (vec![("40000", ".git", empty)], "no name"),
            (vec![("100644", "../fs/inode.c", blob)], "no name"),
            (
                vec![("100644", "y.c", blob), ("100644", "x.c", blob)],
                "order",
            ),
            (vec![("70644", "x.c", blob)], "mode 70644"),
        ] {
            is_refused(&place, ("40000", folder(&repository, &entries)), part);
        }
    }

    /// No entry that git itself lets through keeps a leak from being found or named.
    #[test]
    fn with_modes_that_git_does_not_write() {
        let place = Place::with_repository();
        let repository = Repository::open(place.path("kernel")).expect("a repository");
        let blob = repository.blob(b"int x;\n").expect("a blob");
        for mode in ["100600", "100640", "100777"] {
            let id = commit(
                &place,
                ("40000", folder(&repository, &[(mode, "x.c", blob)])),
            );
            place.fails(
                &format!("check --tree kernel --git {id}"),
                &["zz/x.c", mode],
            );
        }
        for mode in ["100644", "100664", "100755"] {
            let id = commit(
                &place,
                ("40000", folder(&repository, &[(mode, "x.c", blob)])),
            );
            place.succeeds(&format!("check --tree kernel --git {id}"));
        }
    }
}

mod fifos {
    use super::*;

    /// Nobody waits for a fifo in a repository.
    #[test]
    fn of_a_repository() {
        for at in [
            "HEAD",
            "config",
            "packed-refs",
            "index",
            "info/attributes",
            "objects/info/alternates",
            "refs/heads/other",
            "logs/HEAD",
            "commondir",
            "objects/aa/0123456789012345678901234567890123456789",
        ] {
            let place = Place::with_repository();
            place.sh(&format!(
                "cd kernel/.git && mkdir -p objects/aa && rm -f {at} && mkfifo {at}"
            ));
            for command in [
                "check --tree kernel --git HEAD",
                "diff kernel@HEAD 7.3",
                "report --tree kernel",
            ] {
                place.fails(command, &["a fifo", "kernel/.git"]);
            }
        }
    }

    #[test]
    fn in_place_of_a_repository() {
        let place = Place::with_repository();
        place.sh("mv kernel/.git own && mkfifo kernel/.git");
        place.write(
            "x.patch",
            "--- a/fs/x.c\n+++ b/fs/x.c\n@@ -0,0 +1 @@\n+int x;\n",
        );
        place.fails("check --tree kernel --git HEAD", &["a fifo"]);
        place.fails("check --tree kernel x.patch", &["a fifo"]);
        // Of what a file names instead
        place.sh("rm kernel/.git && echo 'gitdir: ../own' >kernel/.git");
        place.succeeds("check --tree kernel --git HEAD");
        place.sh("rm own/HEAD && mkfifo own/HEAD");
        place.fails("check --tree kernel --git HEAD", &["own/HEAD", "a fifo"]);
        place.sh("rm own/HEAD && ln -s /dev/zero own/HEAD");
        place.fails("check --tree kernel --git HEAD", &["own/HEAD", "a device"]);
    }

    #[test]
    fn that_a_repository_leads_to() {
        let place = Place::with_repository();
        place
            .sh("mkfifo fifo && printf '[include]\\n\\tpath = ../../fifo\\n' >>kernel/.git/config");
        place.fails("check --tree kernel --git HEAD", &["fifo", "a fifo"]);
        let place = Place::with_repository();
        place.sh("mkdir -p lent/aa && mkfifo lent/aa/bb \
             && echo \"$PWD/lent\" >kernel/.git/objects/info/alternates");
        place.fails("check --tree kernel --git HEAD", &["lent/aa/bb", "a fifo"]);
    }

    /// What git looks at in the work tree.
    #[test]
    fn of_a_work_tree() {
        let place = Place::with_repository();
        place.sh(
            "cd kernel && for n in $(seq 1100); do echo 'int x;' >fs/$n.c; done \
             && echo 'x -text' >fs/.gitattributes && git add -A && git commit -qm three",
        );
        place.sh("cd kernel/fs && rm .gitattributes inode.c && mkfifo .gitattributes inode.c");
        place.succeeds("check --tree kernel --git HEAD");
        place.succeeds("list --tree kernel");
    }

    #[test]
    fn as_arguments() {
        let place = Place::with_repository();
        place.sh("mkfifo fifo");
        place.fails("report --tree kernel --consumers fifo", &["fifo"]);
        place.fails("check --tree fifo", &["fifo"]);
        for option in ["--vmlinux", "--modules", "--tracefs"] {
            for file in ["fifo", "/dev/zero", "/dev/tty"] {
                let arguments = format!("verify --tree kernel {option} {file}");
                place.fails(&arguments, &[file]);
            }
        }
        let waited = ["fifo", "nobody has written to for 10 seconds"];
        place.fails("check --tree kernel fifo", &waited);
        place.fails("check --tree kernel --zones fifo", &waited);
        place.fails("diff fifo 7.3", &waited);
    }

    #[test]
    fn that_somebody_writes_to() {
        let place = Place::with_repository();
        place.sh("cd kernel && git format-patch -q -1 --stdout >../x.patch");
        place.sh("git -C kernel reset -q --hard HEAD~1");
        place.succeeds("check --tree kernel <(cat x.patch)");
        place.succeeds("check --tree kernel <(sleep 1; cat x.patch)");
        place.succeeds("check --tree kernel --zones <(echo) x.patch");
        place.sh("mkfifo fifo; (sleep 1; cat x.patch >fifo) & \"$B\" check --tree kernel fifo");
        place.succeeds("diff <(\"$B\" list --tree kernel --format json) kernel");
    }
}

/// Where no thread can be started, one does everything.
#[test]
fn without_threads() {
    let place = Place::with_repository();
    let is_root = place.shell("test $(id -u) = 0").status.success();
    // Root may start as many as root likes.
    let run = if is_root {
        "setpriv --reuid=65534 --regid=65534 --clear-groups"
    } else {
        ""
    };
    fs::copy(BINARY, place.path("barepoint")).expect("copied");
    place.sh("chmod 755 . kernel barepoint; cd kernel && git format-patch -q -1 -o ..");
    place.sh("git config --file .gitconfig safe.directory '*'; chmod 644 .gitconfig");
    for arguments in [
        "list --tree kernel",
        "check --tree kernel",
        "check --tree kernel 0001-two.patch",
        "check --tree kernel --git HEAD",
        "diff kernel@HEAD kernel",
        "report --tree kernel --consumers kernel",
    ] {
        let output = place.shell(&format!(
            "ulimit -u 1; exec {run} ./barepoint {arguments} >/dev/null"
        ));
        let is_quiet = output.status.code() == Some(0) && output.stderr.is_empty();
        assert!(is_quiet, "{arguments}: {output:?}");
    }
}

/// The script at the top of a gate.
fn gate(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("gates")
        .join(name);
    path.display().to_string()
}

mod modules {
    use super::*;

    /// A zstd frame of so many MiB of zeros (RFC 8878): blocks of one repeated byte.
    fn zstd(size: usize) -> Vec<u8> {
        // A window of 8 MiB, no size, no checksum.
        let mut frame = b"\x28\xb5\x2f\xfd\x00\x68".to_vec();
        let blocks = size * 8;
        for number in 1..=blocks {
            let header = (128 << 10 << 3) | (1 << 1) | u32::from(number == blocks);
            frame.extend(&header.to_le_bytes()[..3]);
            frame.push(0);
        }
        frame
    }

    #[test]
    fn that_unpack_to_more_than_there_is_memory_for() {
        let place = Place::new();
        fs::create_dir(place.path("all")).expect("a folder");
        for name in ["a.ko.zst", "b.ko.zst", "c.ko.zst"] {
            place.write(format!("all/{name}"), zstd(600));
        }
        let limit = "ulimit -v 560000; exec \"$B\" verify --tree kernel --modules all";
        one_line(&place.shell(limit), limit, &["all/a.ko.zst", "256 MB"]);
        place.sh("rm all/*; truncate -s 900M all/x; gzip <all/x >all/x.ko.gz; rm all/x");
        one_line(&place.shell(limit), limit, &["all/x.ko.gz", "256 MB"]);
        place.sh("rm all/*; truncate -s 900M all/x; xz -0 <all/x >all/x.ko.xz; rm all/x");
        one_line(&place.shell(limit), limit, &["all/x.ko.xz", "256 MB"]);
        // Several that fit, but not at once
        place.sh("rm all/*");
        for name in ["a.ko.zst", "b.ko.zst", "c.ko.zst"] {
            place.write(format!("all/{name}"), zstd(200));
        }
        one_line(&place.shell(limit), limit, &["all/a.ko.zst", "ELF"]);
    }

    #[test]
    fn more_events_than_any_kernel_has() {
        let place = Place::new();
        let limit = "ulimit -v 560000; exec \"$B\" verify --tree kernel --tracefs all";
        fs::create_dir(place.path("all")).expect("a folder");
        let events: String = (0..1_000_000).map(|n| format!("s:e{n}\n")).collect();
        place.write("all/available_events", events);
        one_line(&place.shell(limit), limit, &["100000 events"]);
        place.write("all/available_events", "sched:sched_switch\n");
        let probes: String = (0..500_000).map(|n| format!("t:a/b{n} x\n")).collect();
        place.write("all/dynamic_events", probes);
        one_line(&place.shell(limit), limit, &["dynamic_events"]);
    }
}

/// A list that a stranger saved.
#[test]
fn saved_lists() {
    let place = Place::new();
    let call = "{\"file\":\"\"},".repeat(4_000_000);
    let list = format!(
        "{{\"schema\":1,\"tree\":null,\"tracepoints\":[{{\"name\":\"a\",\"kind\":\"bare\",\
         \"system\":null,\"file\":\"\",\"line\":1,\"condition\":null,\"prototype\":[],\
         \"bpf\":true,\"export\":null,\"call_sites\":[{}]}}]}}",
        call.trim_end_matches(',')
    );
    place.write("list", list);
    place.fails("diff list 7.3", &["list: more than 32 MiB"]);
    place.write("list", "[".repeat(30_000_000));
    place.fails("diff list 7.3", &["list: "]);
}

mod the_bot {
    use super::*;

    /// A mail with a leak, from this sender.
    fn mail(from: &str) -> String {
        format!(
            "From: {from}\nSubject: [PATCH] x\n\n---\ndiff --git a/kernel/sched/x.h \
             b/kernel/sched/x.h\nnew file mode 100644\n--- /dev/null\n+++ b/kernel/sched/x.h\n\
             @@ -0,0 +1 @@\n+TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), , , );\n"
        )
    }

    fn answer(place: &Place, from: &str) -> String {
        place.write("mail", mail(from));
        let script = format!("BAREPOINT=\"$B\" {} kernel <mail", gate("bot"));
        let output = place.shell(&script);
        assert_eq!(output.status.code(), Some(1), "{from:.80}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    #[test]
    fn greets_by_a_name_that_is_one() {
        let place = Place::new();
        let first = |from: &str| {
            let answer = answer(&place, from);
            answer.lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(first("A B <a@b.c>"), "Hi A B,");
        assert_eq!(first("\"Ä, B\" <a@b.c>"), "Hi Ä, B,");
        assert_eq!(first("a@b.c"), "Hi,");
        assert_eq!(first("=?utf-8?q?x?= <a@b.c>"), "Hi,");
        let long = first(&format!("{} <a@b.c>", "x".repeat(100_000)));
        assert!(long.len() < 80, "{long:.200}");
        for odd in [
            "A\x1b[2J",
            "A\u{202e}",
            "A\u{9b}m",
            "A\u{200b}",
            "A\u{2028}-- ",
        ] {
            assert_eq!(first(&format!("{odd} <a@b.c>")), "Hi,", "{odd:?}");
        }
    }

    #[test]
    fn without_a_place_to_work_in() {
        let place = Place::new();
        place.write("mail", mail("A <a@b.c>"));
        for directory in ["/nowhere", "/proc", "/dev/full"] {
            let script = format!(
                "export BAREPOINT=\"$B\" TMPDIR={directory}; {} kernel <mail",
                gate("bot")
            );
            let output = place.shell(&script);
            assert_eq!(output.status.code(), Some(2), "{directory}: {output:?}");
            assert!(output.stdout.is_empty(), "{directory}: {output:?}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("could not be checked"), "{said}");
        }
        // As a full disk
        let script = format!(
            "export BAREPOINT=\"$B\"; trap '' XFSZ; ulimit -f 0; {} kernel <mail",
            gate("bot")
        );
        let output = place.shell(&script);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!output.stderr.is_empty(), "{output:?}");
    }
}
