//! What is counted, and how Prometheus reads it.
//!
//! Labels stay few: a route is the router's own pattern, or `unmatched`; a method that HTTP does
//! not name is `other`.

use axum::http::Method;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use trunkline_network::Store;

/// The upper bounds of the latencies' buckets, in seconds.
const BOUNDS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The route of what no route was found for.
pub(crate) const UNMATCHED: &str = "unmatched";

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: RwLock<BTreeMap<String, Arc<Route>>>,
    /// Connections that are open.
    connections: AtomicU64,
}

#[derive(Debug, Default)]
struct Route {
    requests: RwLock<BTreeMap<(&'static str, u16), AtomicU64>>,
    buckets: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

/// A connection that is counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Metrics>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a connection.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connected(Arc::clone(self))
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let route = self.route(route);
        let key = (word(method), status);
        let known = route.requests.read().unwrap_or_else(PoisonError::into_inner);
        match known.get(&key) {
            Some(count) => {
                count.fetch_add(1, Ordering::Relaxed);
            }
            None => {
                drop(known);
                let mut known = route.requests.write().unwrap_or_else(PoisonError::into_inner);
                known.entry(key).or_default().fetch_add(1, Ordering::Relaxed);
            }
        }
        let at = BOUNDS.partition_point(|bound| *bound < took.as_secs_f64());
        if let Some(bucket) = route.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        route.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    fn route(&self, name: &str) -> Arc<Route> {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            let mut known = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(name.to_owned()).or_default())
        })
    }

    /// Everything, in Prometheus's text format.
    pub(crate) fn exposition(&self, store: &Store) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _written = self.write_requests(&mut out);
        let _written = write_database(&mut out, store);
        let _written = self.write_process(&mut out);
        out
    }

    fn write_requests(&self, out: &mut String) -> std::fmt::Result {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        head(out, "trunkline_http_requests_total", "counter", "Requests answered.")?;
        for (name, route) in routes.iter() {
            let requests = route.requests.read().unwrap_or_else(PoisonError::into_inner);
            for ((method, status), count) in requests.iter() {
                let count = count.load(Ordering::Relaxed);
                writeln!(
                    out,
                    "trunkline_http_requests_total{{method=\"{method}\",route=\"{name}\",status=\"{status}\"}} {count}"
                )?;
            }
        }
        let name = "trunkline_http_request_seconds";
        head(out, name, "histogram", "Time from a request's head to its answer's head.")?;
        for (route, of) in routes.iter() {
            let counts: Vec<u64> =
                of.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
            let seconds = Duration::from_micros(of.microseconds.load(Ordering::Relaxed));
            histogram(out, name, &format!("route=\"{route}\""), &BOUNDS, &counts, seconds)?;
        }
        Ok(())
    }

    fn write_process(&self, out: &mut String) -> std::fmt::Result {
        let connections = self.connections.load(Ordering::Relaxed);
        head(out, "trunkline_http_connections", "gauge", "Connections that are open.")?;
        writeln!(out, "trunkline_http_connections {connections}")?;
        if let Some(bytes) = resident_bytes() {
            head(out, "process_resident_memory_bytes", "gauge", "Resident memory.")?;
            writeln!(out, "process_resident_memory_bytes {bytes}")?;
        }
        Ok(())
    }
}

fn write_database(out: &mut String, store: &Store) -> std::fmt::Result {
    let counts = store.write_counts();
    head(out, "trunkline_database_writes_total", "counter", "Units of work that wrote.")?;
    writeln!(out, "trunkline_database_writes_total {}", counts.writes)?;
    head(out, "trunkline_database_commits_total", "counter", "Commits, each of many writes.")?;
    writeln!(out, "trunkline_database_commits_total {}", counts.commits)?;
    let name = "trunkline_database_statements_total";
    head(out, name, "counter", "Statements run, in reads and writes.")?;
    writeln!(out, "{name} {}", store.statements())?;
    let waits = store.write_waits();
    let name = "trunkline_database_waits_seconds";
    head(out, name, "histogram", "Time a write waits for its commit.")?;
    histogram(out, name, "", &waits.bounds, &waits.counts, waits.total)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// A histogram's lines; `counts` has one more than `bounds`, for what is above them all.
fn histogram(
    out: &mut String,
    name: &str,
    label: &str,
    bounds: &[f64],
    counts: &[u64],
    total: Duration,
) -> std::fmt::Result {
    let comma = if label.is_empty() { "" } else { "," };
    let mut sum = 0;
    let bounds = bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(counts) {
        sum += count;
        writeln!(out, "{name}_bucket{{{label}{comma}le=\"{bound}\"}} {sum}")?;
    }
    let labels = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
    writeln!(out, "{name}_sum{labels} {}", total.as_secs_f64())?;
    writeln!(out, "{name}_count{labels} {sum}")
}

fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The memory this process has, where the system tells (Linux).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
