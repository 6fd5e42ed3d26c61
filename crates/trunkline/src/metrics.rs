//! Metrics in Prometheus's text format.
//!
//! Label cardinality is bounded: `route` is the router's pattern or `unmatched`, `method` is `other`
//! for non-standard methods, and `area_code` has three digits.

use axum::http::Method;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use trunkline_network::sign_in_throttle::{self, SignInCounts};
use trunkline_network::unknown_area_codes::{self, UnknownAreaCode};
use trunkline_network::{Store, credentials};

/// Upper bounds of the latency histogram's buckets (seconds).
const LATENCY_BUCKETS_SECONDS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Route label of requests that match no route.
pub(crate) const UNMATCHED: &str = "unmatched";

/// Counters of a server.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: RwLock<BTreeMap<String, Arc<RouteMetrics>>>,
    /// Open connections.
    connections: AtomicU64,
}

#[derive(Debug, Default)]
struct RouteMetrics {
    requests: RwLock<BTreeMap<(&'static str, u16), AtomicU64>>,
    buckets: [AtomicU64; LATENCY_BUCKETS_SECONDS.len() + 1],
    microseconds: AtomicU64,
}

/// Guard that counts a connection as open until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionGuard(Arc<Metrics>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a connection as open while the guard lives.
    pub(crate) fn count_connection(self: &Arc<Self>) -> ConnectionGuard {
        self.connections.fetch_add(1, Ordering::Relaxed);
        ConnectionGuard(Arc::clone(self))
    }

    /// Records a response and the time it took.
    pub(crate) fn record_request(
        &self,
        method: &Method,
        route: &str,
        status: u16,
        duration: Duration,
    ) {
        let route = self.route(route);
        let key = (method_label(method), status);
        let counts = route.requests.read().unwrap_or_else(PoisonError::into_inner);
        match counts.get(&key) {
            Some(count) => {
                count.fetch_add(1, Ordering::Relaxed);
            }
            None => {
                drop(counts);
                let mut counts = route.requests.write().unwrap_or_else(PoisonError::into_inner);
                counts.entry(key).or_default().fetch_add(1, Ordering::Relaxed);
            }
        }
        let seconds = duration.as_secs_f64();
        let index = LATENCY_BUCKETS_SECONDS.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = route.buckets.get(index) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        route.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    fn route(&self, name: &str) -> Arc<RouteMetrics> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let existing = routes.get(name).cloned();
        drop(routes);
        existing.unwrap_or_else(|| {
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(routes.entry(name.to_owned()).or_default())
        })
    }

    /// Renders all metrics in Prometheus's text format.
    pub(crate) fn exposition(&self, store: &Store) -> String {
        let mut out = String::new();
        self.write_all(&mut out, store).expect("writing to a string does not fail");
        out
    }

    fn write_all(&self, out: &mut String, store: &Store) -> std::fmt::Result {
        self.write_requests(out)?;
        write_database(out, store)?;
        write_unknown_area_codes(out)?;
        write_sign_ins(out)?;
        self.write_process(out)
    }

    fn write_requests(&self, out: &mut String) -> std::fmt::Result {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        write_header(out, "trunkline_http_requests_total", "counter", "HTTP responses sent.")?;
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
        write_header(out, name, "histogram", "Time from a request's head to its response's head.")?;
        for (route, metrics) in routes.iter() {
            let counts: Vec<u64> =
                metrics.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
            let total = Duration::from_micros(metrics.microseconds.load(Ordering::Relaxed));
            let label = format!("route=\"{route}\"");
            write_histogram(out, name, &label, &LATENCY_BUCKETS_SECONDS, &counts, total)?;
        }
        Ok(())
    }

    fn write_process(&self, out: &mut String) -> std::fmt::Result {
        let connections = self.connections.load(Ordering::Relaxed);
        write_header(out, "trunkline_http_connections", "gauge", "Open connections.")?;
        writeln!(out, "trunkline_http_connections {connections}")?;
        if let Some(bytes) = resident_bytes() {
            write_header(out, "process_resident_memory_bytes", "gauge", "Resident memory.")?;
            writeln!(out, "process_resident_memory_bytes {bytes}")?;
        }
        Ok(())
    }
}

fn write_database(out: &mut String, store: &Store) -> std::fmt::Result {
    let counts = store.write_counts();
    write_header(
        out,
        "trunkline_database_writes_total",
        "counter",
        "Write transactions, before they were grouped into commits.",
    )?;
    writeln!(out, "trunkline_database_writes_total {}", counts.writes)?;
    write_header(
        out,
        "trunkline_database_commits_total",
        "counter",
        "Commits; one commit may contain several writes.",
    )?;
    writeln!(out, "trunkline_database_commits_total {}", counts.commits)?;
    let name = "trunkline_database_statements_total";
    write_header(out, name, "counter", "SQL statements executed, in reads and writes.")?;
    writeln!(out, "{name} {}", store.statement_count())?;
    let latency = store.write_latency();
    let name = "trunkline_database_waits_seconds";
    write_header(out, name, "histogram", "Time from queueing a write to its commit.")?;
    write_histogram(out, name, "", &latency.bounds, &latency.counts, latency.total)
}

fn write_unknown_area_codes(out: &mut String) -> std::fmt::Result {
    let name = "trunkline_unknown_area_codes_total";
    write_header(out, name, "counter", "Calls from an area code without a known place.")?;
    for UnknownAreaCode { area_code, calls } in unknown_area_codes::counts() {
        writeln!(out, "{name}{{area_code=\"{area_code}\"}} {calls}")?;
    }
    Ok(())
}

fn write_sign_ins(out: &mut String) -> std::fmt::Result {
    let SignInCounts { failures, refusals } = sign_in_throttle::counts();
    let name = "trunkline_sign_in_failures_total";
    write_header(out, name, "counter", "Sign-ins with a wrong password or an unknown address.")?;
    writeln!(out, "{name} {failures}")?;
    let name = "trunkline_sign_ins_throttled_total";
    write_header(out, name, "counter", "Sign-ins refused because too many had failed.")?;
    writeln!(out, "{name} {refusals}")?;
    let name = "trunkline_password_hashes_total";
    write_header(out, name, "counter", "argon2 hashes computed, two for each try of a password.")?;
    writeln!(out, "{name} {}", credentials::computed_hashes())
}

fn write_header(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// Writes a histogram's lines. `counts` has one element more than `bounds`, the `+Inf` bucket.
fn write_histogram(
    out: &mut String,
    name: &str,
    label: &str,
    bounds: &[f64],
    counts: &[u64],
    total: Duration,
) -> std::fmt::Result {
    let comma = if label.is_empty() { "" } else { "," };
    let mut cumulative = 0;
    let bounds = bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(counts) {
        cumulative += count;
        writeln!(out, "{name}_bucket{{{label}{comma}le=\"{bound}\"}} {cumulative}")?;
    }
    let labels = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
    writeln!(out, "{name}_sum{labels} {}", total.as_secs_f64())?;
    writeln!(out, "{name}_count{labels} {cumulative}")
}

fn method_label(method: &Method) -> &'static str {
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

/// Resident memory of this process (bytes); `None` outside Linux.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
