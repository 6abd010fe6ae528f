//! What a value of a template is made from, settled when it is compiled: columns and variables by
//! their places, so that at render there is no name left to look up but those within JSON.

use crate::value::Value;

/// A value that an output, a condition or a filter uses.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Literal(Literal),
    Column {
        name: String,
        column: usize,
    },
    /// A column of the row before the change; `nil` where there is none.
    OldColumn {
        name: String,
        column: usize,
    },
    /// The row, the row before or the key as a whole.
    Record(Record),
    Event,
    /// The names of a changed row's columns that are not as they were: all the model's columns.
    ChangedColumns(Vec<String>),
    ChangeId,
    RunId,
    RunStartedAt,
    Variable(Variable),
    /// A variable, or if it is not made yet another operand.
    MadeOr(Box<MadeOr>),
    /// What `forloop` has, of the loop so many levels up.
    Loop {
        up: usize,
        field: LoopField,
    },
    /// From one whole number to another.
    Range(Box<(Operand, Operand)>),
    Path(Box<Path>),
}

/// A value that a template writes.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Nil,
    Bool(bool),
    /// The digits of a number.
    Number(String),
    Text(String),
    Empty,
    Blank,
}

/// Names and the places of the columns that they are for.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// `row`, `old` or `key`.
    pub root: &'static str,
    pub columns: Vec<(String, usize)>,
}

impl Record {
    /// Whether it is of the row before the change.
    pub fn is_old(&self) -> bool {
        self.root == "old"
    }
}

#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub name: String,
    pub place: Option<usize>,
    /// What is counted under the same name, if the variable is not made yet.
    pub counter: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct MadeOr {
    pub variable: Variable,
    /// The variable, and what is looked up in it.
    pub made: Operand,
    pub or: Operand,
}

#[derive(Clone, Debug)]
pub(super) struct Path {
    pub root: Operand,
    pub segments: Vec<Segment>,
}

/// What is looked up in a value.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    /// After a point: a name of an object, or else `size`, `first` or `last`.
    Field(String),
    /// In brackets and quotes.
    Name(String),
    /// In brackets: a place in an array, from the end if it is negative.
    Index(i64),
    /// In brackets: whatever the operand is.
    Dynamic(Operand),
}

impl Segment {
    pub fn is_field(&self, name: &str) -> bool {
        matches!(self, Segment::Field(it) | Segment::Name(it) if it == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LoopField {
    All,
    Name,
    Length,
    Index,
    Index0,
    Rindex,
    Rindex0,
    First,
    Last,
}

impl LoopField {
    /// What `forloop` has, in the order in which it is written as a whole.
    pub const NAMED: [(&'static str, LoopField); 8] = [
        ("name", LoopField::Name),
        ("length", LoopField::Length),
        ("index", LoopField::Index),
        ("index0", LoopField::Index0),
        ("rindex", LoopField::Rindex),
        ("rindex0", LoopField::Rindex0),
        ("first", LoopField::First),
        ("last", LoopField::Last),
    ];

    pub fn named(name: &str) -> Option<LoopField> {
        LoopField::NAMED.into_iter().find(|(it, _)| *it == name).map(|(_, field)| field)
    }
}

impl Operand {
    pub fn nil() -> Operand {
        Operand::Literal(Literal::Nil)
    }

    /// The operand, and what is looked up in it.
    pub fn looked_into(self, segments: Vec<Segment>) -> Operand {
        match segments.is_empty() {
            true => self,
            false => Operand::Path(Box::new(Path { root: self, segments })),
        }
    }

    /// A variable and what is looked up in it, or if it is not made yet something else.
    pub fn made_or(variable: Variable, segments: Vec<Segment>, or: Operand) -> Operand {
        let made = Operand::Variable(variable.clone()).looked_into(segments);
        Operand::MadeOr(Box::new(MadeOr { variable, made, or }))
    }

    /// What it is, for a rejection.
    pub fn label(&self) -> String {
        match self {
            Operand::Literal(_) => "a literal".to_owned(),
            Operand::Column { name, .. } => format!("column {name:?}"),
            Operand::OldColumn { name, .. } => format!("column {name:?} of old"),
            Operand::Record(record) => record.root.to_owned(),
            Operand::Event => "event".to_owned(),
            Operand::ChangedColumns(_) => "changed_columns".to_owned(),
            Operand::ChangeId => "change.id".to_owned(),
            Operand::RunId => "run.id".to_owned(),
            Operand::RunStartedAt => "run.started_at".to_owned(),
            Operand::Variable(variable) => format!("variable {:?}", variable.name),
            Operand::MadeOr(either) => either.made.label(),
            Operand::Loop { .. } => "forloop".to_owned(),
            Operand::Range(_) => "a range".to_owned(),
            Operand::Path(path) => path.root.label(),
        }
    }

    /// What can be no JSON value, whatever the row is.
    pub fn is_never_json(&self) -> bool {
        match self {
            Operand::Event | Operand::RunStartedAt => true,
            Operand::Literal(Literal::Text(text)) => !super::position::stands_as_value(text),
            _ => false,
        }
    }

    /// A column, which can be handed on as it is.
    pub fn column<'a>(&self, change: &crate::change::Change<'a>) -> Option<Option<&'a Value<'a>>> {
        match self {
            Operand::Column { column, .. } => Some(change.row.get(*column)),
            Operand::OldColumn { column, .. } => {
                Some(change.before().and_then(|old| old.get(*column)))
            }
            _ => None,
        }
    }
}
