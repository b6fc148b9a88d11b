// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is printed of what strangers wrote: no terminal obeys it, no line is forged by
//! it, and no reader of a format takes it for something else.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_barepoint");
const EVENT: &str = "TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), \
                     TP_fast_assign(), TP_printk(\"\"));";

/// A name for a file, and what else a stranger writes.
const HARMLESS: &str = "aaaa bbbb";
const HOSTILE: [&str; 6] = [
    "a\nkernel/sched/core.c:1: ERROR: forged\n::error::forged",
    "a\x1b]0;title\x07\x1b[2J\u{9b}31m",
    "::warning file=a,line=1::forged",
    "\u{202e}h.c\u{2066}\u{200b}\u{feff}\u{e0041}",
    "a\r\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f",
    "x ##[set-env name=PATH]y ##vso[task.setvariable]z",
];

fn place() -> TempDir {
    let place = tempfile::tempdir().expect("a folder");
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kernel-7.3");
    let copied = Command::new("cp")
        .args(["-r", fixture])
        .arg(place.path().join("kernel"))
        .status();
    assert!(copied.expect("cp runs").success());
    place
}

fn run(place: &Path, arguments: &[&str]) -> Output {
    Command::new(BINARY)
        .args(arguments)
        .current_dir(place)
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A name as git quotes it.
fn quoted(name: &str) -> String {
    let bytes = name.bytes().map(|byte| match byte {
        b'"' | b'\\' | 0..=31 | 127.. => format!("\\{byte:03o}"),
        _ => char::from(byte).to_string(),
    });
    format!("\"{}\"", bytes.collect::<String>())
}

/// A patch that adds a leak in a file of this name, by a subject of the same.
fn patch(name: &str) -> String {
    let subject = name.replace(['\n', '\r'], " ");
    let path = format!("kernel/sched/{name}.h");
    let (old, new) = (quoted(&format!("a/{path}")), quoted(&format!("b/{path}")));
    format!(
        "From: A <a@b.c>\nSubject: [PATCH] {subject}\nContent-Type: text/plain; charset=UTF-8\n\
         Content-Transfer-Encoding: 8bit\n\n---\n\
         diff --git {old} {new}\nnew file mode 100644\n--- /dev/null\n+++ {new}\n\
         @@ -0,0 +1 @@\n+{EVENT} /* {subject} */\n"
    )
}

/// What nobody may be handed: all that is no text but the end of a line and the tab.
fn is_clean(printed: &str) -> bool {
    !printed.contains(|c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    }) && !["##[", "##vso["]
        .iter()
        .any(|command| printed.contains(command))
}

/// How many lines begin as a finding or a command does.
fn starts(printed: &str) -> usize {
    let begins =
        |line: &&str| line.trim_start().starts_with("::") || line.starts_with("kernel/sched/");
    printed.lines().filter(begins).count()
}

#[test]
fn findings_in_all_formats() {
    let place = place();
    let check = |name: &str, shape: &[&str]| {
        fs::write(place.path().join("x.patch"), patch(name)).expect("written");
        let arguments = [&["check", "--tree", "kernel", "x.patch"], shape].concat();
        let output = run(place.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{name:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        text(&output.stdout)
    };
    let shapes: [&[&str]; 11] = [
        &["--format", "human"],
        &["--format", "checkpatch"],
        &["--terse"],
        &["--emacs"],
        &["--showfile"],
        &["--terse", "--showfile"],
        &["--format", "json"],
        &["--format", "sarif"],
        &["--format", "github"],
        &["--format", "gitlab"],
        &["--format", "b4"],
    ];
    for shape in shapes {
        let harmless = check(HARMLESS, shape);
        for name in HOSTILE {
            let printed = check(name, shape);
            assert!(
                is_clean(&printed) || shape.contains(&"sarif") || shape.contains(&"json"),
                "{shape:?}, {name:?}: {printed}"
            );
            assert_eq!(
                starts(&printed),
                starts(&harmless),
                "{shape:?}, {name:?}: {printed}"
            );
            if !shape.contains(&"human") {
                let (lines, expected) = (printed.lines().count(), harmless.lines().count());
                assert_eq!(lines, expected, "{shape:?}, {name:?}: {printed}");
            }
        }
    }
}

#[test]
fn json_has_names_exactly() {
    let place = place();
    for name in HOSTILE {
        fs::write(place.path().join("x.patch"), patch(name)).expect("written");
        let file = format!("kernel/sched/{name}.h");
        let json = |format: &str| -> serde_json::Value {
            let arguments = ["check", "--tree", "kernel", "x.patch", "--format", format];
            let output = run(place.path(), &arguments);
            let printed = text(&output.stdout);
            let obeyed = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!printed.contains(obeyed), "{printed}");
            serde_json::from_str(&printed).expect("JSON")
        };
        assert_eq!(json("json")["findings"][0]["file"], file.as_str());
        assert_eq!(json("gitlab")[0]["location"]["path"], file.as_str());
    }
}

/// Names of files on disk, in tables and spreadsheets.
#[test]
fn lists() {
    let place = place();
    let names = [
        "=cmd|' -C calc'!A0.h",
        "+1.h",
        "-1.h",
        "@sum.h",
        "a\n=1+1,b.h",
        "\u{202e}x\x1b[2J.h",
    ];
    for (number, name) in names.iter().enumerate() {
        // At the top of the tree, where a path begins as the name does.
        let event = EVENT.replace("(x,", &format!("(own{number},"));
        fs::write(place.path().join("kernel").join(name), event).expect("written");
    }
    for format in ["table", "csv"] {
        let arguments = [
            "list", "--tree", "kernel", "--format", format, "--name", "own*",
        ];
        let output = run(place.path(), &arguments);
        let printed = text(&output.stdout);
        assert_eq!(printed.lines().count(), names.len() + 1, "{printed}");
        assert!(is_clean(&printed), "{printed}");
        if format == "csv" {
            let formula = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '-', '@']);
            assert!(!printed.split(',').any(formula), "{printed}");
            assert!(
                printed.contains("\"'=cmd|") || printed.contains("'=cmd|"),
                "{printed}"
            );
        }
    }
}

