//! A template's parts to a tree of nodes. Blocks are built on a stack of our own, so that their
//! depth costs no stack of the process before it is capped.

use super::block::Block;
use super::expression::Reader;
use super::node::{Cycle, Group, Kind, Node};
use super::position::Position;
use super::scan::{Piece, Span};
use super::scope::{Places, Scope, target};
use super::{Located, condition};
use crate::error::Fault;
use crate::names::suggestion;

/// The most blocks within one another. Rendering and dropping a tree recurse this deep.
const MAX_DEPTH: usize = 50;

/// The tags that there are, for those who mistype them.
pub(super) const TAGS: [&str; 30] = [
    "if",
    "elsif",
    "else",
    "endif",
    "unless",
    "endunless",
    "case",
    "when",
    "endcase",
    "for",
    "endfor",
    "break",
    "continue",
    "assign",
    "capture",
    "endcapture",
    "cycle",
    "increment",
    "decrement",
    "echo",
    "ifchanged",
    "endifchanged",
    "liquid",
    "raw",
    "endraw",
    "comment",
    "endcomment",
    "doc",
    "enddoc",
    "#",
];

/// Builds the tree of a template's parts.
pub(super) fn build(
    pieces: &[Piece<'_>],
    scope: Scope<'_>,
) -> Result<(Vec<Node>, Places), Located> {
    let mut builder = Builder { scope, nodes: Vec::new(), open: Vec::new() };
    for piece in pieces {
        match piece {
            Piece::Text(span) => builder.push(span.at, Kind::Text(span.text.to_owned())),
            Piece::Output(span) => builder.output(*span, "an output needs a value")?,
            Piece::Tag { name, arguments } => builder.tag(*name, *arguments)?,
            Piece::BeginLiquid(at) => builder.begin(*at, Block::Liquid)?,
            Piece::EndLiquid => builder.end_liquid()?,
        }
    }
    match builder.open.pop() {
        Some(open) => Err(open.not_closed()),
        None => Ok((builder.nodes, builder.scope.places())),
    }
}

struct Builder<'n> {
    scope: Scope<'n>,
    /// The nodes of the innermost part that is open.
    nodes: Vec<Node>,
    open: Vec<Open>,
}

/// A block whose end has not come.
struct Open {
    at: usize,
    /// The nodes around it.
    outer: Vec<Node>,
    block: Block,
}

impl Open {
    fn not_closed(&self) -> Located {
        let tag = self.block.tag();
        Fault::invalid(format!("tag {tag:?} is not closed with \"end{tag}\"")).at(self.at)
    }
}

