//! Small specs on which something was wrong once, each with what it was.

use gdc_random::agree::{Verdict, check_text};

#[test]
fn what_was_found_stays_mended() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 7);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//"), "{} says what it is", path.display());
        match check_text(&text) {
            Verdict::Agrees(compared) => assert!(compared > 0, "{}", path.display()),
            other => panic!("{}: {other:?}", path.display()),
        }
    }
}