/// A consumer whose folder and files are called as HTML, Markdown and links are.
#[test]
fn reports() {
    let place = place();
    let consumer = "<script>alert(1)<\u{200b}>|`x`[y](http:z)\u{1b}[1m";
    let folder = place.path().join("all").join(consumer);
    fs::create_dir_all(folder.join(".git")).expect("a folder");
    let text_of_module = "void f(void) { register_trace_pelt_cfs_tp(g, 0); }\n";
    fs::write(folder.join("\" onclick=\"x' <b>.c"), text_of_module).expect("written");
    let report = |format: &str| {
        let arguments = [
            "report",
            "--tree",
            "kernel",
            "--consumers",
            "all",
            "--format",
            format,
        ];
        let output = run(place.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let printed = text(&output.stdout);
        assert!(is_clean(&printed), "{printed}");
        printed
    };
    let page = report("html");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(
        !page.contains("<script>alert") && !page.contains("\" onclick"),
        "{page}"
    );
    let mail = report("md");
    assert!(mail.contains("&lt;script>alert(1)"), "{mail}");
    let unescaped = mail
        .replace(r"\]", "")
        .replace(r"\`", "")
        .replace(r"\|", "");
    for raw in ["<script", "<b>", "](", "`", ">|"] {
        assert!(!unescaped.contains(raw), "{raw}: {mail}");
    }
}

/// Patches without end that are none: they are counted.
#[test]
fn many_that_could_not_be_checked() {
    let place = place();
    let missing: Vec<String> = (0..2000).map(|number| format!("{number}.patch")).collect();
    let mut arguments = vec!["check", "--tree", "kernel"];
    arguments.extend(missing.iter().map(String::as_str));
    let output = run(place.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.lines().count() < 12, "{said}");
    assert!(
        said.ends_with("and 1992 more that could not be checked\n"),
        "{said}"
    );
    let mail = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n\
                From: A <a@b.c>\nSubject: [PATCH] \x1b[31mx\n\nNothing\n\n";
    fs::write(place.path().join("many.mbox"), mail.repeat(100_000)).expect("written");
    for format in ["human", "json", "sarif", "github", "gitlab", "b4"] {
        let arguments = ["check", "--tree", "kernel", "many.mbox", "--format", format];
        let output = run(place.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{format}");
        let said = text(&output.stderr);
        assert!(
            said.lines().count() < 12 && said.contains("more that could not"),
            "{said}"
        );
        assert!(is_clean(&said), "{said}");
        assert!(
            output.stdout.len() < 1 << 20,
            "{format}: {}",
            output.stdout.len()
        );
    }
}

#[test]
fn complaints() {
    let place = place();
    let odd = "no\n\x1b[2J\u{202e}such.patch";
    let arguments: [&[&str]; 6] = [
        &["check", "--tree", "kernel", odd],
        &["check", "--tree", odd],
        &["check", "--tree", "kernel", "--zones", odd],
        &["diff", odd, "7.3"],
        &["check", "--format", odd],
        &["list", "--tree", "kernel", "--name", "[\x1b[31m"],
    ];
    for arguments in arguments {
        let output = run(place.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(is_clean(&said) && said.starts_with("barepoint: "), "{said}");
        assert!(said.contains("\\u{"), "{said}");
    }
}
