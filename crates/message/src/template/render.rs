//! A compiled template and a change to text: the tree is walked once, each step of it is paid for.

use std::collections::HashMap;
use std::rc::Rc;

use super::expression::{Call, Expression};
use super::filter::Input;
use super::loops::Loop;
use super::node::{Case, Cycle, Group, If, Kind, Node};
use super::operand::{Literal, LoopField, Operand, Path, Record, Segment, Variable};
use super::position::{Position, stands_as_value};
use super::scope::Places;
use super::value::{Number, Text, Val};
use super::work::Work;
use crate::change::{Change, Event};
use crate::error::Rejection;
use crate::output::Output;
use crate::value::Value;

/// What a template has made so far of one change.
pub(super) struct Render<'a> {
    change: Change<'a>,
    work: Work,
    variables: Vec<Option<Val<'a>>>,
    counters: Vec<Option<i64>>,
    /// The loops around the node that is rendered, the innermost last.
    pub(super) loops: Vec<Loop<'a>>,
    /// Where loops have ended, by the places of their names.
    pub(super) ended: Vec<usize>,
    /// How far each cycle has come.
    cycles: HashMap<String, usize>,
    /// What the last `ifchanged` wrote.
    last_changed: String,
    /// Where in the template it went wrong.
    failed_at: Option<usize>,
}

/// How the rendering of nodes has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Flow {
    Next,
    Continue,
    Break,
}

