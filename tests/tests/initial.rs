//! Initial values of the library in generated code: the bits that every machine must give, and
//! those of the interpreter, which computes them apart, within rounding.

use gdc::rt::NamedTensors;
use gdc_interp::Session;

gdc::network!("../cases/initial.gd");

/// The bits of every parameter, by name.
fn bits(seed: u64) -> Vec<(String, Vec<u32>)> {
    let mut found = Vec::new();
    InitialTrainer::boxed(seed).tensors(&mut |name, _, values| {
        found.push((name.to_owned(), values.iter().map(|&v| v.to_bits()).collect()));
    });
    found
}

/// FNV-1a of the bits.
fn hash(bits: &[u32]) -> u64 {
    bits.iter()
        .flat_map(|b| b.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn every_bit_is_the_same_everywhere() {
    let shown: Vec<String> = bits(7).iter().map(|(name, bits)| format!("{name} {:016x}", hash(bits))).collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(bits(7), bits(7));
    assert!(bits(7).iter().zip(bits(8)).filter(|(a, b)| a.1 != b.1).count() == 10);
}

#[test]
fn they_are_the_interpreters() {
    let output = gdc_tests::spec::compile(&gdc_tests::spec::text("tests/cases/initial.gd"));
    let session = Session::new(&output.model, 7).unwrap();
    for (name, bits) in bits(7) {
        let wanted = session.get(&name).unwrap().to_vec();
        for (found, wanted) in bits.iter().map(|&b| f64::from(f32::from_bits(b))).zip(wanted) {
            assert!((found - wanted).abs() <= 2e-6 * wanted.abs().max(1.0), "{name}: {found} is not {wanted}");
        }
    }
}
