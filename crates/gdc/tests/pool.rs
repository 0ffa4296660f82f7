//! Threads that share work: all of it is done, once, whoever comes, and panics harm nobody.
#![cfg(feature = "std")]

use gdc::rt::each;

#[test]
fn every_item_is_worked_on_once() {
    for threads in [0, 1, 2, 3, 8] {
        for round in 0..200 {
            let mut items = [0usize; 7];
            each(&mut items, threads, |index, item| *item += index + round);
            assert_eq!(items, core::array::from_fn(|i| i + round));
        }
    }
}

#[test]
fn a_panic_reaches_the_caller_and_harms_nobody() {
    let mut items = [0, 1, 2, 3];
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        each(&mut items, 1, |index, _| assert!(index != 2, "as it should be"));
    }));
    assert!(outcome.is_err());
    let mut items = [0; 9];
    each(&mut items, 4, |index, item| *item = index);
    assert_eq!(items[8], 8);
    for _ in 0..50 {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            each(&mut items, 3, |index, _| assert!(index != 5, "as it should be"));
        }));
        assert!(outcome.is_err());
    }
}

#[test]
fn callers_on_several_threads_do_not_wait_for_each_other() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let mut items = [1; 5];
                    each(&mut items, 3, |_, item| *item += 1);
                    assert_eq!(items, [2; 5]);
                }
            });
        }
    });
}

/// A helper that is held up, as by another program on its processor, is soon done without.
#[test]
fn a_helper_that_is_held_up_does_not_hold_up_its_caller_for_long() {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};
    const HELD_UP: Duration = Duration::from_millis(5);
    const TIMES: u32 = 400;
    let (me, mut helped) = (std::thread::current().id(), 0);
    let from = Instant::now();
    for _ in 0..TIMES {
        let came = AtomicBool::new(false);
        each(&mut [0, 1], 2, |_, _| {
            if std::thread::current().id() != me {
                came.store(true, Ordering::Release);
                std::thread::sleep(HELD_UP);
            }
            // Gives the other one the time to come.
            let from = Instant::now();
            while !came.load(Ordering::Acquire) && from.elapsed() < Duration::from_micros(100) {
                std::thread::yield_now();
            }
        });
        helped += u32::from(came.load(Ordering::Acquire));
    }
    assert!(helped < TIMES / 10 && from.elapsed() < HELD_UP * TIMES / 2, "{helped} times, {:?}", from.elapsed());
}