impl<'a> Render<'a> {
    pub fn new(change: Change<'a>, places: Places) -> Render<'a> {
        Render {
            change,
            work: Work::new(),
            variables: vec![None; places.variables],
            counters: vec![None; places.counters],
            loops: Vec::new(),
            ended: vec![0; places.loops],
            cycles: HashMap::new(),
            last_changed: String::new(),
            failed_at: None,
        }
    }

    pub fn work(&mut self) -> &mut Work {
        &mut self.work
    }

    /// The offset of the innermost node that could not be rendered.
    pub fn failed_at(&self) -> Option<usize> {
        self.failed_at
    }

    /// Recurses once for each block within a block, of which the tree allows a few dozen.
    pub fn nodes(&mut self, nodes: &'a [Node], out: &mut Output) -> Result<Flow, Rejection> {
        for node in nodes {
            match self.node(node, out) {
                Ok(Flow::Next) => {}
                Ok(flow) => return Ok(flow),
                Err(rejection) => {
                    self.failed_at.get_or_insert(node.at);
                    return Err(rejection);
                }
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'a Node, out: &mut Output) -> Result<Flow, Rejection> {
        self.work.step()?;
        match &node.kind {
            Kind::Text(text) => out.push(text)?,
            Kind::Output { expression, position } => {
                let value = self.expression(expression)?;
                self.write(&value, *position, || expression.operand.label(), out)?;
            }
            Kind::If(block) => return self.nodes_of_if(block, out),
            Kind::Case(case) => return self.case(case, out),
            Kind::For(block) => return self.repeat(block, out),
            Kind::Assign { variable, expression } => {
                let value = self.expression(expression)?;
                self.make(*variable, value);
            }
            Kind::Capture { variable, nodes } => {
                let mut captured = Output::default();
                let flow = self.nodes(nodes, &mut captured)?;
                self.work.bytes(captured.as_str().len())?;
                self.make(*variable, Val::text(captured.into_string()));
                return Ok(flow);
            }
            Kind::Cycle(cycle) => self.cycle(cycle, out)?,
            Kind::Count { counter, by, position } => self.count(*counter, *by, *position, out)?,
            Kind::IfChanged(nodes) => return self.if_changed(nodes, out),
            Kind::Break => return Ok(Flow::Break),
            Kind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// Gives a variable its value.
    pub fn make(&mut self, variable: usize, value: Val<'a>) {
        if let Some(place) = self.variables.get_mut(variable) {
            *place = Some(value.kept());
        }
    }

    fn nodes_of_if(&mut self, block: &'a If, out: &mut Output) -> Result<Flow, Rejection> {
        for branch in &block.branches {
            if branch.condition.holds(self)? == branch.holds {
                return self.nodes(&branch.nodes, out);
            }
        }
        self.nodes(&block.otherwise, out)
    }

    fn case(&mut self, case: &'a Case, out: &mut Output) -> Result<Flow, Rejection> {
        let subject = self.value(&case.subject)?;
        let mut is_found = false;
        for when in &case.blocks {
            let Some(values) = &when.values else {
                let flow = if is_found { Flow::Next } else { self.nodes(&when.nodes, out)? };
                if flow != Flow::Next {
                    return Ok(flow);
                }
                continue;
            };
            for value in values {
                let value = self.value(value)?;
                if subject.equals(&value, &mut self.work)? {
                    is_found = true;
                    match self.nodes(&when.nodes, out)? {
                        Flow::Next => {}
                        flow => return Ok(flow),
                    }
                }
            }
        }
        Ok(Flow::Next)
    }

    fn cycle(&mut self, cycle: &'a Cycle, out: &mut Output) -> Result<(), Rejection> {
        let group = match &cycle.group {
            Group::Values(written) => format!("v{written}"),
            Group::Named(name) => format!("n{}", self.value(name)?.to_json(&mut self.work)?),
        };
        self.work.bytes(group.len())?;
        let next = self.cycles.entry(group).or_default();
        let value = cycle.values.get(*next);
        *next = if *next + 1 < cycle.values.len() { *next + 1 } else { 0 };
        match value {
            Some(operand) => {
                let value = self.value(operand)?;
                self.write(&value, cycle.position, || operand.label(), out)
            }
            None => Ok(()),
        }
    }

    fn count(
        &mut self,
        counter: usize,
        by: i64,
        position: Position,
        out: &mut Output,
    ) -> Result<(), Rejection> {
        let Some(count) = self.counters.get_mut(counter) else { return Ok(()) };
        let before = count.unwrap_or(0);
        let after = before.saturating_add(by);
        *count = Some(after);
        let shown = Val::int(if by < 0 { after } else { before });
        self.write(&shown, position, || "a counter".to_owned(), out)
    }

    fn if_changed(&mut self, nodes: &'a [Node], out: &mut Output) -> Result<Flow, Rejection> {
        let mut written = Output::default();
        let flow = self.nodes(nodes, &mut written)?;
        self.work.bytes(written.as_str().len())?;
        if written.as_str() != self.last_changed {
            self.last_changed = written.into_string();
            out.push(&self.last_changed)?;
        }
        Ok(flow)
    }

    fn write(
        &mut self,
        value: &Val<'a>,
        position: Position,
        label: impl FnOnce() -> String,
        out: &mut Output,
    ) -> Result<(), Rejection> {
        match (position, value) {
            (Position::Plain, _) => value.push_plain(out, &mut self.work),
            (Position::String, _) => value.push_escaped(out, &mut self.work),
            (Position::Value, Val::Text(text)) if stands_as_value(text) => out.push(text),
            (Position::Value, Val::Empty | Val::Blank) => Ok(()),
            (Position::Value, Val::Text(_) | Val::Bytes(_)) => {
                let reason = format!("{} holds text that is not one JSON value", label());
                Err(Rejection::new("not_a_json_value", reason)
                    .with_hint("Put quotes around the output in the template."))
            }
            (Position::Value, _) => value.push_json(out, &mut self.work),
        }
    }

    /// A value and what its filters make of it.
    pub fn expression(&mut self, expression: &'a Expression) -> Result<Val<'a>, Rejection> {
        let mut value = self.value(&expression.operand)?;
        for call in &expression.filters {
            value = self.call(call, value).map_err(|rejection| {
                self.failed_at.get_or_insert(call.at);
                let label = expression.operand.label();
                rejection.within(&format!("filter {:?} of {label}", call.filter.name))
            })?;
        }
        Ok(value)
    }

    fn call(&mut self, call: &'a Call, value: Val<'a>) -> Result<Val<'a>, Rejection> {
        let mut input = Input::of(value, self.change.run.started_at);
        for argument in &call.arguments {
            input.push(self.value(argument)?);
        }
        if let Some(named) = &call.named {
            input.named = Some(self.value(named)?);
        }
        self.work.step()?;
        (call.filter.apply)(input, &mut self.work)
    }

    /// The value of an operand. Recurses into what is in its brackets.
    pub fn value(&mut self, operand: &'a Operand) -> Result<Val<'a>, Rejection> {
        Ok(match operand {
            Operand::Literal(literal) => of_literal(literal),
            Operand::Column { column, .. } => self.of(self.change.row.get(*column))?,
            Operand::OldColumn { column, .. } => {
                self.of(self.change.before().and_then(|old| old.get(*column)))?
            }
            Operand::Record(record) => self.record(record)?,
            Operand::Event => Val::text(self.change.event.as_str()),
            Operand::ChangedColumns(names) => self.changed(names)?,
            Operand::ChangeId => Val::int(self.change.id),
            Operand::RunId => Val::int(self.change.run.id),
            Operand::RunStartedAt => Val::text(self.change.run.started_at),
            Operand::Variable(variable) => self.made(variable).unwrap_or(Val::Nil),
            Operand::MadeOr(either) => match self.made(&either.variable) {
                Some(_) => self.value(&either.made)?,
                None => self.value(&either.or)?,
            },
            Operand::Loop { up, field } => {
                let place = self.loops.len().checked_sub(up + 1);
                let around = place.and_then(|place| self.loops.get(..=place));
                if *field == LoopField::All {
                    self.work.steps(LoopField::NAMED.len() * self.loops.len())?;
                }
                around.map_or(Val::Nil, |around| Loop::field(around, *field))
            }
            Operand::Range(ends) => {
                let (first, last) = (self.value(&ends.0)?, self.value(&ends.1)?);
                // What is no number is 0.
                let mut end = |value: Val<'_>| value.to_int(&mut self.work);
                Val::Range(end(first)?.unwrap_or(0), end(last)?.unwrap_or(0))
            }
            Operand::Path(path) => self.path(path)?,
        })
    }

    fn made(&self, variable: &Variable) -> Option<Val<'a>> {
        let made = variable.place.and_then(|place| self.variables.get(place)?.clone());
        let counted = || variable.counter.and_then(|place| *self.counters.get(place)?);
        made.or_else(|| counted().map(Val::int))
    }

    /// A column's value; `nil` where there is none.
    fn of(&mut self, column: Option<&'a Value<'a>>) -> Result<Val<'a>, Rejection> {
        column.map_or(Ok(Val::Nil), |value| Val::of(value, &mut self.work))
    }

    /// The row that a record is of; none for the row before of one that was added.
    fn row_of(&self, record: &Record) -> Option<&'a [Value<'a>]> {
        if record.is_old() { self.change.before() } else { Some(self.change.row) }
    }

    fn record(&mut self, record: &'a Record) -> Result<Val<'a>, Rejection> {
        let Some(row) = self.row_of(record) else { return Ok(Val::Nil) };
        self.work.steps(record.columns.len())?;
        let pair = |(name, column): &'a (String, usize)| {
            Ok((Text::Slice(name), self.of(row.get(*column))?))
        };
        let pairs: Result<Vec<_>, Rejection> = record.columns.iter().map(pair).collect();
        Ok(Val::Object(Rc::new(pairs?)))
    }

    /// The names of the columns that a changed row does not have as before: by representation, so
    /// that `1.0` and `1.00` differ. Of other rows there are none.
    fn changed(&mut self, names: &'a [String]) -> Result<Val<'a>, Rejection> {
        self.work.steps(names.len())?;
        let Change { event, row, old, .. } = self.change;
        let old = if event == Event::Changed { old } else { None };
        let pairs = row.iter().zip(old.unwrap_or_default());
        for (new, old) in pairs.clone() {
            self.work.read(new.text_len().min(old.text_len()))?;
        }
        let differ = names.iter().zip(pairs).filter(|(_, (new, old))| new != old);
        Ok(Val::array(differ.map(|(name, _)| Val::text(name.as_str())).collect()))
    }

    fn path(&mut self, path: &'a Path) -> Result<Val<'a>, Rejection> {
        let mut segments = path.segments.iter();
        let mut value = match (&path.root, path.segments.first()) {
            // One column of a row, without the others.
            (Operand::Record(record), Some(Segment::Dynamic(name))) => {
                segments.next();
                let name = self.value(name)?;
                self.column(record, &name)?
            }
            (root, _) => self.value(root)?,
        };
        for segment in segments {
            value = match segment {
                Segment::Field(name) => self.field(&value, name)?,
                Segment::Name(name) => value.get(name, &mut self.work)?.unwrap_or(Val::Nil),
                Segment::Index(place) => self.element(&value, *place)?,
                Segment::Dynamic(operand) => {
                    let at = self.value(operand)?;
                    self.looked_up(&value, &at)?
                }
            };
        }
        Ok(value)
    }

    fn column(&mut self, record: &'a Record, name: &Val<'a>) -> Result<Val<'a>, Rejection> {
        let (Some(row), Val::Text(name)) = (self.row_of(record), name) else {
            return Ok(Val::Nil);
        };
        self.work.steps(1 + record.columns.len() / 8)?;
        let column = record.columns.iter().find(|(it, _)| *it == **name);
        self.of(column.and_then(|(_, column)| row.get(*column)))
    }

    /// What comes after a point: a name of an object, or else what every value has.
    fn field(&mut self, value: &Val<'a>, name: &str) -> Result<Val<'a>, Rejection> {
        if let Some(found) = value.get(name, &mut self.work)? {
            return Ok(found);
        }
        match name {
            "size" if !matches!(value, Val::Nil | Val::Bool(_) | Val::Number(_)) => {
                Ok(Val::int(value.len(&mut self.work)?))
            }
            "first" => super::filter::first(value, &mut self.work),
            "last" => super::filter::last(value, &mut self.work),
            _ => Ok(Val::Nil),
        }
    }

    fn element(&mut self, value: &Val<'a>, place: i64) -> Result<Val<'a>, Rejection> {
        Ok(value.index(place, &mut self.work)?.unwrap_or(Val::Nil))
    }

    fn looked_up(&mut self, value: &Val<'a>, at: &Val<'a>) -> Result<Val<'a>, Rejection> {
        match at {
            Val::Text(name) => Ok(value.get(name, &mut self.work)?.unwrap_or(Val::Nil)),
            Val::Number(number) => match number.to_int(&mut self.work)? {
                Some(place) => self.element(value, place),
                None => Ok(Val::Nil),
            },
            _ => Ok(Val::Nil),
        }
    }
}

fn of_literal(literal: &Literal) -> Val<'_> {
    match literal {
        Literal::Nil => Val::Nil,
        Literal::Bool(b) => Val::Bool(*b),
        Literal::Number(digits) => Val::Number(Number::Written(Text::Slice(digits))),
        Literal::Text(text) => Val::text(text.as_str()),
        Literal::Empty => Val::Empty,
        Literal::Blank => Val::Blank,
    }
}
