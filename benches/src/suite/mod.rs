//! Benchmark suite behind `docs/performance.md`: builds the programs, fills databases, starts baselines
//! and servers, runs the loads in turn, and prints tables.

mod bulk;
pub(crate) mod cluster;
mod figures;
mod machine;
mod options;
mod report;
pub(crate) mod requests;
mod rounds;
pub(crate) mod setup;
mod targets;

use cluster::Cluster;
use figures::Figures;
use machine::Machine;
use options::{DatabaseKind, Options};
use setup::Setup;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Markers of a document that enclose the tables.
const MARKERS: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let options = Options::parse(arguments)?;
    let started = Instant::now();
    if !(options.is_smoke && is_built()) {
        build()?;
    }
    let folder = tempfile::Builder::new().prefix("trunkline-bench-").tempdir()?;
    let (cluster, missing) = start_cluster(&options);
    let version = cluster.as_ref().map(Cluster::version).transpose()?;
    let machine = Machine::inspect(folder.path(), version);
    let setup = Setup::create(&options, folder.path(), cluster.as_ref())?;
    let mut figures = Figures::default();
    for database in &setup.databases {
        figures.idle.insert((database.kind, database.rows), setup::idle_memory(database)?);
    }
    let mut runs = rounds::load_runs(&setup, &options);
    for round in 0..options.rounds {
        progress(&format!("round {} of {}", round + 1, options.rounds));
        rounds::round(&mut runs, &options, round, &mut figures)?;
        if round < bulk::BULK_ROUNDS {
            bulk::round(&setup, &options, &mut figures)?;
        }
    }
    let tables = report::Report { options: &options, figures: &figures };
    let mut text = tables.conditions(&machine, arguments);
    if let Some(missing) = missing {
        text.push_str(&format!("\n**PostgreSQL was not measured:** {missing}\n"));
    }
    text.push_str(&tables.tables());
    println!("{text}");
    if let Some(file) = &options.markdown {
        write_markdown(file, &text)?;
    }
    progress(&format!("done after {:.0?}", started.elapsed()));
    Ok(())
}

/// Prints progress to standard error.
fn progress(text: &str) {
    eprintln!("trunkline-bench: {text}");
}

/// Starts PostgreSQL if the options include it; returns the server, or the error as text.
fn start_cluster(options: &Options) -> (Option<Cluster>, Option<String>) {
    if !options.kinds.contains(&DatabaseKind::Postgres) {
        return (None, None);
    }
    match Cluster::start() {
        Ok(cluster) => (Some(cluster), None),
        Err(error) => {
            progress(&format!("without PostgreSQL: {error}"));
            (None, Some(error.to_string()))
        }
    }
}

fn is_built() -> bool {
    ["trunkline", "trunkline-baseline"].iter().all(|name| crate::server::program(name).is_ok())
}

/// Builds the server and the baselines with the profile of this program.
fn build() -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for [package, binary] in [["trunkline"; 2], ["trunkline-bench", "trunkline-baseline"]] {
        let mut command = Command::new(&cargo);
        command.args(["build", "--package", package, "--bin", binary]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        // The variables that cargo sets for this program would invalidate the build of others.
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.to_string_lossy().starts_with("CARGO_")) {
            let is_kept = ["CARGO_HOME", "CARGO_TARGET_DIR"].iter().any(|kept| name == *kept);
            if !is_kept && !name.to_string_lossy().starts_with("CARGO_PROFILE_") {
                command.env_remove(name);
            }
        }
        if !command.current_dir(env!("CARGO_MANIFEST_DIR")).status()?.success() {
            return Err(format!("{binary} could not be built").into());
        }
    }
    Ok(())
}

/// Writes the tables between the markers of a document, or as a new file.
fn write_markdown(file: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let document = std::fs::read_to_string(file).unwrap_or_default();
    let parts = document.split_once(MARKERS[0]).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(MARKERS[1])?;
        Some((before, after))
    });
    let content = match parts {
        Some((before, after)) => {
            format!("{before}{}\n{}\n{}{after}", MARKERS[0], text.trim(), MARKERS[1])
        }
        None => text.to_owned(),
    };
    Ok(std::fs::write(file, content)?)
}
