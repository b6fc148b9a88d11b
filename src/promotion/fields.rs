// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What an event records of each argument, and what is left to its maintainer.

use super::arguments::Argument;
use super::mapping::{FieldKind, FieldRule, Guard, HelperRule, Known, Mapping, Scalar, Type};
use std::collections::{BTreeMap, BTreeSet};

/// A field of an event, as C has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type, as user space sees it.
    pub of: String,
    /// The line of `TP_STRUCT__entry()`.
    pub declare: String,
    /// The statement of `TP_fast_assign()`.
    pub assign: String,
    /// Its part of `TP_printk()`'s format.
    pub format: String,
    /// The arguments for that.
    pub show: Vec<String>,
}

/// What is recorded of one argument.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// What is left to decide.
    pub(super) decisions: Vec<String>,
    pub(super) fields: Vec<Field>,
}

/// How the tree and the hook's surroundings are.
pub(super) struct Surroundings<'a> {
    /// The comment above the hook; empty without one.
    pub(super) comment: &'a str,
    /// Whether `__assign_str()` takes the source, too, as it did up to 6.9.
    pub(super) assigns_source: bool,
    /// Whether the helper can be drafted.
    pub(super) can_help: &'a dyn Fn(&HelperRule) -> bool,
}

/// Everything that is recorded, by argument.
#[derive(Debug, Default)]
pub(super) struct Records<'m> {
    pub(super) of: Vec<Record>,
    /// The headers that the fields need.
    pub(super) headers: BTreeSet<&'m str>,
    pub(super) helpers: Vec<&'m HelperRule>,
}

impl<'m> Records<'m> {
    /// What to record of `arguments`.
    pub(super) fn of(
        arguments: &[Argument],
        mapping: &'m Mapping,
        around: &Surroundings<'_>,
    ) -> Self {
        let names = Names::of(arguments, mapping, around);
        let mut records = Self::default();
        for argument in arguments {
            let record = records.record(argument, mapping, around, &names);
            records.of.push(record);
        }
        records
    }

    fn record(
        &mut self,
        argument: &Argument,
        mapping: &'m Mapping,
        around: &Surroundings<'_>,
        names: &Names,
    ) -> Record {
        if let Some(why) = mapping.address(&argument.of, &argument.name) {
            return Record {
                decisions: vec![format!("{} is not recorded: it {why}", argument.name)],
                fields: Vec::new(),
            };
        }
        match mapping.of(&argument.of) {
            Known::Scalar(scalar) | Known::Enumeration(scalar) => scalar_record(argument, scalar),
            Known::Type(rule) => self.object(argument, rule, around, names),
            Known::Nothing => Record {
                decisions: vec![nothing(argument)],
                fields: Vec::new(),
            },
        }
    }

    fn object(
        &mut self,
        argument: &Argument,
        rule: &'m Type,
        around: &Surroundings<'_>,
        names: &Names,
    ) -> Record {
        if let Some(helper) = &rule.helper {
            if !(around.can_help)(helper) {
                return Record {
                    decisions: vec![nothing(argument)],
                    fields: Vec::new(),
                };
            }
            if !self.helpers.iter().any(|one| one.define == helper.define) {
                self.helpers.push(helper);
            }
        }
        let mut record = Record::default();
        let decide = |text: &str| format!("{}: {text}", argument.name);
        record.decisions.extend(rule.decide.as_deref().map(decide));
        for field in &rule.field {
            let (kept, open) = choice(field, around.comment);
            record.decisions.extend(open.map(decide));
            if kept {
                let name = names.of_field(argument, field);
                record
                    .fields
                    .push(object_field(argument, rule, field, name, around));
            }
        }
        if fails(argument, rule, around.comment) {
            record.fields.push(error_field(argument, names));
        }
        if !record.fields.is_empty() {
            self.headers.extend(rule.header.as_deref());
        }
        record
    }
}

/// Whether a field is recorded, and what of that is left to decide.
fn choice<'r>(field: &'r FieldRule, comment: &str) -> (bool, Option<&'r str>) {
    match &field.needs {
        Some(word) if !comment.contains(word.as_str()) => (false, field.decide.as_deref()),
        Some(_) => (true, field.confirm.as_deref()),
        None => (true, field.decide.as_deref()),
    }
}

fn nothing(argument: &Argument) -> String {
    let name = &argument.name;
    let declared = &argument.declared;
    if argument.of.contains("__user") {
        format!("{name} is not recorded: a probe cannot read user memory ({declared})")
    } else if argument.is_pointer() {
        format!(
            "{name} is not recorded: nothing is known of what is behind \"{declared}\", and \
             the address itself would leak (TP_printk() hashes a %p, the raw record does not)"
        )
    } else {
        format!("{name} is not recorded: nothing is known of the type of \"{declared}\"")
    }
}

fn scalar_record(argument: &Argument, scalar: &Scalar) -> Record {
    let of = scalar.as_type.as_deref().unwrap_or(&argument.of);
    let name = field_name(&argument.name);
    let value = scalar.value.as_deref().unwrap_or("{arg}");
    let assign = format!("__entry->{name} = {};", filled(value, argument, &name));
    let decision = scalar.decide.as_deref();
    let decision = decision.map(|text| text.replace("{type}", &argument.of));
    Record {
        decisions: decision
            .map(|text| format!("{}: {text}", argument.name))
            .into_iter()
            .collect(),
        fields: vec![Field {
            declare: format!("__field({of}, {name})"),
            of: of.to_owned(),
            assign,
            format: scalar.format.clone(),
            show: shown(scalar.show.as_deref(), argument, &name),
            name,
        }],
    }
}

