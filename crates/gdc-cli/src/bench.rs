//! `gdc bench`: how long training steps and predictions take on this machine.

use crate::cli::BenchArgs;
use crate::fault::{Fault, Outcome};
use crate::files::print;
use crate::runner::Runner;
use crate::text::{count, table};
use crate::train::field::Values;
use crate::train::worker::{Job, Mode};

/// Measures and prints a table.
pub fn run(args: &BenchArgs) -> Outcome {
    if !(args.seconds > 0.0 && args.seconds <= 3600.0) {
        return Err(Fault::call("--seconds takes a number above 0 and up to 3600"));
    }
    let runner = Runner::new(&args.spec, &args.build)?;
    let programs = &runner.output.programs;
    let batch = programs.train.samples().unwrap_or(1).max(1);
    let columns: Vec<Values> = runner.fields.iter().map(|f| f.made_up(batch, 0, 2)).collect();
    let job = Job { mode: Mode::Bench, seconds: args.seconds, ..Job::default() };
    let (ran, _) = runner.run(&job, &columns, None)?;
    let times = ran.times.ok_or_else(|| Fault::input("the program took no times: a mistake of gdc"))?;
    let operations = gdc_codegen::operations_per_step(programs) as f64;
    let line = |what: &str, nanoseconds: f64, samples: f64, operations: Option<f64>| {
        let rate = operations.map(|n| n / nanoseconds);
        vec![
            what.to_owned(),
            duration(nanoseconds),
            count(samples * 1e9 / nanoseconds),
            rate.map_or("-".to_owned(), |r| format!("{r:.2}")),
            rate.map_or("-".to_owned(), |r| format!("{:.1} %", 100.0 * r / times.peak)),
        ]
    };
    let samples = times.samples as f64;
    let mut rows = vec![
        line(&format!("training step of {batch}"), times.step, samples, Some(operations)),
        line(&format!("loss of {batch}"), times.loss, samples, None),
    ];
    if times.predict > 0.0 {
        rows.push(line("prediction of one", times.predict, 1.0, None));
    }
    let head = ["", "time", "samples/s", "operations/ns", "of peak"];
    let text = table(&head, &rows, &[false, true, true, true, true]);
    print(&format!("{text}\npeak of one core, measured: {:.1} operations/ns\n", times.peak));
    Ok(())
}

/// A time in the unit that suits it.
fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}
