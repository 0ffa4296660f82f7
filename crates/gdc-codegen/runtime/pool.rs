//! Threads that share the parts of a step.
//!
//! The threads are the process's own, made when they are first needed and kept. Whoever has work
//! takes part in it, and takes all of it if the others do not come: on a busy machine a step is
//! never slower than on one thread by more than what it takes to call them. A thread without work
//! looks out for some for a few microseconds, then sleeps.

use ::std::any::Any;
use ::std::boxed::Box;
use ::std::prelude::rust_2021::*;
use ::std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use ::std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use ::std::time::{Duration, Instant};

/// How long a thread looks out for work before it sleeps.
const LOOK_OUT: Duration = Duration::from_micros(50);
/// A wait that is no more than this longer than twice the work is no sign of anything.
const HELD_UP: Duration = Duration::from_micros(30);
/// How many pieces of work are done alone after a longer one, at least and at most.
const FEWEST: u32 = 8;
const MOST_ALONE: u32 = 1024;
/// How often it looks at the clock.
const GLANCES: u32 = 64;

/// Calls `work` with each item and its place, on at most `threads` threads, this one among them;
/// 0 stands for as many as the machine has. Which thread takes which item is left to chance.
pub fn each<T: Send>(items: &mut [T], threads: usize, work: impl Fn(usize, &mut T) + Sync) {
    let helpers = helpers(threads, items.len());
    let queue = Mutex::new(items.iter_mut().enumerate());
    let take = || held(&queue).next();
    let all = || {
        while let Some((index, item)) = take() {
            work(index, item);
        }
    };
    if helpers > 0 { pool().share(helpers, &all) } else { all() }
}

/// How many threads can help with so many items.
fn helpers(threads: usize, items: usize) -> usize {
    static MACHINE: OnceLock<usize> = OnceLock::new();
    let machine = || *MACHINE.get_or_init(|| ::std::thread::available_parallelism().map_or(1, usize::from));
    let threads = if threads == 0 { machine() } else { threads };
    threads.min(items).min(MOST).saturating_sub(1)
}

/// More threads than this are never made.
const MOST: usize = 64;

/// A lock whose holder cannot leave anything half done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be done, by whoever comes.
type Work = &'static (dyn Fn() + Sync);

/// The threads, and what they are to do.
#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    /// Counts the pieces of work, so that looking out needs no lock.
    news: AtomicU64,
    /// Threads at work.
    busy: AtomicUsize,
    wake: Condvar,
    /// Held while there is work: a second caller does without help.
    caller: Mutex<Caller>,
}

/// What callers know of the help that they had.
#[derive(Default)]
struct Caller {
    /// How many more pieces of work are done without.
    alone: u32,
    /// How many that were, the last time that help was none.
    last: u32,
}

impl Caller {
    /// Whether to do without help now. A thread that lost its processor to another program holds
    /// up its caller for as long as that one pleases, so after that some pieces of work are done
    /// alone, twice as many each time that it happens again.
    fn does_without(&mut self) -> bool {
        let without = self.alone > 0;
        self.alone = self.alone.saturating_sub(1);
        without
    }

    /// Takes note of how long the work took here, and then the wait for those who helped.
    fn learn(&mut self, worked: Duration, waited: Duration) {
        if waited > HELD_UP + worked * 2 {
            self.last = (self.last * 2).clamp(FEWEST, MOST_ALONE);
            self.alone = self.last;
        } else {
            self.last /= 2;
        }
    }
}

#[derive(Default)]
struct State {
    work: Option<Work>,
    /// How many more threads may come.
    wanted: usize,
    made: usize,
    asleep: usize,
    /// What a thread's work ended with, if it panicked.
    panicked: Option<Box<dyn Any + Send>>,
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(Pool::default)
}

impl Pool {
    /// Runs `work` here and on up to so many other threads, and returns when all have left it.
    fn share(&'static self, helpers: usize, work: &(dyn Fn() + Sync)) {
        let mut caller = match self.caller.try_lock() {
            Ok(caller) => caller,
            // A piece of work panicked before; all the same it was taken back.
            Err(TryLockError::Poisoned(caller)) => caller.into_inner(),
            Err(TryLockError::WouldBlock) => return work(),
        };
        if caller.does_without() {
            return work();
        }
        // SAFETY: the reference is taken back, and everyone who took it is waited for, before
        // this function returns or unwinds: that is what `Recall` does when it is dropped. So it
        // is never used after `work` has ended.
        #[allow(unsafe_code)]
        let lasting = unsafe { ::core::mem::transmute::<&(dyn Fn() + Sync), Work>(work) };
        {
            let mut state = held(&self.state);
            while state.made < helpers && self.make(&mut state) {}
            state.panicked = None;
            state.work = Some(lasting);
            state.wanted = helpers;
            self.news.fetch_add(1, Ordering::Release);
            for _ in 0..state.asleep.min(helpers) {
                self.wake.notify_one();
            }
        }
        let from = Instant::now();
        let recall = Recall(self);
        work();
        let worked = from.elapsed();
        drop(recall);
        caller.learn(worked, from.elapsed() - worked);
        if let Some(panic) = held(&self.state).panicked.take() {
            ::std::panic::resume_unwind(panic);
        }
    }

    /// One thread more; whether that was possible.
    fn make(&'static self, state: &mut State) -> bool {
        let builder = ::std::thread::Builder::new().name("gdc".into());
        let made = builder.spawn(move || self.serve()).is_ok();
        state.made += usize::from(made);
        made
    }

    /// What a thread does all its life.
    fn serve(&self) {
        let mut seen = 0;
        loop {
            seen = self.look_out(seen);
            let work = {
                let mut state = held(&self.state);
                match state.work {
                    Some(work) if state.wanted > 0 => {
                        state.wanted -= 1;
                        self.busy.fetch_add(1, Ordering::Relaxed);
                        work
                    }
                    _ => continue,
                }
            };
            let done = Done(&self.busy);
            if let Err(panic) = ::std::panic::catch_unwind(::std::panic::AssertUnwindSafe(work)) {
                held(&self.state).panicked = Some(panic);
            }
            drop(done);
        }
    }

    /// Waits until there are other news than those seen.
    fn look_out(&self, seen: u64) -> u64 {
        let from = Instant::now();
        loop {
            for _ in 0..GLANCES {
                let news = self.news.load(Ordering::Acquire);
                if news != seen {
                    return news;
                }
                ::core::hint::spin_loop();
            }
            if from.elapsed() > LOOK_OUT {
                break;
            }
            // Someone else may have use for the processor.
            ::std::thread::yield_now();
        }
        let mut state = held(&self.state);
        state.asleep += 1;
        while self.news.load(Ordering::Acquire) == seen {
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.asleep -= 1;
        self.news.load(Ordering::Acquire)
    }
}

/// Takes work back when dropped: nobody has it then.
struct Recall(&'static Pool);

impl Drop for Recall {
    fn drop(&mut self) {
        {
            let mut state = held(&self.0.state);
            state.work = None;
            state.wanted = 0;
        }
        let mut glances = 0u32;
        while self.0.busy.load(Ordering::Acquire) > 0 {
            glances = glances.wrapping_add(1);
            // Whoever is at work may have lost its processor to someone else.
            if glances.is_multiple_of(GLANCES) { ::std::thread::yield_now() } else { ::core::hint::spin_loop() }
        }
    }
}

/// One thread less at work when dropped.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}
