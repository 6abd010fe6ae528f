//! Where in the JSON each output stands, found when a template is compiled: the state of the JSON is
//! followed through the text and through each branch. That is what makes a template safe: an output
//! within a string cannot end it, and one outside strings can only be one value.

use super::Located;
use super::expression::Expression;
use super::node::{Case, For, If, Kind, Node};
use crate::error::Fault;
use crate::json;

/// Where an output stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// In a text template.
    Plain,
    /// Inside a JSON string.
    String,
    /// Outside of strings, where JSON has a value.
    Value,
}

/// The state of the JSON between two characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    String,
    /// After a backslash.
    Escape,
    /// With so many hexadecimal digits of an escape to come.
    Hex(u8),
}

impl State {
    fn position(self) -> Position {
        match self {
            State::Value => Position::Value,
            State::String | State::Escape | State::Hex(_) => Position::String,
        }
    }
}

/// Gives each output of a JSON template its position.
///
/// # Errors
///
/// A string that is open at the end, after only some of the branches of a block, or otherwise after
/// a loop than before it; an escape that does not end before the next output or tag; a line break
/// within a string; an output that can never be a value where one is due.
pub(super) fn resolve(nodes: &mut [Node]) -> Result<(), Located> {
    let mut walk = Walk { opened: 0, loops: Vec::new() };
    match walk.nodes(nodes, State::Value)? {
        State::Value => Ok(()),
        _ => Err(Fault::invalid("the template ends within a JSON string").at(walk.opened)),
    }
}

/// Whether a text can stand where JSON has a value: nothing, a comma between two values, or one
/// JSON value.
pub(super) fn stands_as_value(text: &str) -> bool {
    text.is_empty() || text == "," || json::is_one_value(text)
}

struct Walk {
    /// Where the last string was opened.
    opened: usize,
    /// The states at which the loops around began.
    loops: Vec<State>,
}

impl Walk {
    /// Recurses once for each block within a block.
    fn nodes(&mut self, nodes: &mut [Node], mut state: State) -> Result<State, Located> {
        for Node { at, kind } in nodes {
            let at = *at;
            match kind {
                Kind::Text(text) => state = self.text(text, at, state)?,
                Kind::Output { expression, position } => {
                    *position = state.position();
                    if *position == Position::Value {
                        check_constant(expression).map_err(|fault| fault.at(at))?;
                    }
                }
                Kind::Cycle(cycle) => cycle.position = state.position(),
                Kind::Count { position, .. } => *position = state.position(),
                Kind::If(block) => state = self.branches(block, at, state)?,
                Kind::Case(case) => self.case(case, at, state)?,
                Kind::For(block) => self.repeated(block, at, state)?,
                Kind::IfChanged(nodes) => {
                    if self.nodes(nodes, state)? != state {
                        return Err(uneven("only in some cases").at(at));
                    }
                }
                Kind::Break | Kind::Continue => {
                    if self.loops.last().is_some_and(|begun| *begun != state) {
                        return Err(uneven("where its loop is left").at(at));
                    }
                }
                // A text of its own, which is not JSON until it is written.
                Kind::Capture { nodes, .. } => {
                    let is_left = nodes.iter().any(Node::leaves_a_loop);
                    if is_left && self.loops.last().is_some_and(|begun| *begun != state) {
                        return Err(uneven("where its loop is left").at(at));
                    }
                }
                Kind::Assign { .. } => {}
            }
        }
        Ok(state)
    }

    fn branches(&mut self, block: &mut If, at: usize, state: State) -> Result<State, Located> {
        // Without an else, its nodes are empty: the state stays as it was.
        let after = self.nodes(&mut block.otherwise, state)?;
        for branch in &mut block.branches {
            if self.nodes(&mut branch.nodes, state)? != after {
                return Err(uneven("by only some of the branches of this block").at(at));
            }
        }
        Ok(after)
    }

    /// Any of the parts of a `case` can be rendered, also more than one.
    fn case(&mut self, case: &mut Case, at: usize, state: State) -> Result<(), Located> {
        for when in &mut case.blocks {
            if self.nodes(&mut when.nodes, state)? != state {
                return Err(uneven("by a part of this \"case\"").at(at));
            }
        }
        Ok(())
    }

    fn repeated(&mut self, block: &mut For, at: usize, state: State) -> Result<(), Located> {
        self.loops.push(state);
        let after = self.nodes(&mut block.nodes, state)?;
        self.loops.pop();
        if after != state || self.nodes(&mut block.otherwise, state)? != state {
            return Err(uneven("by this loop").at(at));
        }
        Ok(())
    }

    fn text(&mut self, text: &str, at: usize, mut state: State) -> Result<State, Located> {
        for (offset, c) in text.char_indices() {
            state = match (state, c) {
                (State::Value, '"') => {
                    self.opened = at + offset;
                    State::String
                }
                (State::Value, _) => State::Value,
                (State::String, '"') => State::Value,
                (State::String, '\\') => State::Escape,
                (State::String | State::Escape | State::Hex(_), '\0'..='\x1f') => {
                    let message = "a line break or control character within a JSON string";
                    let hint = "Write \\n for a line break.".to_owned();
                    return Err(Fault::invalid(message).with_hint(hint).at(at + offset));
                }
                (State::Escape, 'u') => State::Hex(4),
                (State::Hex(left), _) if left > 1 => State::Hex(left - 1),
                (State::String | State::Escape | State::Hex(_), _) => State::String,
            };
        }
        match state {
            State::Escape | State::Hex(_) => {
                let message = "an escape in a JSON string is cut off by an output or a tag";
                Err(Fault::invalid(message).at(at + text.len()))
            }
            State::Value | State::String => Ok(state),
        }
    }
}

fn uneven(how: &str) -> Fault {
    Fault::invalid(format!("a JSON string is left open {how}"))
        .with_hint("Open and close the string's quotes in the same part.".to_owned())
}

/// Refuses what could be no value in any row.
fn check_constant(expression: &Expression) -> Result<(), Fault> {
    if !expression.filters.is_empty() || !expression.operand.is_never_json() {
        return Ok(());
    }
    let label = expression.operand.label();
    Err(Fault::invalid(format!("{label} outside quotes is not JSON"))
        .with_hint("Put quotes around the output.".to_owned()))
}
