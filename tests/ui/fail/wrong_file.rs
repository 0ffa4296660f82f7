//! A mistake in a file is shown with its line; the underlined token is the file's name.

gdc::network!("wrong_file.gd");

fn main() {
    let _trainer = InFileTrainer::new(1);
}
