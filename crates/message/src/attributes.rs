//! The option `attributes`: SQS message attributes, each with a type, and a value that is a plain
//! text template.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::change::Change;
use crate::error::{Fault, Rejection};
use crate::limits::{self, DataType};
use crate::mapping;
use crate::message::{Attribute, AttributeValue};
use crate::names::Names;
use crate::source::Format;
use crate::template::Template;
use crate::value::Value;

/// Compiled attributes, in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct Attributes(Vec<Compiled>);

#[derive(Debug)]
struct Compiled {
    name: Arc<str>,
    written_type: Arc<str>,
    data_type: DataType,
    value: Template,
}

/// An attribute as it is written: a text, or an object with a type.
struct Written {
    data_type: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    #[serde(rename = "type", default = "string")]
    data_type: String,
    value: String,
}

fn string() -> String {
    "String".to_owned()
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an object of type and value")
    }

    fn visit_str<E>(self, value: &str) -> Result<Written, E> {
        Ok(Written { data_type: string(), value: value.to_owned() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        let Typed { data_type, value } = Typed::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Written { data_type, value })
    }
}

impl Attributes {
    pub fn compile(attributes: &str, names: Names<'_>) -> Result<Attributes, Fault> {
        let written = mapping::object::<Written>(attributes)?;
        limits::check_attribute_count(written.len())?;
        let compile = |(name, written)| Compiled::compile(name, &written, names);
        Ok(Attributes(written.into_iter().map(compile).collect::<Result<_, Fault>>()?))
    }

    /// The attributes, apart from their size together.
    pub fn render(&self, change: &Change<'_>) -> Result<Vec<Attribute>, Rejection> {
        self.0.iter().map(|attribute| attribute.render(change)).collect()
    }
}

impl Compiled {
    fn compile(name: String, written: &Written, names: Names<'_>) -> Result<Compiled, Fault> {
        let what = format!("attribute {:?}", mapping::brief(&name));
        let within = |fault: Fault| fault.within(&what);
        limits::check_attribute_name(&name).map_err(Fault::from).map_err(within)?;
        let data_type = data_type(&written.data_type).map_err(within)?;
        let value = Template::compile(&written.value, Format::Text, names).map_err(within)?;
        if let Some(text) = value.literal() {
            limits::check_attribute_text(&name, data_type, text)?;
        } else if data_type == DataType::String {
            value
                .fixed_parts()
                .try_for_each(|part| limits::check_characters(part, || what.clone()))?;
        }
        let value = value.of(&what);
        let written_type = written.data_type.as_str().into();
        Ok(Compiled { name: name.into(), written_type, data_type, value })
    }

    fn render(&self, change: &Change<'_>) -> Result<Attribute, Rejection> {
        let value = match self.data_type {
            DataType::Binary => AttributeValue::Bytes(self.bytes(change)?),
            DataType::String | DataType::Number => AttributeValue::Text(self.text(change)?),
        };
        Ok(Attribute { name: self.name.clone(), data_type: self.written_type.clone(), value })
    }

    fn text(&self, change: &Change<'_>) -> Result<Arc<str>, Rejection> {
        if let Some(literal) = self.value.literal() {
            return Ok(literal.clone());
        }
        let text = self.value.text(change)?;
        limits::check_attribute_text(&self.name, self.data_type, &text)?;
        Ok(text.into())
    }

    /// A lone bytea's own bytes, or else the text's.
    fn bytes(&self, change: &Change<'_>) -> Result<Vec<u8>, Rejection> {
        let bytes = match self.value.value(change)? {
            Value::Bytes(bytes) => bytes.into_owned(),
            other => other.into_text().into_owned().into_bytes(),
        };
        match bytes.is_empty() {
            true => Err(limits::empty_attribute(&self.name)),
            false => Ok(bytes),
        }
    }
}

fn data_type(written: &str) -> Result<DataType, Fault> {
    if written.contains("{{") || written.contains("{%") {
        return Err(Fault::invalid("the type cannot be a template"));
    }
    Ok(DataType::parse(written)?)
}
