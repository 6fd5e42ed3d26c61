//! Everything that `docs/performance.md` says of what the server carries, in one command: it builds what
//! is to be measured, fills databases, starts baselines and servers, loads one after the other, and prints
//! tables.

mod bulk;
pub(crate) mod cluster;
mod figures;
mod machine;
mod options;
mod report;
pub(crate) mod requests;
pub(crate) mod stage;
mod targets;
mod turns;

use cluster::Cluster;
use figures::Figures;
use machine::Machine;
use options::{Kind, Options};
use stage::Stage;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Where the tables go in a document.
const MARKS: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let options = Options::parse(arguments)?;
    let begun = Instant::now();
    if !(options.is_smoke && is_built()) {
        build()?;
    }
    let folder = tempfile::Builder::new().prefix("trunkline-bench-").tempdir()?;
    let (cluster, missing) = start_cluster(&options);
    let version = cluster.as_ref().map(Cluster::version).transpose()?;
    let machine = Machine::look(folder.path(), version);
    let stage = Stage::set(&options, folder.path(), cluster.as_ref())?;
    let mut figures = Figures::default();
    for home in &stage.homes {
        figures.idle.insert((home.kind, home.rows), stage::idle_memory(home)?);
    }
    let mut turns = turns::all(&stage, &options);
    for round in 0..options.rounds {
        progress(&format!("round {} of {}", round + 1, options.rounds));
        turns::round(&mut turns, &options, round, &mut figures)?;
        if round < bulk::ROUNDS {
            bulk::round(&stage, &options, &mut figures)?;
        }
    }
    let tables = report::Report { options: &options, figures: &figures };
    let mut text = tables.conditions(&machine, arguments);
    if let Some(missing) = missing {
        text.push_str(&format!("\n**PostgreSQL was left out:** {missing}\n"));
    }
    text.push_str(&tables.tables());
    println!("{text}");
    if let Some(file) = &options.markdown {
        write_markdown(file, &text)?;
    }
    progress(&format!("done after {:.0?}", begun.elapsed()));
    Ok(())
}

/// Says on standard error how far it is.
fn progress(text: &str) {
    eprintln!("trunkline-bench: {text}");
}

/// The cluster, when there is one to be had; else, when it was asked for, why not.
fn start_cluster(options: &Options) -> (Option<Cluster>, Option<String>) {
    if !options.kinds.contains(&Kind::Postgres) {
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

/// Brings the server and the baselines up to date, as this program was built.
fn build() -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for [package, binary] in [["trunkline"; 2], ["trunkline-bench", "trunkline-baseline"]] {
        let mut command = Command::new(&cargo);
        command.args(["build", "--package", package, "--bin", binary]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        // What cargo says of this program would make it build other things again.
        let said = std::env::vars_os().map(|(name, _)| name);
        for name in said.filter(|name| name.to_string_lossy().starts_with("CARGO_")) {
            let kept = ["CARGO_HOME", "CARGO_TARGET_DIR"].iter().any(|kept| name == *kept);
            if !kept && !name.to_string_lossy().starts_with("CARGO_PROFILE_") {
                command.env_remove(name);
            }
        }
        if !command.current_dir(env!("CARGO_MANIFEST_DIR")).status()?.success() {
            return Err(format!("{binary} could not be built").into());
        }
    }
    Ok(())
}

/// Writes the tables between a document's marks, or into a file of their own.
fn write_markdown(file: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let document = std::fs::read_to_string(file).unwrap_or_default();
    let parts = document.split_once(MARKS[0]).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(MARKS[1])?;
        Some((before, after))
    });
    let whole = match parts {
        Some((before, after)) => {
            format!("{before}{}\n{}\n{}{after}", MARKS[0], text.trim(), MARKS[1])
        }
        None => text.to_owned(),
    };
    Ok(std::fs::write(file, whole)?)
}