fn object_field(
    argument: &Argument,
    rule: &Type,
    field: &FieldRule,
    name: String,
    around: &Surroundings<'_>,
) -> Field {
    let fill = |text: &str| filled(text, argument, &name);
    let (of, declare, assign, entry) = match &field.kind {
        FieldKind::String { string } => {
            let source = guarded(rule.guard, argument, &fill(string), "NULL");
            let assign = if around.assigns_source {
                format!("__assign_str({name}, {source});")
            } else {
                format!("__assign_str({name});")
            };
            let declare = format!("__string({name}, {source})");
            (
                "char[]".to_owned(),
                declare,
                assign,
                format!("__get_str({name})"),
            )
        }
        FieldKind::Array {
            array,
            length,
            assign,
        } => (
            format!("{array}[{length}]"),
            format!("__array({array}, {name}, {length})"),
            fill(assign),
            format!("__entry->{name}"),
        ),
        FieldKind::Value {
            of,
            value,
            otherwise,
        } => {
            let otherwise = otherwise.as_deref().unwrap_or("0");
            let value = guarded(rule.guard, argument, &fill(value), otherwise);
            let assign = format!("__entry->{name} = {value};");
            let declare = format!("__field({of}, {name})");
            (of.clone(), declare, assign, format!("__entry->{name}"))
        }
    };
    let show = match &field.show {
        Some(show) => show.iter().map(|text| fill(text)).collect(),
        None => vec![entry],
    };
    Field {
        format: field.format.clone(),
        name,
        of,
        declare,
        assign,
        show,
    }
}

/// What an `ERR_PTR()` says, where the comment speaks of errors.
fn error_field(argument: &Argument, names: &Names) -> Field {
    let name = names.unique(argument, "error");
    Field {
        of: "int".to_owned(),
        declare: format!("__field(int, {name})"),
        assign: format!("__entry->{name} = PTR_ERR_OR_ZERO({});", argument.name),
        format: "%d".to_owned(),
        show: vec![format!("__entry->{name}")],
        name,
    }
}

/// Whether the comment says that the argument may be an error: of the names that it
/// marks with an `@`, the argument is the last before it speaks of one.
fn fails(argument: &Argument, rule: &Type, comment: &str) -> bool {
    if rule.guard != Some(Guard::Error) {
        return false;
    }
    let mention = format!("@{}", argument.name);
    let sentences = comment.split_inclusive(". ");
    sentences.into_iter().any(|sentence| {
        let places = ["ERR_PTR", "an error"];
        places.iter().any(|word| {
            let Some((before, _)) = sentence.split_once(word) else {
                return false;
            };
            let last = before.rsplit_once('@').map(|(_, name)| name);
            last.is_some_and(|last| word_at_start(last) == &mention[1..])
        })
    })
}

fn word_at_start(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// `value`, unless there is no object: then `otherwise`.
fn guarded(guard: Option<Guard>, argument: &Argument, value: &str, otherwise: &str) -> String {
    let name = &argument.name;
    let inner = if value.contains('?') {
        format!("({value})")
    } else {
        value.to_owned()
    };
    match guard {
        None => value.to_owned(),
        Some(Guard::Null) => format!("{name} ? {inner} : {otherwise}"),
        Some(Guard::Error) => format!("IS_ERR_OR_NULL({name}) ? {otherwise} : {inner}"),
    }
}

fn filled(text: &str, argument: &Argument, name: &str) -> String {
    text.replace("{arg}", &argument.name)
        .replace("{entry}", &format!("__entry->{name}"))
}

fn shown(show: Option<&[String]>, argument: &Argument, name: &str) -> Vec<String> {
    match show {
        Some(show) => show
            .iter()
            .map(|text| filled(text, argument, name))
            .collect(),
        None => vec![format!("__entry->{name}")],
    }
}

/// What the record itself has already (`struct trace_entry ent`, `__data[]`).
const TAKEN: [&str; 2] = ["ent", "__data"];

fn field_name(name: &str) -> String {
    if TAKEN.contains(&name) {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}

/// How often each name of a field is wanted.
struct Names(BTreeMap<String, usize>);

impl Names {
    fn of(arguments: &[Argument], mapping: &Mapping, around: &Surroundings<'_>) -> Self {
        let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
        for argument in arguments {
            // A name that is any argument's is never taken by another's field.
            *wanted.entry(argument.name.clone()).or_default() += 1;
            let Known::Type(rule) = mapping.of(&argument.of) else {
                continue;
            };
            let fields = rule.field.iter().map(|field| &field.name);
            for name in fields.filter(|name| *name != "{arg}") {
                *wanted.entry(name.clone()).or_default() += 1;
            }
            if fails(argument, rule, around.comment) {
                *wanted.entry("error".to_owned()).or_default() += 1;
            }
        }
        Self(wanted)
    }

    fn of_field(&self, argument: &Argument, field: &FieldRule) -> String {
        if field.name == "{arg}" {
            field_name(&argument.name)
        } else {
            self.unique(argument, &field.name)
        }
    }

    /// `name`, with the argument's before it if others want it, too.
    fn unique(&self, argument: &Argument, name: &str) -> String {
        if self.0.get(name).is_some_and(|&count| count > 1) {
            format!("{}_{name}", argument.name)
        } else {
            field_name(name)
        }
    }
}
