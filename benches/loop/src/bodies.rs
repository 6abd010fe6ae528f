//! What is sent: messages as the benchmarks' model `customers` makes them, each with an id of its
//! own, from 1.

use serde_json::json;

pub(crate) const BATCH: usize = 10;

/// Bodies of `bytes` each, in batches of ten, but for the last.
///
/// # Errors
///
/// So few bytes do not hold a row.
pub(crate) fn batches(messages: usize, bytes: usize) -> Result<Vec<Vec<String>>, String> {
    let ids: Vec<usize> = (1..=messages).collect();
    ids.chunks(BATCH).map(|ids| ids.iter().map(|id| body(*id, bytes)).collect()).collect()
}

/// It has as many quotes as a row of the model, since the SDK escapes each. The id goes by both
/// names that are looked for: the sink's usual one and the model's.
fn body(id: usize, bytes: usize) -> Result<String, String> {
    let row = |address: &str| {
        json!({
            "id": id, "customer_id": id, "full_name": "Ada Lovelace", "email": "ada@example.com",
            "address": address, "status": "active", "balance": 1234.56,
            "last_order_at": "2024-01-15T08:00:00Z", "birthday": "1815-12-10", "subscribed": true,
        })
        .to_string()
    };
    let least = row("").len();
    let address = bytes.checked_sub(least).ok_or(format!("--bytes must be {least} or more"))?;
    Ok(row(&"x".repeat(address)))
}
