//! A template's parts to a tree of nodes. Blocks are built on a stack of our own, so that their
//! depth costs no stack of the process before it is capped.

use super::condition::Condition;
use super::operand::Operand;
use super::parse::{self, Lexeme};
use super::position::Position;
use super::scan::{Piece, Span};
use super::{Located, condition};
use crate::change::Change;
use crate::error::{Fault, Rejection};
use crate::names::Names;

/// The most blocks within one another. Rendering and dropping a tree recurse this deep.
const MAX_DEPTH: usize = 50;

#[derive(Debug)]
pub(super) enum Node {
    /// Text as it is, and its offset in the template.
    Text {
        text: String,
        at: usize,
    },
    Output(Output),
    If(If),
}

impl Node {
    /// The text of a node that is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text { text, .. } => Some(text),
            Node::Output(_) | Node::If(_) => None,
        }
    }
}

/// A `{{ }}`.
#[derive(Debug)]
pub(super) struct Output {
    pub value: Operand,
    pub position: Position,
    pub at: usize,
}

/// An `if` with its `elsif`s and its `else`.
#[derive(Debug)]
pub(super) struct If {
    pub branches: Vec<Branch>,
    /// What is rendered when no condition holds; empty without an `else`.
    pub otherwise: Vec<Node>,
    pub at: usize,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub condition: Condition,
    pub nodes: Vec<Node>,
}

impl If {
    /// The nodes of the first branch whose condition holds.
    pub fn choose(&self, change: &Change<'_>) -> Result<&[Node], Rejection> {
        for branch in &self.branches {
            if branch.condition.holds(change)? {
                return Ok(&branch.nodes);
            }
        }
        Ok(&self.otherwise)
    }
}

/// Builds the tree of a template's parts.
pub(super) fn build(pieces: &[Piece<'_>], names: Names<'_>) -> Result<Vec<Node>, Located> {
    let mut builder = Builder { names, nodes: Vec::new(), open: Vec::new() };
    for piece in pieces {
        match piece {
            Piece::Text(span) => builder.text(*span),
            Piece::Output(span) => builder.output(*span)?,
            Piece::Tag { name, arguments } => builder.tag(*name, *arguments)?,
        }
    }
    match builder.open.pop() {
        Some(block) => Err(Fault::invalid("tag \"if\" is not closed with \"endif\"").at(block.at)),
        None => Ok(builder.nodes),
    }
}

struct Builder<'a> {
    names: Names<'a>,
    /// The nodes of the innermost branch that is open.
    nodes: Vec<Node>,
    open: Vec<OpenIf>,
}

/// An `if` whose `endif` has not come.
struct OpenIf {
    at: usize,
    /// The nodes around it.
    outer: Vec<Node>,
    /// The branches that are complete.
    branches: Vec<Branch>,
    /// The condition of the branch that is open; none in the `else`.
    condition: Option<Condition>,
}

impl Builder<'_> {
    fn text(&mut self, span: Span<'_>) {
        self.nodes.push(Node::Text { text: span.text.to_owned(), at: span.at });
    }

    fn output(&mut self, span: Span<'_>) -> Result<(), Located> {
        let mut tokens = parse::tokens(span)?.into_iter();
        let first =
            tokens.next().ok_or_else(|| Fault::invalid("an output needs a value").at(span.at))?;
        if let Some(second) = tokens.next() {
            return Err(Fault::invalid("an output is one value, but there is more").at(second.at));
        }
        let Lexeme::Term(term) = first.lexeme else {
            return Err(Fault::invalid("an output needs a value").at(first.at));
        };
        let value = Operand::resolve(term, self.names).map_err(|fault| fault.at(first.at))?;
        self.nodes.push(Node::Output(Output { value, position: Position::Plain, at: first.at }));
        Ok(())
    }

    fn tag(&mut self, name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
        match name.text {
            "if" => self.begin(name, arguments),
            "elsif" => {
                let condition = condition::compile(arguments, self.names)?;
                self.end_branch(name)?.condition = Some(condition);
                Ok(())
            }
            "else" => {
                no_arguments(name, arguments)?;
                self.end_branch(name).map(|_| ())
            }
            "endif" => {
                no_arguments(name, arguments)?;
                self.end(name)
            }
            other => Err(Fault::not_supported(&format!("tag {other:?}")).at(name.at)),
        }
    }

    fn begin(&mut self, name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} blocks within one another");
            return Err(Fault::invalid(message).at(name.at));
        }
        let condition = Some(condition::compile(arguments, self.names)?);
        let outer = std::mem::take(&mut self.nodes);
        self.open.push(OpenIf { at: name.at, outer, branches: Vec::new(), condition });
        Ok(())
    }

    /// Completes the branch that is open, which leaves its block without a condition.
    fn end_branch(&mut self, tag: Span<'_>) -> Result<&mut OpenIf, Located> {
        let fault = |what: &str| Fault::invalid(format!("tag {:?} {what}", tag.text)).at(tag.at);
        let block = self.open.last_mut().ok_or_else(|| fault("has no \"if\""))?;
        let condition = block.condition.take().ok_or_else(|| fault("comes after \"else\""))?;
        block.branches.push(Branch { condition, nodes: std::mem::take(&mut self.nodes) });
        Ok(block)
    }

    fn end(&mut self, tag: Span<'_>) -> Result<(), Located> {
        let Some(mut block) = self.open.pop() else {
            return Err(Fault::invalid("tag \"endif\" has no \"if\"").at(tag.at));
        };
        let last = std::mem::replace(&mut self.nodes, block.outer);
        let otherwise = match block.condition {
            Some(condition) => {
                block.branches.push(Branch { condition, nodes: last });
                Vec::new()
            }
            None => last,
        };
        // Liquid's rule: a block with nothing but blanks in it renders nothing at all.
        let branches = block.branches;
        if !is_blank(&otherwise) || !branches.iter().all(|branch| is_blank(&branch.nodes)) {
            self.nodes.push(Node::If(If { branches, otherwise, at: block.at }));
        }
        Ok(())
    }
}

fn is_blank(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| node.as_text().is_some_and(|text| text.trim().is_empty()))
}

fn no_arguments(name: Span<'_>, arguments: Span<'_>) -> Result<(), Located> {
    if arguments.text.trim().is_empty() {
        return Ok(());
    }
    Err(Fault::invalid(format!("tag {:?} takes no arguments", name.text)).at(arguments.at))
}
