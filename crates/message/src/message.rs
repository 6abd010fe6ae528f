//! A message as SQS takes it, without the properties that are the queue's affair.

/// A message attribute. All are of SQS's type `String`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub value: String,
}

impl Attribute {
    /// The attribute's type, as `DataType` of SQS's `MessageAttributeValue`.
    pub const fn data_type(&self) -> &'static str {
        "String"
    }
}

/// A body and its attributes, in the order in which the definition names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub body: String,
    pub attributes: Vec<Attribute>,
}

impl Message {
    /// The size in bytes as SQS counts it: the body, and the name, type and value of each attribute
    /// (Amazon SQS Developer Guide, "Message metadata for Amazon SQS").
    pub fn size(&self) -> usize {
        let attributes: usize = self
            .attributes
            .iter()
            .map(|a| a.name.len() + a.data_type().len() + a.value.len())
            .sum();
        self.body.len() + attributes
    }
}
