// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A small kernel in which one macro speaks of tracepoints: what it is, where it stands, who
//! sees it and who calls it. A world is what edits change; its files are written from it.

use crate::fixtures::fixture;
use crate::series::Texts;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// How a macro comes to tracepoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Giver {
    /// It calls a macro of the tracing core.
    Wrapper,
    /// It calls one that does, which stands elsewhere.
    Nested,
    /// It pastes the name of a macro of the core.
    Kind,
    /// It pastes the name of the tracepoint.
    Prefix,
    /// It only pastes what it is handed; a macro of the caller's uses it.
    Glue,
    /// It writes the sections itself.
    Section,
    /// It calls what it is handed for each of a list of names.
    List,
    /// A file of calls, which is included behind a macro that makes something of each.
    Entries,
    /// It is another name for a macro of the core.
    Alias,
    /// It is the name of a tracepoint.
    Name,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the trace header itself.
    Own,
    Header,
    /// In a header that a header includes.
    Deep,
    Arch,
    Def,
    Inc,
    /// In a file whose name has no ending.
    Plain,
    /// On the command line, by a Makefile's `-D`.
    Flag,
    /// In a header that a Makefile includes before all.
    Forced,
    /// In the tracing core.
    Core,
}

/// How the trace header sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// By an `#include`.
    Plain,
    /// By an `#include` of a macro.
    ByMacro,
    /// By that of a file that includes both.
    Before,
    /// Not behind an `#undef`.
    Undefined,
    /// Only in some configurations.
    Conditional,
}

/// What a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    Event,
    Bare,
    Nothing,
}

/// What looks like a change and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noise {
    Comment,
    String,
    IfZero,
    Dead,
    GiverComment,
    GiverMacro,
    Function,
    Core,
}

pub const GIVERS: [Giver; 10] = [
    Giver::Wrapper,
    Giver::Nested,
    Giver::Kind,
    Giver::Prefix,
    Giver::Glue,
    Giver::Section,
    Giver::List,
    Giver::Entries,
    Giver::Alias,
    Giver::Name,
];

pub const SIGHTS: [Sight; 5] = [
    Sight::Plain,
    Sight::ByMacro,
    Sight::Before,
    Sight::Undefined,
    Sight::Conditional,
];

pub const NOISES: [Noise; 8] = [
    Noise::Comment,
    Noise::String,
    Noise::IfZero,
    Noise::Dead,
    Noise::GiverComment,
    Noise::GiverMacro,
    Noise::Function,
    Noise::Core,
];

pub const NAMES: [&str; 4] = ["one", "two", "three", "four"];

/// The trace header that calls the macro, and the file that makes its tracepoints.
pub const SUBJECT: &str = "include/trace/events/sched.h";
pub const MAKER: &str = "kernel/sched/core.c";
const OTHER: &str = "kernel/sched/fair.c";
pub const MAKEFILE: &str = "kernel/sched/Makefile";
pub const CORE: &str = "include/linux/tracepoint.h";

const EVENT_ARGUMENTS: &str =
    "TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"x\")";

/// Whether what the file at `path` declares is not of the small kernel by itself.
pub fn is_ours(path: &str) -> bool {
    ![
        "include/trace/events/ext4.h",
        "include/trace/events/timestamp.h",
        "kernel/trace/rv/rv_trace.h",
    ]
    .contains(&path)
}

impl Giver {
    /// Where it can stand.
    pub fn places(self) -> &'static [Place] {
        use Place::{Arch, Core, Deep, Def, Flag, Forced, Header, Inc, Own, Plain};
        match self {
            Self::Entries => &[Header, Arch, Def, Inc, Plain],
            Self::Alias | Self::Name => {
                &[Own, Header, Deep, Arch, Def, Inc, Plain, Flag, Forced, Core]
            }
            _ => &[Own, Header, Deep, Arch, Def, Inc, Plain, Forced, Core],
        }
    }
}

