//! The examples of the reference product's page: a template, a column and a mapping.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;

#[test]
fn the_json_editor_example() {
    let source = r#"{
  "name": "{{row.full_name}}",
  "age": {{row.age}},
  "contact_info": [
    {
      "type": "email",
      "value": "{{row.email_address}}"
    },
    {
      "type": "phone",
      "value": "{{row.phone_number}}"
    }
  ]
}"#;
    let row = [
        ("full_name", text("John Doe")),
        ("age", number("30")),
        ("email_address", text("john@example.com")),
        ("phone_number", text("+14158675309")),
    ];
    assert_eq!(
        body(source, &row),
        r#"{
  "name": "John Doe",
  "age": 30,
  "contact_info": [
    {
      "type": "email",
      "value": "john@example.com"
    },
    {
      "type": "phone",
      "value": "+14158675309"
    }
  ]
}"#
    );
}

#[test]
fn the_one_column_example() {
    let document = r#"{"event": "page_view", "url": "https://example.com/"}"#;
    let message = render(&body_column("payload"), &[("payload", json(document))]).unwrap();
    assert_eq!(message.body, document);
}

#[test]
fn the_field_mapping_example() {
    let source = fields(
        r#"{"customer_first_name": "first_name", "customer_last_name": "last_name", "customer_email": "email"}"#,
    );
    let row = [
        ("email", text("alice.doe@example.com")),
        ("first_name", text("Alice")),
        ("last_name", text("Doe")),
    ];
    let expected = r#"{"customer_first_name":"Alice","customer_last_name":"Doe","customer_email":"alice.doe@example.com"}"#;
    assert_eq!(render(&source, &row).unwrap().body, expected);
}
