//! A small digest that stays the same for ever and on every machine (FNV-1a, 128 bits). It keeps
//! apart what nobody tries to confuse; it is no protection against somebody who does.

/// A digest being taken.
#[derive(Clone, Copy, Debug)]
pub struct Digest(u128);

impl Default for Digest {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Digest {
    /// Adds one part. Parts are kept apart: `a`, `bc` differs from `ab`, `c`.
    pub fn add(&mut self, part: &[u8]) {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        // 0xff occurs in no UTF-8 text, so it ends a part unmistakably.
        for byte in part.iter().copied().chain([0xff]) {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(parts: &[&str]) -> String {
        let mut digest = Digest::default();
        parts.iter().for_each(|part| digest.add(part.as_bytes()));
        digest.to_hex()
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(digest(&["a", "bc"]), digest(&["ab", "c"]));
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
        assert_eq!(digest(&[]), "6c62272e07bb014262b821756295c58d");
    }
}
