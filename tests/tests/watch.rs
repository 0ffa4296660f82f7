//! Cargo builds again when the file of `network!("path.gd")` changes, or one that it imports. The
//! package that uses it has no standard library, and takes gdc without its features.

// A panic is how a test fails, in its helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LIB: &str = "#![no_std]
#![forbid(unsafe_code)]
#![deny(warnings)]
gdc::network!(\"model.gd\");
";

const MODEL: &str = "import \"parts.gd\";
model Watched {
    param x = 1.0;
    loss off(x)^2;
    optimizer sgd(lr = 0.1);
    train { steps = 10; }
}
";

const PARTS: &str = "fn off(x) = x - 3;\n";

/// A package that uses the macro, with a target folder that later runs use again.
struct Package {
    folder: PathBuf,
}

impl Package {
    fn new() -> Package {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("watch");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let gdc = root.join("crates/gdc").canonicalize().unwrap();
        let manifest = format!(
            "[package]\nname = \"watch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [dependencies]\ngdc = {{ path = {gdc:?}, default-features = false, features = [\"macros\"] }}\n\n[workspace]\n"
        );
        fs::create_dir_all(folder.join("src")).unwrap();
        // The versions that were tested are the versions that are here without a network.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let package = Package { folder };
        package.write("Cargo.toml", &manifest);
        package.write("src/lib.rs", LIB);
        package.write("src/model.gd", MODEL);
        package.write("src/parts.gd", PARTS);
        package
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn check(&self) -> Output {
        Command::new(env!("CARGO"))
            .args(["check", "--offline", "--quiet", "--target-dir", "target"])
            .current_dir(&self.folder)
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap()
    }

    fn expect_fine(&self) {
        let output = self.check();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn expect_error(&self, words: &str) {
        let output = self.check();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "nothing was built again");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_changed_file_is_built_again() {
    let package = Package::new();
    package.expect_fine();
    package.write("src/model.gd", &MODEL.replace("off(x)", "off(wrong)"));
    package.expect_error("model.gd:4:14");
    package.write("src/model.gd", MODEL);
    package.expect_fine();
    package.write("src/parts.gd", &PARTS.replace("x - 3", "x - wrong"));
    package.expect_error("parts.gd:1:17");
    package.write("src/parts.gd", PARTS);
    package.expect_fine();
}
