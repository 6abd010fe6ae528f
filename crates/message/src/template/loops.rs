//! Loops: which elements they go through, one at a time, and what `forloop` says of each.

use std::rc::Rc;

use super::node::{For, Offset};
use super::operand::{LoopField, Operand};
use super::render::{Flow, Render};
use super::value::{Text, Val};
use crate::error::Rejection;
use crate::output::Output;

/// A loop that is under way.
#[derive(Debug)]
pub(super) struct Loop<'a> {
    name: &'a str,
    /// How many elements it goes through.
    length: usize,
    /// How many it has gone through.
    index: usize,
}

/// What a loop goes through.
enum Elements<'a> {
    None,
    One(Val<'a>),
    Range { first: i64, length: usize },
    Array(Rc<Vec<Val<'a>>>),
    Object(Rc<Vec<(Text<'a>, Val<'a>)>>),
}

impl<'a> Elements<'a> {
    fn len(&self) -> usize {
        match self {
            Elements::None => 0,
            Elements::One(_) => 1,
            Elements::Range { length, .. } => *length,
            Elements::Array(elements) => elements.len(),
            Elements::Object(pairs) => pairs.len(),
        }
    }

    fn get(&self, place: usize) -> Option<Val<'a>> {
        match self {
            Elements::None => None,
            Elements::One(value) => Some(value.clone()),
            Elements::Range { first, .. } => first.checked_add_unsigned(place as u64).map(Val::int),
            Elements::Array(elements) => elements.get(place).cloned(),
            Elements::Object(pairs) => pairs.get(place).cloned().map(Val::pair),
        }
    }
}

impl<'a> Render<'a> {
    pub(super) fn repeat(&mut self, block: &'a For, out: &mut Output) -> Result<Flow, Rejection> {
        let collection = self.value(&block.collection)?;
        let elements = self.elements(collection)?;
        let offset = match &block.offset {
            None => 0,
            Some(Offset::Continue) => self.ended.get(block.ended).copied().unwrap_or(0),
            Some(Offset::Of(operand)) => self.count_of(operand, "offset")?.unwrap_or(0),
        };
        let rest = elements.len().saturating_sub(offset);
        let limit = match &block.limit {
            None => rest,
            Some(operand) => self.count_of(operand, "limit")?.unwrap_or(rest),
        };
        let length = rest.min(limit);
        if let Some(ended) = self.ended.get_mut(block.ended) {
            *ended = offset.saturating_add(length);
        }
        if length == 0 {
            return self.nodes(&block.otherwise, out);
        }
        self.loops.push(Loop { name: &block.name, length, index: 0 });
        for index in 0..length {
            self.work().step()?;
            let place = if block.is_reversed { length - 1 - index } else { index };
            let element = elements.get(offset.saturating_add(place)).unwrap_or(Val::Nil);
            self.make(block.variable, element);
            if let Some(this) = self.loops.last_mut() {
                this.index = index;
            }
            match self.nodes(&block.nodes, out)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
            }
        }
        self.loops.pop();
        Ok(Flow::Next)
    }

    /// A `limit` or an `offset`; none of `nil`.
    fn count_of(&mut self, operand: &'a Operand, what: &str) -> Result<Option<usize>, Rejection> {
        let value = self.value(operand)?;
        if matches!(value, Val::Nil) {
            return Ok(None);
        }
        match value.to_int(self.work())? {
            // Before the first is at the first.
            Some(number) => Ok(Some(usize::try_from(number).unwrap_or(0))),
            None => {
                let reason = format!("{what} of a loop is not a whole number");
                Err(Rejection::new("template_error", reason))
            }
        }
    }

    /// What is neither an array, an object nor a range is gone through as one, if it is a text.
    fn elements(&mut self, collection: Val<'a>) -> Result<Elements<'a>, Rejection> {
        Ok(match collection {
            Val::Range(first, _) => Elements::Range { first, length: collection.len(self.work())? },
            Val::Text(ref text) if text.is_empty() => Elements::None,
            Val::Text(_) | Val::Bytes(_) => Elements::One(collection),
            _ => match collection.elements(self.work())? {
                Some(elements) => Elements::Array(elements),
                None => {
                    let pairs = collection.pairs(self.work())?;
                    pairs.map_or(Elements::None, Elements::Object)
                }
            },
        })
    }
}

impl<'a> Loop<'a> {
    /// What `forloop` has, of the last of some loops.
    pub fn field(loops: &[Loop<'a>], field: LoopField) -> Val<'a> {
        let Some((this, around)) = loops.split_last() else { return Val::Nil };
        let last = this.length.saturating_sub(1);
        match field {
            LoopField::Name => Val::text(this.name),
            LoopField::Length => Val::int(this.length),
            LoopField::Index => Val::int(this.index + 1),
            LoopField::Index0 => Val::int(this.index),
            LoopField::Rindex => Val::int(this.length.saturating_sub(this.index)),
            LoopField::Rindex0 => Val::int(last.saturating_sub(this.index)),
            LoopField::First => Val::Bool(this.index == 0),
            LoopField::Last => Val::Bool(this.index == last),
            LoopField::All => {
                let mut all: Vec<_> = LoopField::NAMED
                    .into_iter()
                    .map(|(name, field)| (Text::Slice(name), Loop::field(loops, field)))
                    .collect();
                if !around.is_empty() {
                    let parent = Loop::field(around, LoopField::All);
                    all.push((Text::Slice("parentloop"), parent));
                }
                Val::Object(Rc::new(all))
            }
        }
    }
}
