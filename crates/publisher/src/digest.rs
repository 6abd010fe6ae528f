//! The MD5s by which SQS says what it has received, which the SDK does not look at.

use md5::{Digest, Md5};

use crate::outgoing::{Attribute, AttributeValue};

/// Whether `digest` is that of this body. A server that gives none is believed.
pub(crate) fn is_of_body(digest: &str, body: &str) -> bool {
    is(digest, || Md5::digest(body))
}

/// Whether `digest` is that of these attributes, by the algorithm of the Amazon SQS Developer
/// Guide, "Calculating the MD5 message digest for message attributes": sorted by name, each name,
/// type and value with its length before it, and before the value whether it is text or bytes.
pub(crate) fn is_of_attributes(digest: &str, attributes: &[Attribute]) -> bool {
    is(digest, || {
        let mut sorted: Vec<&Attribute> = attributes.iter().collect();
        sorted.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut md5 = Md5::new();
        for Attribute { name, data_type, value } in sorted {
            add(&mut md5, name.as_bytes());
            add(&mut md5, data_type.as_bytes());
            md5.update(match value {
                AttributeValue::Text(_) => [1],
                AttributeValue::Bytes(_) => [2],
            });
            add(&mut md5, value.bytes());
        }
        md5.finalize()
    })
}

fn add(md5: &mut Md5, bytes: &[u8]) {
    // Whatever does not fit is refused by SQS for its size.
    md5.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(bytes);
}

fn is(digest: &str, computed: impl FnOnce() -> md5::digest::Output<Md5>) -> bool {
    digest.is_empty() || (digest.len() == 32 && is_hex(digest.as_bytes(), &computed()))
}

fn is_hex(hex: &[u8], bytes: &[u8]) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS[usize::from(value)];
    hex.chunks_exact(2).zip(bytes).all(|(pair, byte)| pair == [digit(byte >> 4), digit(byte & 15)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, data_type: &str, value: &str) -> Attribute {
        let value = AttributeValue::Text(value.to_owned());
        Attribute { name: name.into(), data_type: data_type.into(), value }
    }

    fn bytes(name: &str, value: &[u8]) -> Attribute {
        let value = AttributeValue::Bytes(value.to_owned());
        Attribute { name: name.into(), data_type: "Binary".into(), value }
    }

    #[test]
    fn digests_of_attributes_are_those_of_sqs() {
        // As recorded from SQS (moto, tests/test_sqs/test_sqs.py).
        let label = [text("timestamp", "Number.java.lang.Long", "1493147359900")];
        assert!(is_of_attributes("2e2e4876d8e0bd6b8c2c8f556831c349", &label));
        let mixed = [
            text("id", "String", "453ae55e-f03b-21a6-a4b1-70c2e2e8fe71"),
            bytes("mybin", b"kekchebukek"),
            text("timestamp", "Number.java.lang.Long", "1603134247654"),
            text("contentType", "String", "application/json"),
        ];
        assert!(is_of_attributes("049075255ebc53fb95f7f9f3cedf3c50", &mixed));
        let unordered = [
            text("ccc", "String", "testjunk"),
            bytes("aaa", &[2, 3, 4]),
            text("zzz", "Number", "0230.01"),
            text("öther_encodings", "String", "Tüst"),
        ];
        assert!(is_of_attributes("8ae21a7957029ef04146b42aeaa18a22", &unordered));
        assert!(!is_of_attributes("8ae21a7957029ef04146b42aeaa18a22", &mixed));
    }

    #[test]
    fn no_digest_is_believed_and_another_is_not() {
        assert!(is_of_body("", "derp"));
        assert!(is_of_body("58fd9edd83341c29f1aebba81c31e257", "derp"));
        assert!(!is_of_body("58fd9edd83341c29f1aebba81c31e257", "herp"));
        assert!(is_of_attributes("", &[text("name", "String", "value")]));
    }
}
