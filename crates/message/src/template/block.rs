//! Blocks while they are read: how each begins, what its inner tags do, and what becomes of it at
//! its end.

use super::Located;
use super::condition::{self, Condition};
use super::expression::Reader;
use super::node::{Branch, Case, For, If, Kind, Node, Offset, When};
use super::operand::Operand;
use super::scan::Span;
use super::scope::{Scope, target};
use crate::error::Fault;

/// What has been read of a block but for the part that is open.
pub(super) enum Block {
    If {
        is_unless: bool,
        branches: Vec<Branch>,
        /// The condition of the branch that is open; none in the `else`.
        condition: Option<Condition>,
    },
    Case {
        subject: Operand,
        blocks: Vec<When>,
        /// Of the part that is open; none before the first `when`.
        open: Option<Option<Vec<Operand>>>,
    },
    For {
        block: Box<For>,
        is_in_else: bool,
    },
    Capture {
        variable: usize,
    },
    IfChanged,
    Liquid,
}

impl Block {
    /// Reads the tag that begins a block.
    pub fn open(
        name: Span<'_>,
        arguments: Span<'_>,
        scope: &mut Scope<'_>,
    ) -> Result<Block, Located> {
        match name.text {
            "case" => {
                let mut reader = Reader::of(arguments, scope)?;
                let subject = reader.operand("tag \"case\" needs a value")?;
                reader.end("tag \"case\" takes one value")?;
                Ok(Block::Case { subject, blocks: Vec::new(), open: None })
            }
            "for" => open_for(arguments, scope),
            "capture" => {
                let mut reader = Reader::of(arguments, scope)?;
                let fault = || Fault::invalid("tag \"capture\" needs a name").at(name.at);
                let made = reader.next().and_then(target).ok_or_else(fault)?;
                reader.end("there is more than one name")?;
                Ok(Block::Capture { variable: scope.variable(made) })
            }
            "ifchanged" => Ok(Block::IfChanged),
            tag => {
                let condition = Some(condition::compile(arguments, scope)?);
                Ok(Block::If { is_unless: tag == "unless", branches: Vec::new(), condition })
            }
        }
    }

