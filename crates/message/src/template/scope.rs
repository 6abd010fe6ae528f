//! The names of a template while it is compiled: the variables that it makes, each with a place of
//! its own, and what they are where the template has not made them yet.

use std::collections::HashMap;

use super::operand::{LoopField, Operand, Segment, Variable};
use super::roots;
use super::scan::Piece;
use super::token::{Lexeme, tokens};
use crate::error::Fault;
use crate::names::{Names, suggestion};

/// How many places the variables of a template need.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub variables: usize,
    pub counters: usize,
    /// Of the names of loops, by which they go on from one another.
    pub loops: usize,
}

/// The names that can be used at a place in a template.
pub(super) struct Scope<'n> {
    pub names: Names<'n>,
    /// What `assign` and `capture` make, wherever in the template.
    assigned: HashMap<String, usize>,
    /// What `increment` and `decrement` count.
    counters: HashMap<String, usize>,
    /// The variables of the loops around the place, the innermost last.
    loops: Vec<(String, usize)>,
    loop_names: HashMap<String, usize>,
    places: Places,
    /// For the conformance suite: whether columns need no `row`, and unknown names are `nil`.
    is_lax: bool,
}

impl<'n> Scope<'n> {
    /// The scope of a template of these parts.
    pub fn of(pieces: &[Piece<'_>], names: Names<'n>, is_lax: bool) -> Scope<'n> {
        let mut scope = Scope {
            names,
            assigned: HashMap::new(),
            counters: HashMap::new(),
            loops: Vec::new(),
            loop_names: HashMap::new(),
            places: Places::default(),
            is_lax,
        };
        for piece in pieces {
            let Piece::Tag { name, arguments } = piece else { continue };
            // What is wrong with it is told when the tag is compiled.
            let first = tokens(*arguments).ok().and_then(|tokens| tokens.into_iter().next());
            let Some(made) = first.and_then(|token| target(token.lexeme)) else { continue };
            match name.text {
                "assign" | "capture" => {
                    scope.variable(made);
                }
                "increment" | "decrement" => {
                    scope.counter(made);
                }
                _ => {}
            }
        }
        scope
    }

    pub fn places(&self) -> Places {
        self.places
    }

    /// The place of what `assign` or `capture` makes.
    pub fn variable(&mut self, name: &str) -> usize {
        let next = &mut self.places.variables;
        *self.assigned.entry(name.to_owned()).or_insert_with(|| take(next))
    }

    /// The place of what is counted.
    pub fn counter(&mut self, name: &str) -> usize {
        let next = &mut self.places.counters;
        *self.counters.entry(name.to_owned()).or_insert_with(|| take(next))
    }

    /// A loop begins: its variable has a place of its own.
    pub fn begin_loop(&mut self, name: &str) -> usize {
        let place = take(&mut self.places.variables);
        self.loops.push((name.to_owned(), place));
        place
    }

    /// The place of a loop's name.
    pub fn loop_name(&mut self, name: &str) -> usize {
        let next = &mut self.places.loops;
        *self.loop_names.entry(name.to_owned()).or_insert_with(|| take(next))
    }

    pub fn end_loop(&mut self) {
        self.loops.pop();
    }

    /// How many loops are around the place.
    pub fn loop_depth(&self) -> usize {
        self.loops.len()
    }

    /// What a name means here, with what is looked up in it.
    ///
    /// # Errors
    ///
    /// It means nothing.
    pub fn resolve(&self, name: &str, segments: Vec<Segment>) -> Result<Operand, Fault> {
        if let Some((_, place)) = self.loops.iter().rev().find(|(it, _)| it == name) {
            let variable = Variable { name: name.to_owned(), place: Some(*place), counter: None };
            return Ok(Operand::Variable(variable).looked_into(segments));
        }
        let variable = Variable {
            name: name.to_owned(),
            place: self.assigned.get(name).copied(),
            counter: self.counters.get(name).copied(),
        };
        if variable.place.is_none() && variable.counter.is_none() {
            return self.resolve_root(name, segments);
        }
        // Where it is not made yet it is what it would be without.
        let root = match self.is_lax {
            true => Some(roots::resolve_lax(name, segments.clone(), self.names)),
            false => roots::beside_variable(name, &segments, self.names),
        };
        Ok(match root {
            Some(root) => Operand::made_or(variable, segments, root),
            None => Operand::Variable(variable).looked_into(segments),
        })
    }

    fn resolve_root(&self, name: &str, segments: Vec<Segment>) -> Result<Operand, Fault> {
        if name == "forloop" && !self.loops.is_empty() {
            return Ok(self.forloop(segments));
        }
        if self.is_lax {
            return Ok(roots::resolve_lax(name, segments, self.names));
        }
        roots::resolve(name, segments, self.names).map_err(|fault| match fault.hint {
            None => fault.with_hint(self.suggestion(name)),
            Some(_) => fault,
        })
    }

    fn suggestion(&self, name: &str) -> Option<String> {
        let loops = self.loops.iter().map(|(name, _)| name);
        let made: Vec<&String> =
            self.assigned.keys().chain(self.counters.keys()).chain(loops).collect();
        suggestion(name, &made)
    }

    /// `forloop` and what it has: of this loop, or by `parentloop` of those around it.
    fn forloop(&self, segments: Vec<Segment>) -> Operand {
        let mut up = 0;
        let mut segments = segments.into_iter().peekable();
        while segments.next_if(|segment| segment.is_field("parentloop")).is_some() {
            up += 1;
        }
        if up >= self.loops.len() {
            return Operand::nil();
        }
        let field = match segments.next() {
            None => LoopField::All,
            Some(Segment::Field(name) | Segment::Name(name)) => match LoopField::named(&name) {
                Some(field) => field,
                None => return Operand::nil(),
            },
            Some(_) => return Operand::nil(),
        };
        Operand::Loop { up, field }.looked_into(segments.collect())
    }
}

fn take(next: &mut usize) -> usize {
    *next += 1;
    *next - 1
}

/// The name that a tag makes, which quotes may surround.
pub(super) fn target(lexeme: Lexeme<'_>) -> Option<&str> {
    match lexeme {
        Lexeme::Name(name) | Lexeme::Number(name) | Lexeme::Text(name) => Some(name),
        Lexeme::Symbol(_) => None,
    }
}