impl Builder<'_> {
    fn push(&mut self, at: usize, kind: Kind) {
        self.nodes.push(Node { at, kind });
    }

    fn output(&mut self, span: Span<'_>, told: &str) -> Result<(), Located> {
        let at = span.trim_start().at;
        let expression = Reader::of(span, &self.scope)?.expression(told)?;
        self.push(at, Kind::Output { expression, position: Position::Plain });
        Ok(())
    }

    fn tag(&mut self, name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
        let at = name.at;
        match name.text {
            "echo" if arguments.text.trim().is_empty() => Ok(()),
            "echo" => self.output(arguments, "an output needs a value"),
            "assign" => self.assign(name, arguments),
            "increment" | "decrement" => self.count(name, arguments),
            "cycle" => self.cycle(name, arguments),
            "break" | "continue" => self.leave(name, arguments),
            "if" | "unless" | "case" | "for" | "capture" | "ifchanged" => {
                let block = Block::open(name, arguments, &mut self.scope)?;
                self.begin(at, block)
            }
            "elsif" => {
                let condition = condition::compile(arguments, &self.scope)?;
                let nodes = std::mem::take(&mut self.nodes);
                self.innermost(name, "if")?.block.elsif(nodes, condition).map_err(told_of(name))
            }
            "when" => {
                let values = when_values(arguments, &self.scope)?;
                let nodes = std::mem::take(&mut self.nodes);
                self.innermost(name, "case")?.block.when(nodes, values).map_err(told_of(name))
            }
            "else" => {
                no_arguments(name, arguments)?;
                let nodes = std::mem::take(&mut self.nodes);
                let Builder { open, scope, .. } = self;
                let Some(open) = open.last_mut() else { return Err(has_no(name, "if")) };
                open.block.otherwise(nodes, scope).map_err(told_of(name))
            }
            other => match other.strip_prefix("end") {
                Some(tag) if !tag.is_empty() && TAGS.contains(&tag) => {
                    no_arguments(name, arguments)?;
                    self.end(name, tag)
                }
                _ => Err(unknown(other).at(at)),
            },
        }
    }

    fn assign(&mut self, name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
        let mut reader = Reader::of(arguments, &self.scope)?;
        let made = reader.next().and_then(target).ok_or_else(|| needs_name(name))?;
        reader.expect("=")?;
        let expression = reader.expression("a value is expected after \"=\"")?;
        let variable = self.scope.variable(made);
        self.push(name.at, Kind::Assign { variable, expression });
        Ok(())
    }

    fn count(&mut self, name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
        let mut reader = Reader::of(arguments, &self.scope)?;
        let counted = reader.next().and_then(target).ok_or_else(|| needs_name(name))?;
        reader.end("there is more than one name")?;
        let counter = self.scope.counter(counted);
        let by = if name.text == "increment" { 1 } else { -1 };
        self.push(name.at, Kind::Count { counter, by, position: Position::Plain });
        Ok(())
    }

    fn cycle(&mut self, name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
        const TOLD: &str = "a value to cycle through is expected";
        let mut reader = Reader::of(arguments, &self.scope)?;
        let first = reader.operand(TOLD)?;
        let (group, mut values) = match reader.next_is(":") {
            true => (Group::Named(first), vec![reader.operand(TOLD)?]),
            false => (Group::Values(arguments.text.trim().to_owned()), vec![first]),
        };
        while reader.next_is(",") {
            values.push(reader.operand(TOLD)?);
        }
        reader.end("\",\" is expected between the values")?;
        self.push(name.at, Kind::Cycle(Cycle { group, values, position: Position::Plain }));
        Ok(())
    }

    fn leave(&mut self, name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
        no_arguments(name, arguments)?;
        if self.scope.loop_depth() == 0 {
            return Err(has_no(name, "for"));
        }
        self.push(name.at, if name.text == "break" { Kind::Break } else { Kind::Continue });
        Ok(())
    }

    fn begin(&mut self, at: usize, block: Block) -> Result<(), Located> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} blocks within one another");
            return Err(Fault::invalid(message).at(at));
        }
        let outer = std::mem::take(&mut self.nodes);
        self.open.push(Open { at, outer, block });
        Ok(())
    }

    fn innermost(&mut self, tag: Span<'_>, of: &str) -> Result<&mut Open, Located> {
        self.open.last_mut().ok_or_else(|| has_no(tag, of))
    }

    fn end(&mut self, name: Span<'_>, tag: &str) -> Result<(), Located> {
        let Some(open) = self.open.pop_if(|open| open.block.tag() == tag) else {
            return Err(has_no(name, tag));
        };
        let last = std::mem::replace(&mut self.nodes, open.outer);
        if let Some(kind) = open.block.close(last, &mut self.scope).map_err(|it| it.at(open.at))? {
            self.nodes.push(Node { at: open.at, kind }.without_blanks());
        }
        Ok(())
    }

    /// The tags of a `liquid` are tags like others.
    fn end_liquid(&mut self) -> Result<(), Located> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        if !matches!(open.block, Block::Liquid) {
            return Err(open.not_closed());
        }
        let inner = std::mem::replace(&mut self.nodes, open.outer);
        self.nodes.extend(inner);
        Ok(())
    }
}

/// The values of a `when`, between which are commas or `or`.
fn when_values(
    arguments: Span<'_>,
    scope: &Scope<'_>,
) -> Result<Vec<super::operand::Operand>, Located> {
    let mut reader = Reader::of(arguments, scope)?;
    let mut values = Vec::new();
    loop {
        values.push(reader.operand("tag \"when\" needs a value")?);
        if !reader.next_is(",") && !reader.next_is_word("or") {
            reader.end("\",\" or \"or\" is expected between the values")?;
            return Ok(values);
        }
    }
}

fn told_of(tag: Span<'_>) -> impl FnOnce(&'static str) -> Located {
    move |what| Fault::invalid(format!("tag {:?} {what}", tag.text)).at(tag.at)
}

fn has_no(tag: Span<'_>, of: &str) -> Located {
    Fault::invalid(format!("tag {:?} has no {of:?}", tag.text)).at(tag.at)
}

fn needs_name(tag: Span<'_>) -> Located {
    Fault::invalid(format!("tag {:?} needs a name", tag.text)).at(tag.at)
}

fn no_arguments(name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
    if arguments.text.trim().is_empty() {
        return Ok(());
    }
    Err(Fault::invalid(format!("tag {:?} takes no arguments", name.text)).at(arguments.at))
}

fn unknown(tag: &str) -> Fault {
    let hint = match tag {
        "include" | "render" | "layout" | "block" => {
            Some("A template is whole: there are no others to take in.".to_owned())
        }
        "tablerow" => Some("Write a for loop.".to_owned()),
        _ => suggestion(tag, &TAGS),
    };
    Fault::invalid(format!("unknown tag {tag:?}")).with_hint(hint)
}
