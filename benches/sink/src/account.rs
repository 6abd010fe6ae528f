//! What was delivered: each id once or more, and in which order within its group.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use memchr::memmem::Finder;
use roaring::RoaringTreemap;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

/// How many missing ids are named.
const NAMED: usize = 20;

/// The integer after a name, in a JSON text that is not parsed.
struct Mark(Finder<'static>);

impl Mark {
    fn new(name: &str) -> Self {
        Self(Finder::new(&format!("\"{name}\":")).into_owned())
    }

    fn read(&self, body: &str) -> Option<i64> {
        let after = self.0.find(body.as_bytes())? + self.0.needle().len();
        let rest = body.get(after..)?.trim_ascii_start();
        let digits = rest.bytes().skip(usize::from(rest.starts_with('-')));
        let end = rest.len() - digits.len() + digits.take_while(u8::is_ascii_digit).count();
        rest.get(..end)?.parse().ok()
    }
}

/// The first message that came after a later one of its group.
#[derive(Clone, Serialize)]
struct Inversion {
    group: String,
    sequence: i64,
    after: i64,
}

/// One queue's account. An id costs a bit or two, a group 16 bytes.
pub(crate) struct Account {
    id: Mark,
    sequence: Option<Mark>,
    ids: RoaringTreemap,
    /// The highest sequence of each group, by the group's hash.
    highest: HashMap<u64, i64>,
    delivered: u64,
    duplicates: u64,
    without_id: u64,
    out_of_order: u64,
    first_out_of_order: Option<Inversion>,
}

/// An account's numbers.
#[derive(Serialize)]
pub(crate) struct Sums {
    /// Every message that a consumer would have got.
    delivered: u64,
    /// How many ids among them.
    distinct: u64,
    /// How many had an id that was delivered before.
    duplicates: u64,
    without_id: u64,
    groups: usize,
    /// How many first deliveries of an id had a lower sequence than an earlier one of their group.
    out_of_order: u64,
    first_out_of_order: Option<Inversion>,
}

/// The ids of a range that were not delivered: how many, and the first few.
#[derive(Serialize)]
pub(crate) struct Missing {
    missing: u64,
    first: Vec<i64>,
}

impl Account {
    /// An account of nothing, by the integers after these names.
    pub(crate) fn new(id_name: &str, sequence_name: Option<&str>) -> Self {
        Self {
            id: Mark::new(id_name),
            sequence: sequence_name.map(Mark::new),
            ids: RoaringTreemap::new(),
            highest: HashMap::new(),
            delivered: 0,
            duplicates: 0,
            without_id: 0,
            out_of_order: 0,
            first_out_of_order: None,
        }
    }

    /// Goes by other names from now on.
    pub(crate) fn rename(&mut self, id_name: &str, sequence_name: Option<&str>) {
        self.id = Mark::new(id_name);
        self.sequence = sequence_name.map(Mark::new);
    }

    pub(crate) fn deliver(&mut self, body: &str, group: Option<&str>) {
        self.delivered += 1;
        let Some(id) = self.id.read(body) else {
            self.without_id += 1;
            return;
        };
        if !self.ids.insert(place(id)) {
            self.duplicates += 1;
            return;
        }
        let sequence = match &self.sequence {
            Some(mark) => mark.read(body),
            None => Some(id),
        };
        if let (Some(group), Some(sequence)) = (group, sequence) {
            self.follow(group, sequence);
        }
    }

    fn follow(&mut self, group: &str, sequence: i64) {
        let mut highest = match self.highest.entry(xxh3_64(group.as_bytes())) {
            Entry::Vacant(unseen) => {
                unseen.insert(sequence);
                return;
            }
            Entry::Occupied(highest) => highest,
        };
        let after = *highest.get();
        if sequence >= after {
            highest.insert(sequence);
            return;
        }
        self.out_of_order += 1;
        self.first_out_of_order.get_or_insert_with(|| Inversion {
            group: group.to_owned(),
            sequence,
            after,
        });
    }

    pub(crate) fn sums(&self) -> Sums {
        Sums {
            delivered: self.delivered,
            distinct: self.ids.len(),
            duplicates: self.duplicates,
            without_id: self.without_id,
            groups: self.highest.len(),
            out_of_order: self.out_of_order,
            first_out_of_order: self.first_out_of_order.clone(),
        }
    }

    /// Which ids from `from` through `through` never came.
    pub(crate) fn missing(&self, from: i64, through: i64) -> Missing {
        let (from, through) = (place(from), place(through));
        if from > through {
            return Missing { missing: 0, first: Vec::new() };
        }
        let before = from.checked_sub(1).map_or(0, |before| self.ids.rank(before));
        let delivered = self.ids.rank(through) - before;
        // No overflow but for the full range of 64 bits with nothing delivered.
        let missing = (through - from).saturating_add(1) - delivered;
        let named = usize::try_from(missing).unwrap_or(NAMED).min(NAMED);
        let first = (from..=through)
            .filter(|place| !self.ids.contains(*place))
            .take(named)
            .map(id_at)
            .collect();
        Missing { missing, first }
    }
}

const SIGN: u64 = 1 << 63;

/// Ids in their order, as a bitmap has them, which knows no negative numbers.
fn place(id: i64) -> u64 {
    id.cast_unsigned() ^ SIGN
}

fn id_at(place: u64) -> i64 {
    (place ^ SIGN).cast_signed()
}
