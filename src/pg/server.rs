//! What server this is: its identity, and whether it is a primary or follows one.

use pgrx::pg_sys;

use super::{Error, Result};

/// A number of its own that each `initdb`, and each pg_upgrade, gives a server. Its base backups
/// and standbys have the same.
pub fn system_identifier() -> i64 {
    // SAFETY: reads shared memory that is set when the server starts.
    unsafe { pg_sys::GetSystemIdentifier() }.cast_signed()
}

/// Whether the server replays another's WAL, as a standby does, and so cannot be written to.
pub fn is_standby() -> bool {
    // SAFETY: reads shared memory.
    unsafe { pg_sys::RecoveryInProgress() }
}

/// The timeline on which a standby receives WAL by streaming now; None if it does not.
pub fn streaming_on() -> Option<u32> {
    // SAFETY: shared memory that is never freed; integers that are read whole. The receiver calls
    // itself streaming before it has connected: what shows that it has is that the sender told
    // how far its WAL goes.
    unsafe {
        let receiver = pg_sys::WalRcv;
        if receiver.is_null() {
            return None;
        }
        let state = (&raw const (*receiver).walRcvState).read_volatile();
        let told = (&raw const (*receiver).latestWalEnd).read_volatile();
        let timeline = (&raw const (*receiver).receivedTLI).read_volatile();
        (state == pg_sys::WalRcvState::WALRCV_STREAMING && told != 0 && timeline != 0)
            .then_some(timeline)
    }
}

/// Random bytes, as `gen_random_uuid()` takes them; needs no database.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: fills the array, whose length it is given.
    match unsafe { pg_sys::pg_strong_random(bytes.as_mut_ptr().cast(), N) } {
        true => Ok(bytes),
        false => Err(Error::internal("the server has no random bytes")),
    }
}