impl Place {
    /// The file, and where it may be moved so that it is found as before.
    fn paths(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Own | Self::Flag | Self::Core => None,
            Self::Header | Self::Deep | Self::Forced => {
                Some(("include/linux/hooks.h", "include/uapi/linux/hooks.h"))
            }
            Self::Arch => Some((
                "arch/x86/include/asm/hooks.h",
                "arch/x86/include/uapi/asm/hooks.h",
            )),
            Self::Def => Some(("include/trace/events/hooks.def", "include/hooks.def")),
            Self::Inc => Some(("include/trace/events/hooks.inc", "include/hooks.inc")),
            Self::Plain => Some(("include/trace/events/hooks", "include/hooks")),
        }
    }

    /// What an `#include` of it names.
    fn target(self) -> Option<&'static str> {
        match self {
            Self::Own | Self::Flag | Self::Forced | Self::Core => None,
            Self::Header => Some("<linux/hooks.h>"),
            Self::Deep => Some("<linux/more_hooks.h>"),
            Self::Arch => Some("<asm/hooks.h>"),
            Self::Def => Some("\"hooks.def\""),
            Self::Inc => Some("\"hooks.inc\""),
            Self::Plain => Some("\"hooks\""),
        }
    }
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    pub giver: Giver,
    pub place: Place,
    pub sight: Sight,
    pub makes: Makes,
    /// Whether the macro is there.
    pub given: bool,
    /// Whether it is included.
    pub seen: bool,
    /// The names that the trace header calls it with.
    pub calls: BTreeSet<&'static str>,
    /// Those of a list, or the one of a name.
    pub entries: BTreeSet<&'static str>,
    /// Whether its file lies at the other place.
    pub moved: bool,
    /// Whether the header that is to include it does.
    pub linked: bool,
    /// Whether an empty file lies where that is found first.
    pub shadowed: bool,
    pub noises: BTreeSet<Noise>,
}

impl World {
    /// Its files, over those of the small kernel. An empty one is not there.
    pub fn files(&self) -> Texts {
        let mut files = Texts::new();
        let core = fs::read_to_string(Path::new(&fixture("kernel-7.3")).join(CORE));
        let mut core = core.expect("a header");
        if self.has(Noise::Core) {
            core += "\n/* A comment on TRACE_EVENT(). */\n";
        }
        if self.place == Place::Core && self.given {
            core += &format!("\n{}", self.given_text());
        }
        files.insert(CORE.into(), core);
        files.insert(SUBJECT.into(), self.subject());
        files.insert(MAKER.into(), self.maker());
        files.insert(OTHER.into(), self.other());
        files.insert(MAKEFILE.into(), self.makefile());
        if let Some((here, there)) = self.place.paths() {
            let (mut first, mut second) = (self.giver_file(), String::new());
            if self.moved {
                std::mem::swap(&mut first, &mut second);
                if self.shadowed {
                    first = "/* Nothing. */\n".into();
                }
            }
            files.insert(here.into(), first);
            files.insert(there.into(), second);
        }
        if self.place == Place::Deep {
            let link = if self.linked {
                "#include <linux/hooks.h>\n"
            } else {
                "#include <linux/types.h>\n"
            };
            let more = link.to_owned() + &self.nested_in(Place::Deep);
            files.insert("include/linux/more_hooks.h".into(), more);
        }
        files
    }

    fn has(&self, noise: Noise) -> bool {
        self.noises.contains(&noise)
    }

    /// The call of the core for the tracepoint `name`.
    fn declares(&self, name: &str) -> String {
        match self.makes {
            Makes::Event => format!("TRACE_EVENT({name}, {EVENT_ARGUMENTS})"),
            Makes::Bare => format!("DECLARE_TRACE({name}, TP_PROTO(int x), TP_ARGS(x))"),
            Makes::Nothing => String::new(),
        }
    }

