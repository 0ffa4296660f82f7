//! The choice of an instruction set at run time.
//!
//! On x86 a kernel is compiled three times: for AVX-512 (as of Ice Lake), for
//! AVX2 with FMA, and for the baseline. Elsewhere there is one level, the best
//! of those that the program is compiled for.

use core::sync::atomic::{AtomicU8, Ordering};
use fearless_simd::Level as Detected;

/// What the program's target always has.
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub type Base = fearless_simd::aarch64::Neon;
/// What the program's target always has.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type Base = fearless_simd::wasm32::WasmSimd128;
/// What the program's target always has.
#[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2", target_feature = "fxsr"))]
pub type Base = fearless_simd::x86::Sse2;
/// What the program's target always has.
#[cfg(not(any(
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2", target_feature = "fxsr"),
)))]
pub type Base = fearless_simd::Fallback;

/// The instruction set that a call runs with. Finding the best one again is
/// one load, but it can also be kept.
#[derive(Clone, Copy, Debug)]
pub struct Level(Detected);

/// Which of [`Level::available`] all calls run with, counted from 1; 0 for the best.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The best level of this machine; without `std`, the best that the program is
/// compiled for. Or the one that was [chosen](Level::choose).
#[inline]
pub fn level() -> Level {
    match CHOSEN.load(Ordering::Relaxed) {
        0 => best(),
        place => chosen(place),
    }
}

#[inline]
fn best() -> Level {
    Level(Detected::try_detect().unwrap_or(Detected::baseline()))
}

#[cold]
fn chosen(place: u8) -> Level {
    Level::available().nth(usize::from(place) - 1).unwrap_or(best())
}

impl Level {
    /// The level that every machine of this target has.
    pub fn base() -> Level {
        Level(Detected::baseline())
    }

    /// Every level that this machine can run, the best one first: for tests.
    pub fn available() -> impl Iterator<Item = Level> {
        let best = best();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let levels = [
            best.avx512().map(|token| Level(Detected::Avx512(token))),
            best.avx2().map(|token| Level(Detected::Avx2(token))),
            Some(Level(Detected::Sse2(Level::token()))),
        ];
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let levels = [Some(best)];
        levels.into_iter().flatten()
    }

    /// Makes all that runs in this process from now on run with the level of
    /// this name, or again with the best one: for tests. Whether there is such
    /// a level.
    pub fn choose(name: Option<&str>) -> bool {
        let place = match name {
            None => Some(0),
            Some(name) => Level::available().position(|level| level.name() == name).map(|place| place as u8 + 1),
        };
        if let Some(place) = place {
            CHOSEN.store(place, Ordering::Relaxed);
        }
        place.is_some()
    }

    /// The level's name, such as `avx2`.
    pub fn name(self) -> &'static str {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if self.avx512().is_some() {
            return "avx512";
        } else if self.avx2().is_some() {
            return "avx2";
        }
        match () {
            () if cfg!(target_arch = "aarch64") => "neon",
            () if cfg!(all(target_arch = "wasm32", target_feature = "simd128")) => "simd128",
            () if cfg!(target_feature = "sse2") => "sse2",
            () => "scalar",
        }
    }

    /// Proof of AVX-512, if this level has it.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    #[doc(hidden)]
    #[inline]
    pub fn avx512(self) -> Option<fearless_simd::x86::Avx512> {
        self.0.as_avx512()
    }

    /// Proof of AVX2 and FMA, if this level has them.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    #[doc(hidden)]
    #[inline]
    pub fn avx2(self) -> Option<fearless_simd::x86::Avx2> {
        self.0.as_avx2()
    }

    /// Proof of what every machine of this target has.
    #[doc(hidden)]
    #[inline]
    pub fn token() -> Base {
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        let token = Detected::baseline().as_neon();
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let token = Detected::baseline().as_wasm_simd128();
        #[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2", target_feature = "fxsr"))]
        let token = Detected::baseline().as_sse2();
        #[cfg(not(any(
            all(target_arch = "aarch64", target_feature = "neon"),
            all(target_arch = "wasm32", target_feature = "simd128"),
            all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2", target_feature = "fxsr"),
        )))]
        let token = Some(fearless_simd::Fallback::new());
        match token {
            Some(token) => token,
            // The same `cfg` that names `Base` grants it.
            None => unreachable!("the baseline is always there"),
        }
    }
}

/// `dispatch!(level, simd => call(simd, ...))` runs the call, in which `simd`
/// is a token of that level's instruction set. The call is to one
/// `#[inline(always)]` function generic over [`Simd`](super::Simd); `return`
/// and `?` do not leave the function around it.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __dispatch {
    ($level:expr, $simd:ident => $body:expr $(,)?) => {{
        let level: $crate::rt::Level = $level;
        if let ::core::option::Option::Some($simd) = level.avx512() {
            $crate::__run!($simd => $body)
        } else if let ::core::option::Option::Some($simd) = level.avx2() {
            $crate::__run!($simd => $body)
        } else {
            let $simd = $crate::rt::Level::token();
            $crate::__run!($simd => $body)
        }
    }};
}

/// `dispatch!(level, simd => call(simd, ...))` runs the call, in which `simd`
/// is a token of that level's instruction set. The call is to one
/// `#[inline(always)]` function generic over [`Simd`](super::Simd); `return`
/// and `?` do not leave the function around it.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __dispatch {
    ($level:expr, $simd:ident => $body:expr $(,)?) => {{
        let _level: $crate::rt::Level = $level;
        let $simd = $crate::rt::Level::token();
        $crate::__run!($simd => $body)
    }};
}

/// Compiles `$body` for the instruction set of the token `$simd`.
#[doc(hidden)]
#[macro_export]
macro_rules! __run {
    ($simd:ident => $body:expr) => {
        $crate::rt::Simd::vectorize(
            $simd,
            #[inline(always)]
            || $body,
        )
    };
}

pub use crate::__dispatch as dispatch;
