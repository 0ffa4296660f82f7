//! From the text of a worker to a program that runs: the local Rust compiler, and a cache so
//! that the same text is compiled once.

use crate::fault::{At, Fault, Outcome};
use sha2::{Digest, Sha256};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One file of a worker's source.
pub struct SourceFile<'a> {
    /// Its name beside the others.
    pub name: &'a str,
    /// Its whole text.
    pub text: &'a str,
}

/// How a worker is compiled; `native` makes the most of this very machine.
///
/// Generated loops over 16 lanes are unrolled and become vectors as straight lines. The loop
/// vectoriser, which comes first, takes the outer loops instead and makes gathers of them: the
/// digits of `specs/` train 3.5 times slower with it, and 1.3 times slower with half vectors.
const FLAGS: &[&str] = &[
    "--edition=2021",
    "--crate-name=gdc_worker",
    "--crate-type=bin",
    "-Copt-level=3",
    "-Ctarget-cpu=native",
    "-Cpanic=abort",
    "-Cdebuginfo=0",
    "-Cstrip=symbols",
    "-Cno-vectorize-loops",
    #[cfg(target_arch = "x86_64")]
    "-Ctarget-feature=-prefer-256-bit",
];

const PROGRAM: &str = if cfg!(windows) { "worker.exe" } else { "worker" };

/// The path of the compiled program of `files`, of which the first is the root. `building`
/// is called before a compilation, which takes seconds, and not for a cached program.
pub fn build(files: &[SourceFile], cache: &Path, building: impl FnOnce()) -> Outcome<PathBuf> {
    let compiler = Compiler::find()?;
    let folder = cache.join(compiler.key(files));
    let program = folder.join(PROGRAM);
    if program.is_file() {
        return Ok(program);
    }
    building();
    std::fs::create_dir_all(cache).at("make the folder", cache)?;
    let work = tempfile::Builder::new().prefix(".build-").tempdir_in(cache).at("make a folder in", cache)?;
    for file in files {
        let path = work.path().join(file.name);
        std::fs::write(&path, file.text).at("write", &path)?;
    }
    compiler.compile(work.path(), files)?;
    // Another process may have built the same program meanwhile: either is as good.
    let work = work.keep();
    if std::fs::rename(&work, &folder).is_err() {
        let there = program.is_file();
        let removed = std::fs::remove_dir_all(&work);
        if !there {
            removed.at("remove", &work)?;
            return Err(Fault::input(format!("cannot write {}", folder.display())));
        }
    }
    Ok(program)
}

/// The folder of compiled workers: `given`, or `gdc` in the user's folder for caches.
pub fn cache_folder(given: Option<&Path>) -> PathBuf {
    if let Some(path) = given {
        return path.to_owned();
    }
    let from = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Caches"))
    } else {
        from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")))
    };
    base.unwrap_or_else(env::temp_dir).join("gdc")
}

/// A Rust compiler that answered.
struct Compiler {
    path: PathBuf,
    /// Its version, and the features of this machine's processor.
    identity: String,
}

impl Compiler {
    fn find() -> Outcome<Compiler> {
        let named = env::var_os("RUSTC").filter(|v| !v.is_empty());
        let source = if named.is_some() { "named by RUSTC" } else { "looked for in PATH" };
        let path = PathBuf::from(named.unwrap_or_else(|| "rustc".into()));
        let mut identity = String::new();
        for arguments in [&["-vV"][..], &["--print=cfg", "-Ctarget-cpu=native"]] {
            let answer = Command::new(&path).args(arguments).output().map_err(|e| {
                Fault::input(format!(
                    "training needs the Rust compiler, and `{}` ({source}) does not run: {e}\n  \
                     help: install it from https://rustup.rs, or set RUSTC to its path",
                    path.display()
                ))
            })?;
            if !answer.status.success() {
                return Err(Fault::input(format!(
                    "the Rust compiler `{}` ({source}) does not work: {}",
                    path.display(),
                    tail(&answer.stderr)
                )));
            }
            identity.push_str(&String::from_utf8_lossy(&answer.stdout));
        }
        Ok(Compiler { path, identity })
    }

    /// A name for what would come out: equal texts, flags and compilers have equal names.
    fn key(&self, files: &[SourceFile]) -> String {
        let mut hash = Sha256::new();
        let parts = files.iter().flat_map(|f| [f.name, f.text]).chain(FLAGS.iter().copied());
        for part in parts.chain([self.identity.as_str()]) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    fn compile(&self, folder: &Path, files: &[SourceFile]) -> Outcome {
        let root = files.first().map_or("main.rs", |f| f.name);
        let answer = Command::new(&self.path)
            .args(FLAGS)
            .args(["-o", PROGRAM, root])
            .current_dir(folder)
            .env_remove("RUSTFLAGS")
            .output()
            .at("run", &self.path)?;
        if answer.status.success() {
            return Ok(());
        }
        let log = env::temp_dir().join(format!("gdc-failed-{}", &self.key(files)));
        let kept = keep_for_report(&log, folder, files, &answer.stderr);
        Err(Fault::input(format!(
            "the generated program does not compile, which is a mistake of gdc and not yours (or the toolchain \
             lacks a linker):\n{}\n{kept}",
            tail(&answer.stderr)
        )))
    }
}

/// Copies what did not compile to a folder that outlives this process.
fn keep_for_report(log: &Path, folder: &Path, files: &[SourceFile], messages: &[u8]) -> String {
    let copy = || -> std::io::Result<()> {
        std::fs::create_dir_all(log)?;
        for file in files {
            std::fs::copy(folder.join(file.name), log.join(file.name))?;
        }
        std::fs::write(log.join("messages.txt"), messages)
    };
    match copy() {
        Ok(()) => format!("The sources and all messages are in {}", log.display()),
        Err(e) => format!("The sources could not be kept: {e}"),
    }
}

/// The last lines of a compiler's messages.
fn tail(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_built_once_and_runs() {
        let cache = tempfile::tempdir().unwrap();
        let files = [
            SourceFile { name: "main.rs", text: "mod other; fn main() { println!(\"{}\", other::N); }" },
            SourceFile { name: "other.rs", text: "pub const N: u32 = 7;" },
        ];
        let mut built = 0;
        let first = build(&files, cache.path(), || built += 1).unwrap();
        let second = build(&files, cache.path(), || built += 1).unwrap();
        assert_eq!((built, &first), (1, &second));
        assert_eq!(Command::new(first).output().unwrap().stdout, b"7\n");
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_does_not_compile_is_kept_and_not_cached() {
        let cache = tempfile::tempdir().unwrap();
        let files = [SourceFile { name: "main.rs", text: "fn main() { nonsense }" }];
        let Fault::Input(text) = build(&files, cache.path(), || ()).unwrap_err() else { panic!() };
        assert!(text.contains("cannot find value `nonsense`"), "{text}");
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
        let kept = PathBuf::from(text.rsplit(' ').next().unwrap());
        assert!(kept.join("main.rs").is_file());
        std::fs::remove_dir_all(kept).unwrap();
    }

    #[test]
    fn keys_tell_texts_and_their_borders_apart() {
        let compiler = Compiler { path: "rustc".into(), identity: "1".into() };
        let key = |a, b| compiler.key(&[SourceFile { name: a, text: b }]);
        assert_ne!(key("ab", "c"), key("a", "bc"));
        assert_eq!(key("a", "b"), key("a", "b"));
    }
}
