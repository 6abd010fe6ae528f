//! The MD5s that SQS gives of a message, in hexadecimal
//! (Amazon SQS Developer Guide, "Calculating the MD5 message digest for message attributes").

use md5::{Digest, Md5};

use crate::wire::Attributes;

pub(crate) type Hex = [u8; 32];

pub(crate) fn of_body(body: &str) -> Hex {
    hex(Md5::digest(body).into())
}

/// `None` for a message without attributes, of which SQS says nothing.
pub(crate) fn of_attributes(attributes: &Attributes<'_>) -> Option<Hex> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        add(&mut digest, name.as_bytes());
        add(&mut digest, attribute.data_type.as_bytes());
        digest.update([if attribute.is_binary() { 2 } else { 1 }]);
        add(&mut digest, attribute.value());
    }
    Some(hex(digest.finalize().into()))
}

fn add(digest: &mut Md5, part: &[u8]) {
    digest.update((part.len() as u32).to_be_bytes());
    digest.update(part);
}

fn hex(bytes: [u8; 16]) -> Hex {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 32];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    hex
}