    /// The tag that it begins with.
    pub fn tag(&self) -> &'static str {
        match self {
            Block::If { is_unless: false, .. } => "if",
            Block::If { is_unless: true, .. } => "unless",
            Block::Case { .. } => "case",
            Block::For { .. } => "for",
            Block::Capture { .. } => "capture",
            Block::IfChanged => "ifchanged",
            Block::Liquid => "liquid",
        }
    }

    /// An `elsif`: `nodes` are of the branch before it.
    pub fn elsif(&mut self, nodes: Vec<Node>, next: Condition) -> Result<(), &'static str> {
        let Block::If { condition, .. } = self else { return Err("has no \"if\"") };
        let before = condition.replace(next).ok_or("comes after \"else\"")?;
        self.end_branch(before, nodes);
        Ok(())
    }

    /// A `when`: `nodes` are of the part before it.
    pub fn when(&mut self, nodes: Vec<Node>, values: Vec<Operand>) -> Result<(), &'static str> {
        let Block::Case { .. } = self else { return Err("has no \"case\"") };
        self.end_when(nodes, Some(values))
    }

    /// An `else`: `nodes` are of the part before it.
    pub fn otherwise(
        &mut self,
        nodes: Vec<Node>,
        scope: &mut Scope<'_>,
    ) -> Result<(), &'static str> {
        match self {
            Block::If { condition, .. } => {
                let before = condition.take().ok_or("comes after \"else\"")?;
                self.end_branch(before, nodes);
                Ok(())
            }
            Block::Case { .. } => self.end_when(nodes, None),
            Block::For { is_in_else: true, .. } => Err("comes after \"else\""),
            Block::For { block, is_in_else } => {
                scope.end_loop();
                block.nodes = nodes;
                *is_in_else = true;
                Ok(())
            }
            Block::Capture { .. } | Block::IfChanged | Block::Liquid => Err("has no \"if\""),
        }
    }

    fn end_branch(&mut self, condition: Condition, nodes: Vec<Node>) {
        if let Block::If { is_unless, branches, .. } = self {
            // Only the first condition of an `unless` is the other way round.
            let holds = !(*is_unless && branches.is_empty());
            branches.push(Branch { condition, holds, nodes });
        }
    }

    fn end_when(
        &mut self,
        nodes: Vec<Node>,
        next: Option<Vec<Operand>>,
    ) -> Result<(), &'static str> {
        let Block::Case { blocks, open, .. } = self else { return Ok(()) };
        match open.replace(next) {
            Some(values) => blocks.push(When { values, nodes }),
            None if nodes.iter().all(Node::is_blank) => {}
            None => return Err("comes after something that no \"when\" is for"),
        }
        Ok(())
    }

    /// The end of the block: `last` are the nodes of the part that was open.
    pub fn close(mut self, last: Vec<Node>, scope: &mut Scope<'_>) -> Result<Option<Kind>, Fault> {
        let mut last = last;
        match &mut self {
            Block::If { condition, .. } => {
                if let Some(condition) = condition.take() {
                    self.end_branch(condition, std::mem::take(&mut last));
                }
            }
            Block::Case { .. } => self
                .end_when(std::mem::take(&mut last), None)
                .map_err(|_| Fault::invalid("this \"case\" has something outside of its parts"))?,
            _ => {}
        }
        Ok(match self {
            Block::If { branches, .. } => {
                let has_nodes = branches.iter().any(|it| !it.nodes.is_empty()) || !last.is_empty();
                has_nodes.then_some(Kind::If(If { branches, otherwise: last }))
            }
            Block::Case { subject, blocks, .. } => Some(Kind::Case(Case { subject, blocks })),
            Block::For { mut block, is_in_else } => {
                if is_in_else {
                    block.otherwise = last;
                } else {
                    scope.end_loop();
                    block.nodes = last;
                }
                Some(Kind::For(block))
            }
            Block::Capture { variable } => Some(Kind::Capture { variable, nodes: last }),
            Block::IfChanged => Some(Kind::IfChanged(last)),
            Block::Liquid => None,
        })
    }
}

/// Reads what comes after `for`.
fn open_for(arguments: Span<'_>, scope: &mut Scope<'_>) -> Result<Block, Located> {
    let mut reader = Reader::of(arguments, scope)?;
    let at = reader.at();
    let fault = || Fault::invalid("a loop reads: for item in row.items").at(at);
    let variable = reader.next().and_then(target).ok_or_else(fault)?;
    if !reader.next_is_word("in") {
        return Err(fault());
    }
    let begins = reader.at() - arguments.at;
    let collection = reader.operand("something to loop over is expected")?;
    let written = arguments.until(reader.at() - arguments.at).from(begins).trim_end();
    let name = format!("{variable}-{}", written.text);
    let mut block = For {
        variable: 0,
        ended: 0,
        collection,
        name,
        offset: None,
        limit: None,
        is_reversed: false,
        nodes: Vec::new(),
        otherwise: Vec::new(),
    };
    while reader.peek().is_some() {
        loop_argument(&mut reader, &mut block)?;
    }
    block.ended = scope.loop_name(&block.name);
    block.variable = scope.begin_loop(variable);
    Ok(Block::For { block: Box::new(block), is_in_else: false })
}

fn loop_argument(reader: &mut Reader<'_, '_, '_>, block: &mut For) -> Result<(), Located> {
    let at = reader.at();
    if reader.next_is(",") {
        return Ok(());
    }
    if reader.next_is_word("reversed") {
        block.is_reversed = true;
    } else if reader.next_is_word("limit") {
        reader.expect(":")?;
        block.limit = Some(reader.operand("a number is expected after \"limit:\"")?);
    } else if reader.next_is_word("offset") {
        reader.expect(":")?;
        block.offset = Some(match reader.next_is_word("continue") {
            true => Offset::Continue,
            false => Offset::Of(reader.operand("a number is expected after \"offset:\"")?),
        });
    } else {
        return Err(Fault::invalid("\"limit:\", \"offset:\" or \"reversed\" is expected").at(at));
    }
    Ok(())
}
