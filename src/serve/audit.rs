//! What every answer is marked with: the audit id of its request, and the flow that the request
//! came under.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::api::User;
use crate::base::Rng;

/// The id of a request: its client's own, where it gives one, or a fresh one.
pub(super) fn id(given: &str) -> String {
    // Only has to be another each time; the cluster's own randomness is left alone.
    static NEXT: AtomicU64 = AtomicU64::new(0x5eed);
    if !given.is_empty() && given.len() <= 64 {
        return given.to_owned();
    }
    let mut rng = Rng::new(NEXT.fetch_add(1, Ordering::Relaxed));
    let (high, low) = (rng.next_u64(), rng.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}

/// The uids of the flow schema and the priority level of a user's requests, by the schemas that a
/// kube-apiserver begins with: nothing is queued here, the headers are for those who read them.
pub(super) fn flow(user: Option<&User>) -> [&'static str; 2] {
    let in_group = |group: &str| user.is_none_or(|user| user.groups.iter().any(|g| g == group));
    if in_group("system:masters") {
        ["5d34f698-3a6a-4b86-b239-66aaad81494e", "2bd5f6f0-3d83-4e43-9f0c-3d0f7b0d6d0a"]
    } else if in_group("system:serviceaccounts") {
        ["c2b1a1f0-64b5-4c3e-8a2b-0a3f0b9d1c57", "8f6a4b7e-52f5-4d0b-9d26-71f0f6b8b9a3"]
    } else if in_group("system:authenticated") {
        ["a1d2be9c-7f0a-4f0c-8c57-2f3f1f6b7d21", "f0b9d6c3-1e5f-4a39-8a5e-0b6c8f1a2e44"]
    } else {
        ["bf1c9c1e-92ba-426e-8d7f-6f7bd682e653", "3c1e5b2f-0a79-4a8e-9b0e-7d1c2f3a4b5c"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_clients_own_or_a_fresh_one() {
        assert_eq!(id("mine"), "mine");
        let (a, b) = (id(""), id(""));
        assert_ne!(a, b);
        assert_eq!(a.len(), 36);
        assert_eq!(&a[14..15], "4");
    }
}
