//! Columns of a model, and the form in which the snapshot and the change set keep them.
//!
//! What a table of ours holds must outlive changes to the owner's types, and hash the same
//! after a restore. So domains become their base types; and rows, types that name an object
//! by its id, and users' ranges become text, alone and in arrays. All else keeps its type.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use crate::pg::sql;
use crate::pg::{Error, Result};

/// Names of our own columns begin so; a model's may not.
pub const RESERVED: &str = "sqs_sync_";

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    /// Type of the column in our tables, qualified, as in SQL.
    pub storage: String,
    pub storage_oid: Oid,
    pub collation: Oid,
    /// `COLLATE …` of the column, where it has one.
    pub collate: String,
    conversion: Conversion,
    /// Bytes that a row needs for it at the least, long values being moved out of line.
    width: i32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Conversion {
    None,
    /// A domain: cast to the storage type.
    Cast,
    Text,
}

impl Column {
    /// The model's value of this column in its stored form, `from` being the model's alias.
    pub fn stored(&self, from: &str) -> String {
        let column = format!("{from}.{}", quoted(&self.name));
        match self.conversion {
            Conversion::None => column,
            Conversion::Cast => format!("{column}::{}", self.storage),
            Conversion::Text => format!("sqs_sync.stable_text({column})"),
        }
    }

    pub fn quoted(&self) -> String {
        quoted(&self.name)
    }
}

pub fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|c| c.name.clone()).collect()
}

pub fn quoted(name: &str) -> String {
    pgrx::spi::quote_identifier(name)
}

/// Columns of a model in their order.
pub fn of_model(relation: Oid) -> Result<Vec<Column>> {
    let columns = read_columns(relation)?;
    match columns.iter().find(|c| c.name.starts_with(RESERVED)) {
        None => Ok(columns),
        Some(column) => Err(Error::new(
            PgSqlErrorCode::ERRCODE_RESERVED_NAME,
            format!("column name \"{}\" is reserved", column.name),
        )
        .hint(format!(
            "Names that begin with {RESERVED} are the extension's: rename the column in a view."
        ))),
    }
}

/// The model's columns as one of our own tables keeps them, ours left out.
pub fn of_table(table: Oid) -> Result<Vec<Column>> {
    let columns = read_columns(table)?;
    Ok(columns.into_iter().filter(|c| !c.name.starts_with(RESERVED)).collect())
}

fn read_columns(relation: Oid) -> Result<Vec<Column>> {
    sql::rows(COLUMNS, &[relation.into()], |row| {
        let conversion = match row.need::<String>(5)?.as_str() {
            "none" => Conversion::None,
            "cast" => Conversion::Cast,
            "text" => Conversion::Text,
            _ => return Err(no_table_can_hold(&row.need::<String>(1)?, &row.need::<String>(2)?)),
        };
        Ok(Column {
            name: row.need(1)?,
            storage: row.need(2)?,
            storage_oid: row.need(3)?,
            collation: row.need(7)?,
            collate: row.need(4)?,
            conversion,
            width: row.need(6)?,
        })
    })
}

fn no_table_can_hold(column: &str, type_name: &str) -> Error {
    Error::new(
        PgSqlErrorCode::ERRCODE_INVALID_TABLE_DEFINITION,
        format!("column \"{column}\" has the type {type_name}, which no table can hold"),
    )
    .hint("Cast it in a view, for example to text.")
}

/// Columns of a model, at the most. A row and what was told of it are read by one SELECT, which has
/// 1,664 columns at the most.
const MAX_COLUMNS: usize = 800;
/// Longest row, in bytes, that a page of a table can hold.
const MAX_ROW_WIDTH: i32 = 8160;
/// Row header, null bitmap aside, and our own columns of the change set.
const OWN_WIDTH: i32 = 24 + 48;

/// Refuses columns of which a row may not fit: an acknowledgement must not fail for it.
pub fn check_width(columns: &[Column]) -> Result<()> {
    if columns.len() > MAX_COLUMNS {
        return Err(Error::new(
            PgSqlErrorCode::ERRCODE_TOO_MANY_COLUMNS,
            format!("the model has {} columns; {MAX_COLUMNS} are the most", columns.len()),
        )
        .hint(FEWER_COLUMNS));
    }
    let bitmap = (columns.len() as i32 + 16) / 8;
    let width = OWN_WIDTH + bitmap + columns.iter().map(|c| c.width).sum::<i32>();
    if width <= MAX_ROW_WIDTH {
        return Ok(());
    }
    Err(Error::new(
        PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        format!("a row of the model's {} columns may need {width} bytes", columns.len()),
    )
    .detail(format!("A row of a table has at most {MAX_ROW_WIDTH} bytes beside long values."))
    .hint(FEWER_COLUMNS))
}

const FEWER_COLUMNS: &str = "Make a view of the columns that the messages need.";

/// A relation's columns with the type that each is stored in (without its length: for the type
/// modifier -1 the name of char(n) is bpchar, not character, which is one letter long): name, type, its oid, collation,
/// conversion and width. 16384 is the first oid of types that are not Postgres's own; a value
/// that can be moved out of line leaves a pointer of 18 bytes.
const COLUMNS: &str = r#"
WITH RECURSIVE base (attnum, attname, attcollation, declared, typid) AS (
  SELECT a.attnum, a.attname, a.attcollation, a.atttypid, a.atttypid
  FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, b.attname, b.attcollation, b.declared, t.typbasetype
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typid
  WHERE t.typtype = 'd'
), typed AS (
  SELECT b.*, t.typtype, t.typlen, t.typcategory, t.typelem,
         CASE WHEN e.typarray = t.oid THEN e.oid END AS element,
         CASE WHEN e.typarray = t.oid THEN e.typtype END AS element_kind
  FROM base b
  JOIN pg_catalog.pg_type t ON t.oid = b.typid
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
  WHERE t.typtype <> 'd'
), converted AS (
  SELECT y.*,
         CASE
           WHEN COALESCE(element_kind, typtype) = 'p' THEN 'refused'
           WHEN COALESCE(element_kind, typtype) IN ('c', 'd') THEN 'text'
           WHEN COALESCE(element_kind, typtype) IN ('r', 'm') AND COALESCE(element, typid) >= 16384 THEN 'text'
           WHEN COALESCE(element, typid) IN (24, 2202, 2203, 2204, 2205, 4191, 2206, 4096, 4089, 3734, 3769, 1033) THEN 'text'
           WHEN typid <> declared THEN 'cast'
           ELSE 'none'
         END AS conversion
  FROM typed y
)
SELECT attname::text,
       pg_catalog.format_type(CASE conversion WHEN 'text' THEN 25 ELSE typid END, -1),
       CASE conversion WHEN 'text' THEN 25::oid ELSE typid END,
       COALESCE(CASE WHEN conversion <> 'text' AND attcollation <> 0 AND attcollation <> 100
         THEN (SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, c.collname)
               FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
               WHERE c.oid = attcollation) END, ''),
       conversion,
       CASE WHEN conversion = 'text' OR typlen < 0 THEN 18 ELSE GREATEST(typlen::int4, 8) END,
       CASE conversion WHEN 'text' THEN 100::oid ELSE attcollation END
FROM converted ORDER BY attnum
"#;
