//! Where in the JSON each output stands, found when a template is compiled: the state of the JSON is
//! followed through the text and through each branch. That is what makes a template safe: an output
//! within a string cannot end it, and one outside strings can only be one value.

use super::Located;
use super::operand::Operand;
use super::tree::Node;
use crate::error::Fault;
use crate::json;
use crate::value::Value;

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

/// Gives each output of a JSON template its position.
///
/// # Errors
///
/// A string that is open at the end or after only some of the branches of a block; an escape that
/// does not end before the next output or tag; a line break within a string; an output that can
/// never be a value where one is due.
pub(super) fn resolve(nodes: &mut [Node]) -> Result<(), Located> {
    let mut walk = Walk { opened: 0 };
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
}

impl Walk {
    /// Recurses once for each block within a block.
    fn nodes(&mut self, nodes: &mut [Node], mut state: State) -> Result<State, Located> {
        for node in nodes {
            match node {
                Node::Text { text, at } => state = self.text(text, *at, state)?,
                Node::Output(output) => {
                    output.position = match state {
                        State::Value => Position::Value,
                        _ => Position::String,
                    };
                    if output.position == Position::Value {
                        check_constant(&output.value).map_err(|fault| fault.at(output.at))?;
                    }
                }
                Node::If(block) => {
                    // Without an else, its nodes are empty: the state stays as it was.
                    let after = self.nodes(&mut block.otherwise, state)?;
                    for branch in &mut block.branches {
                        if self.nodes(&mut branch.nodes, state)? != after {
                            return Err(uneven_branches().at(block.at));
                        }
                    }
                    state = after;
                }
            }
        }
        Ok(state)
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

fn uneven_branches() -> Fault {
    Fault::invalid("a JSON string is left open by only some of the branches of this block")
        .with_hint("Open and close the string's quotes in the same branch.".to_owned())
}

/// Refuses what could be no value in any row.
fn check_constant(operand: &Operand) -> Result<(), Fault> {
    let refused = match operand {
        Operand::Event | Operand::RunStartedAt => true,
        Operand::Literal(Value::Text(text) | Value::Number(text)) => !stands_as_value(text),
        _ => false,
    };
    if refused {
        let hint = "Put quotes around the output.".to_owned();
        return Err(Fault::invalid(format!("{} outside quotes is not JSON", operand.label()))
            .with_hint(hint));
    }
    Ok(())
}
