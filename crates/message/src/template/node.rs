//! The tree of a compiled template.

use super::condition::Condition;
use super::expression::Expression;
use super::operand::Operand;
use super::position::Position;

/// A part of a template, and its offset in it.
#[derive(Debug)]
pub(super) struct Node {
    pub at: usize,
    pub kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Text as it is.
    Text(String),
    Output {
        expression: Expression,
        position: Position,
    },
    If(If),
    Case(Case),
    For(Box<For>),
    Assign {
        variable: usize,
        expression: Expression,
    },
    Capture {
        variable: usize,
        nodes: Vec<Node>,
    },
    Cycle(Cycle),
    Count {
        counter: usize,
        /// What is added: before it is shown if it is negative, else after.
        by: i64,
        position: Position,
    },
    IfChanged(Vec<Node>),
    Break,
    Continue,
}

/// An `if` or `unless` with its `elsif`s and its `else`.
#[derive(Debug)]
pub(super) struct If {
    pub branches: Vec<Branch>,
    /// What is rendered when no condition holds; empty without an `else`.
    pub otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub condition: Condition,
    /// What the condition must be: false for an `unless`.
    pub holds: bool,
    pub nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Case {
    pub subject: Operand,
    /// In their order, each rendered once for every value of it that is the subject's.
    pub blocks: Vec<When>,
}

/// A `when`, or an `else` of a `case`.
#[derive(Debug)]
pub(super) struct When {
    /// None for an `else`, which is rendered if nothing before it was.
    pub values: Option<Vec<Operand>>,
    pub nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct For {
    pub variable: usize,
    pub collection: Operand,
    /// As it is written: `item-row.items`.
    pub name: String,
    /// The place of the name: loops with one name go on from one another.
    pub ended: usize,
    pub offset: Option<Offset>,
    pub limit: Option<Operand>,
    pub is_reversed: bool,
    pub nodes: Vec<Node>,
    /// What is rendered without any element.
    pub otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(super) enum Offset {
    Of(Operand),
    /// Where the last loop of the same name ended.
    Continue,
}

#[derive(Debug)]
pub(super) struct Cycle {
    pub group: Group,
    pub values: Vec<Operand>,
    pub position: Position,
}

/// What cycles go on from one another.
#[derive(Debug)]
pub(super) enum Group {
    /// Those with the same values, as they are written.
    Values(String),
    Named(Operand),
}

impl Node {
    /// The text of a node that is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it writes nothing but white space, whatever the row is.
    pub fn is_blank(&self) -> bool {
        match &self.kind {
            Kind::Text(text) => text.trim().is_empty(),
            Kind::Assign { .. } | Kind::Capture { .. } => true,
            Kind::If(block) => {
                are_blank(&block.otherwise)
                    && block.branches.iter().all(|branch| are_blank(&branch.nodes))
            }
            Kind::Case(case) => case.blocks.iter().all(|when| are_blank(&when.nodes)),
            Kind::For(block) => are_blank(&block.nodes) && are_blank(&block.otherwise),
            Kind::Output { .. }
            | Kind::Cycle(_)
            | Kind::Count { .. }
            | Kind::IfChanged(_)
            | Kind::Break
            | Kind::Continue => false,
        }
    }

    /// Whether a `break` or `continue` in it leaves a loop around it.
    pub fn leaves_a_loop(&self) -> bool {
        let leave = |nodes: &[Node]| nodes.iter().any(Node::leaves_a_loop);
        match &self.kind {
            Kind::Break | Kind::Continue => true,
            Kind::If(block) => {
                leave(&block.otherwise) || block.branches.iter().any(|it| leave(&it.nodes))
            }
            Kind::Case(case) => case.blocks.iter().any(|it| leave(&it.nodes)),
            Kind::For(block) => leave(&block.otherwise),
            Kind::Capture { nodes, .. } | Kind::IfChanged(nodes) => leave(nodes),
            Kind::Text(_)
            | Kind::Output { .. }
            | Kind::Assign { .. }
            | Kind::Cycle(_)
            | Kind::Count { .. } => false,
        }
    }

    /// Takes the white space out of a blank block: it renders nothing at all, by Liquid's rule.
    pub fn without_blanks(mut self) -> Node {
        if self.is_blank() {
            match &mut self.kind {
                Kind::If(block) => {
                    block.otherwise.retain(is_no_text);
                    block.branches.iter_mut().for_each(|it| it.nodes.retain(is_no_text));
                }
                Kind::Case(case) => {
                    case.blocks.iter_mut().for_each(|it| it.nodes.retain(is_no_text));
                }
                Kind::For(block) => {
                    block.nodes.retain(is_no_text);
                    block.otherwise.retain(is_no_text);
                }
                _ => {}
            }
        }
        self
    }
}

fn is_no_text(node: &Node) -> bool {
    node.as_text().is_none()
}

fn are_blank(nodes: &[Node]) -> bool {
    nodes.iter().all(Node::is_blank)
}
