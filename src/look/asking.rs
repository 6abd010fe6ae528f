//! What SQS is asked by a session: from a thread of its own, while the session waits on its latch
//! and can be cancelled. The inquiry ends with the wait, however that ends, and with the process:
//! a session that is told to end does not unwind, and must not leave a thread behind.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use publisher::{Failure, Inquiry};

use crate::pg::{Error, Result, process};

thread_local! {
    static CURRENT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// How long the session sleeps before it looks again, whatever wakes it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits for the answer, which comes within the inquiry's own patience.
pub fn answer<T: Send + 'static>(
    inquiry: io::Result<Inquiry<T>>,
) -> Result<std::result::Result<T, Failure>> {
    let inquiry =
        inquiry.map_err(|error| Error::not_in_state(format!("SQS cannot be asked: {error}")))?;
    let asked = Asked::start(inquiry);
    loop {
        match asked.look() {
            Some((_, Some(answer))) => return Ok(answer),
            Some((notifier, None)) => process::wait_interruptibly(notifier, LOOK_AGAIN),
            None => return Err(Error::internal("an inquiry is gone")),
        }
    }
}

/// The right to the process's inquiry; there is one at a time.
struct Asked<T>(PhantomData<T>);

impl<T: Send + 'static> Asked<T> {
    fn start(inquiry: Inquiry<T>) -> Asked<T> {
        process::at_exit(end);
        CURRENT.replace(Some(Box::new(inquiry)));
        Asked(PhantomData)
    }

    #[allow(clippy::type_complexity, reason = "it is looked at in one place")]
    fn look(&self) -> Option<(std::os::fd::RawFd, Option<std::result::Result<T, Failure>>)> {
        CURRENT.with_borrow(|current| {
            let inquiry = current.as_ref()?.downcast_ref::<Inquiry<T>>()?;
            Some((inquiry.notifier(), inquiry.answer()))
        })
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        end();
    }
}

fn end() {
    drop(CURRENT.take());
}