    /// What the giver's file or the macro's place says.
    fn given_text(&self) -> String {
        if !self.given {
            return String::new();
        }
        match self.giver {
            Giver::Wrapper => format!("#define HOOK(name) {}\n", self.declares("name")),
            Giver::Nested => format!("#define INNER_HOOK(name) {}\n", self.declares("name")),
            Giver::Kind => match self.makes {
                Makes::Event => {
                    format!("#define HOOK(kind, name) kind##_EVENT(name, {EVENT_ARGUMENTS})\n")
                }
                Makes::Bare => "#define HOOK(kind, name) \
                     DECLARE_##kind(name, TP_PROTO(int x), TP_ARGS(x))\n"
                    .into(),
                Makes::Nothing => "#define HOOK(kind, name)\n".into(),
            },
            Giver::Prefix => format!("#define HOOK(name) {}\n", self.declares("sched_##name")),
            Giver::Glue => match self.makes {
                Makes::Event => "#define GLUE(a, b) a##_##b\n".into(),
                _ => "#define GLUE(a, b) a##_##b##_NOP\n".into(),
            },
            Giver::Section => self.sections(),
            Giver::List => format!("#define HOOKS(M) {}\n", self.listed("M", " ")),
            Giver::Entries => self.listed("HOOK", "\n"),
            Giver::Alias => format!("#define HOOK {}\n", self.alias()),
            Giver::Name => format!("#define HOOK_NAME {}\n", self.name()),
        }
    }

    fn sections(&self) -> String {
        let mut text = "#define HOOK(name)".to_owned();
        if self.makes != Makes::Nothing {
            text += " struct tracepoint __tracepoint_##name __section(\"__tracepoints\");";
        }
        if self.makes == Makes::Event {
            text += " static struct trace_event_call __used \
                     __section(\"_ftrace_events\") *__event_##name;";
        }
        text + "\n"
    }

    fn listed(&self, by: &str, end: &str) -> String {
        let entries = self.entries.iter();
        entries.map(|name| format!("{by}({name}){end}")).collect()
    }

