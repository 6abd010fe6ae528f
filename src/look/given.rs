//! The key of one row, as a user gives it: a JSON object of the key's columns, or of a key of one column
//! its value alone.

use pgrx::PgSqlErrorCode;

use super::shown::quoted;
use crate::changes::diff::key_json;
use crate::pg::error::{catching, shown};
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Error, Result, sql};
use crate::run::owned::{Owned, Shape};

/// The longest text that is read as a key, in bytes. That of a key has far less.
const MAX_BYTES: usize = 64 << 10;

/// The key of one row.
pub struct Key {
    pub given: String,
    /// The text of a JSON object that has exactly the key's columns.
    object: String,
    /// A column that is null.
    null: Option<String>,
}

impl Key {
    /// Of a key of one column its value alone will do.
    pub fn parse(owned: &Owned, text: &str) -> Result<Key> {
        let key = Key::parse_rejected(owned, text)?;
        match key.null {
            Some(name) => Err(Error::invalid(format!("column \"{name}\" of the key is null"))),
            None => Ok(key),
        }
    }

    /// The same of a key that may be rejected for a column of it that is null.
    pub fn parse_rejected(owned: &Owned, text: &str) -> Result<Key> {
        if text.len() > MAX_BYTES {
            let message =
                format!("key has {} bytes, more than the limit of {MAX_BYTES}", text.len());
            return Err(Error::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
                .hint("The key of a row that is told has at most 2,600 bytes."));
        }
        let names = &owned.sync.key;
        let mut null = None;
        let object = match (serde_json::from_str(text), names.as_slice()) {
            (Ok(serde_json::Value::Object(object)), _)
                if object.len() == names.len() && names.iter().all(|n| object.contains_key(n)) =>
            {
                null =
                    object.iter().find(|(_, value)| value.is_null()).map(|(name, _)| name.clone());
                text.to_owned()
            }
            (_, [name]) => {
                let mut object = serde_json::Map::new();
                object.insert(name.clone(), text.into());
                serde_json::Value::Object(object).to_string()
            }
            _ => return Err(malformed(owned, text)),
        };
        let key = Key { given: text.to_owned(), object, null };
        key.check(owned)?;
        Ok(key)
    }

    /// The key as a relation `k`: its columns as the snapshot has them.
    pub fn relation(&self, owned: &Owned) -> String {
        format!(
            "pg_catalog.jsonb_populate_record(NULL::{}, {}::pg_catalog.jsonb) AS k",
            owned.tables.snapshot,
            pgrx::spi::quote_literal(&self.object)
        )
    }

    /// The key as rejections have it.
    pub fn printed(&self, owned: &Owned) -> Result<String> {
        let shape = as_superuser(|| Shape::of(owned))?;
        let print = key_json(&shape.key, |i| format!("k.{}", shape.key[i].column.quoted()));
        let statement = format!("SELECT {print} FROM {}", self.relation(owned));
        owned.as_owner(|| {
            rights::pin_output();
            sql::value(&statement, &[])
        })
    }

    /// Its values must be values of the columns' types.
    fn check(&self, owned: &Owned) -> Result<()> {
        let statement = format!("SELECT 1 FROM {}", self.relation(owned));
        catching(|| owned.as_owner(|| sql::rows(&statement, &[], |_| Ok(())))).map_err(
            |error| match error.is_cancel() {
                true => error,
                false => Error { message: format!("key: {}", error.message), ..error },
            },
        )?;
        Ok(())
    }
}

fn malformed(owned: &Owned, text: &str) -> Error {
    let example: Vec<String> =
        owned.sync.key.iter().map(|name| format!("{}: …", quoted(name))).collect();
    Error::invalid(format!("key is not one of sync \"{}\": {}", owned.sync.name, shown(text)))
        .hint(format!("It is a JSON object of the key's columns: {{{}}}.", example.join(", ")))
}