    fn alias(&self) -> &'static str {
        match self.makes {
            Makes::Event => "TRACE_EVENT",
            _ => "TRACE_EVENT_NOP",
        }
    }

    fn name(&self) -> &'static str {
        self.entries.first().copied().unwrap_or("unnamed")
    }

    fn giver_file(&self) -> String {
        let comment = if self.has(Noise::GiverComment) {
            "/* HOOK(noise) TRACE_EVENT(noise) */\n"
        } else {
            "/* Hooks. */\n"
        };
        let mut text = comment.to_owned() + &self.given_text();
        if self.has(Noise::GiverMacro) {
            text += "#define UNRELATED(x) ((x) + 1)\n";
        }
        text
    }

    /// The outer macro of two, where it stands.
    fn nested_in(&self, place: Place) -> String {
        let outer = if self.place == Place::Deep {
            Place::Deep
        } else {
            Place::Own
        };
        if self.giver == Giver::Nested && place == outer {
            "#define HOOK(name) INNER_HOOK(name)\n".into()
        } else {
            String::new()
        }
    }

    /// The macros that the trace header has of its own.
    fn own(&self) -> String {
        let mut text = String::new();
        if self.place == Place::Own {
            text += &self.given_text();
        }
        text += &self.nested_in(Place::Own);
        match self.giver {
            Giver::Glue => {
                text +=
                    &format!("#define HOOK(name) GLUE(TRACE, EVENT)(name, {EVENT_ARGUMENTS})\n");
            }
            Giver::List | Giver::Entries => {
                text += &format!("#define HOOK(name) {};\n", self.declares("name"));
            }
            _ => {}
        }
        text
    }

    /// The macro that the place gives, and one of that name that makes nothing.
    fn stub(&self) -> (&'static str, &'static str) {
        match self.giver {
            Giver::Nested => ("INNER_HOOK", "INNER_HOOK(name)"),
            Giver::Glue => ("GLUE", "GLUE(a, b) a##_##b##_NOP"),
            Giver::List => ("HOOKS", "HOOKS(M)"),
            Giver::Alias | Giver::Kind => ("HOOK", "HOOK(...)"),
            Giver::Name => ("HOOK_NAME", "HOOK_NAME stub"),
            _ => ("HOOK", "HOOK(name)"),
        }
    }

    fn include(&self) -> String {
        match (self.place.target(), self.seen) {
            (Some(target), true) if self.sight == Sight::ByMacro => {
                format!("#define HOOKS_FILE {target}\n#include HOOKS_FILE\n#undef HOOKS_FILE\n")
            }
            (Some(target), true) => format!("#include {target}\n"),
            _ => String::new(),
        }
    }

    /// How the trace header comes to the macros that it calls.
    fn sights(&self) -> String {
        let included = match self.giver {
            Giver::Entries => String::new(),
            _ if self.sight == Sight::Before => String::new(),
            _ => self.include(),
        };
        let text = included + &self.own();
        let (name, stub) = self.stub();
        match self.sight {
            Sight::Undefined => format!("{text}#undef {name}\n#define {stub}\n"),
            Sight::Conditional => {
                format!("#ifdef CONFIG_HOOKS\n{text}#else\n#define {stub}\n#endif\n")
            }
            _ => text,
        }
    }

    fn called(&self) -> String {
        let calls = self.calls.iter();
        match self.giver {
            Giver::List => "HOOKS(HOOK)\n".into(),
            Giver::Entries => self.include(),
            Giver::Kind => {
                let call = |name| format!("HOOK(TRACE, {name});\n");
                calls.map(call).collect()
            }
            Giver::Alias => {
                let call = |name| format!("HOOK({name}, {EVENT_ARGUMENTS});\n");
                calls.map(call).collect()
            }
            Giver::Name => format!("{};\n", self.declares("HOOK_NAME")),
            _ => calls.map(|name| format!("HOOK({name});\n")).collect(),
        }
    }

    fn subject(&self) -> String {
        let mut noise = String::new();
        if self.has(Noise::Comment) {
            noise += "/* HOOK(noise); */\n";
        }
        if self.has(Noise::String) {
            noise += "static const char noise[] = \"TRACE_EVENT(noise)\";\n";
        }
        if self.has(Noise::IfZero) {
            noise +=
                &format!("#if 0\nHOOK(noise);\nTRACE_EVENT(noise, {EVENT_ARGUMENTS});\n#endif\n");
        }
        if self.has(Noise::Dead) {
            noise += &format!("#define DEAD(name) TRACE_EVENT(name, {EVENT_ARGUMENTS})\n");
        }
        format!(
            "#undef TRACE_SYSTEM\n\
             #define TRACE_SYSTEM sched\n\
             \n\
             #if !defined(_TRACE_SCHED_H) || defined(TRACE_HEADER_MULTI_READ)\n\
             #define _TRACE_SCHED_H\n\
             \n\
             #include <linux/tracepoint.h>\n\
             {}\
             \n\
             /* A hook. */\n\
             DECLARE_TRACE(first, TP_PROTO(int x), TP_ARGS(x));\n\
             \n\
             {noise}\
             {}\
             \n\
             #endif\n\
             \n\
             #include <trace/define_trace.h>\n",
            self.sights(),
            self.called()
        )
    }

    fn maker(&self) -> String {
        let before = match self.sight {
            Sight::Before if self.giver != Giver::Entries => self.include(),
            _ => String::new(),
        };
        format!(
            "#include <linux/sched.h>\n\
             {before}\
             \n\
             #define CREATE_TRACE_POINTS\n\
             #include <trace/events/sched.h>\n\
             \n\
             EXPORT_TRACEPOINT_SYMBOL_GPL(first_tp);\n\
             \n\
             void call_first(int x)\n\
             {{\n\
             \ttrace_first_tp(x);\n\
             }}\n"
        )
    }

    fn other(&self) -> String {
        let noise = if self.has(Noise::Function) {
            "\nint unrelated(void)\n{\n\treturn 1;\n}\n"
        } else {
            ""
        };
        format!("#include \"sched.h\"\n\nint related(void)\n{{\n\treturn 0;\n}}\n{noise}")
    }

    fn makefile(&self) -> String {
        let mut text = "obj-y += core.o\nobj-y += fair.o\n".to_owned();
        match (self.place, self.giver) {
            (Place::Flag, Giver::Alias) if self.given => {
                text += &format!("ccflags-y += -DHOOK={}\n", self.alias());
            }
            (Place::Flag, _) if self.given => {
                text += &format!("ccflags-y += -DHOOK_NAME={}\n", self.name());
            }
            (Place::Forced, _) if self.seen => {
                text += "ccflags-y += -include $(srctree)/include/linux/hooks.h\n";
            }
            _ => {}
        }
        text
    }
}
